"""What we are measured against. Frozen: a change here changes what every past result meant.

- `app`: a bare Starlette route that reads the body and answers 202, on the receiver's own server options.
- `one_job` and `plain_worker`: stock RQ with one job per event, on the same Redis.
"""

from redis import Redis
from rq import Queue, SimpleWorker
from rq.serializers import JSONSerializer
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

UVICORN = {"loop": "uvloop", "http": "httptools", "access_log": False, "log_level": "warning"}
"""The receiver runs with the same."""

QUEUE = "baseline"


async def bare(request: Request) -> JSONResponse:
    await request.body()
    return JSONResponse({"accepted": ["u1732406400123-0"], "dead": []}, status_code=202)


app = Starlette(routes=[Route("/hooks/stripe", bare, methods=["POST"])])


def one_job(event: str) -> int:
    """What a job per event does at the least: nothing."""
    return len(event)


def enqueue(client: Redis, events: list[str]) -> None:
    """One job per event, in batches of a hundred."""
    queue = Queue(QUEUE, connection=client, serializer=JSONSerializer)
    for start in range(0, len(events), 100):
        jobs = [
            Queue.prepare_data("baseline.one_job", (event,), result_ttl=0)
            for event in events[start : start + 100]
        ]
        queue.enqueue_many(jobs)


def plain_worker(client: Redis) -> SimpleWorker:
    queue = Queue(QUEUE, connection=client, serializer=JSONSerializer)
    return SimpleWorker([queue], connection=client, serializer=JSONSerializer)
