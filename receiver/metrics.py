"""`/metrics`: what this process counts, and what Redis says about all of it. The list is docs/metrics.md.

Processes without an endpoint count with `ledger.tally`; what they count is shown here as they wrote it.
"""

import asyncio
import re
from collections.abc import Iterator, Mapping

import structlog
from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from redis.exceptions import RedisError
from starlette.requests import Request as WebRequest
from starlette.responses import Response
from starlette.routing import Route

from receiver import gauges, inside
from receiver.counts import BUCKETS
from receiver.gauges import Snapshot
from receiver.site import Site

_log = structlog.get_logger(__name__)
_WAIT_S = 5.0
_COUNTER = re.compile(r'(tocsin_[a-z_]{1,80}_total)((?:\{(?:[a-z_]{1,40}="[^"\\{}\n]{0,100}",?){1,8}\})?)')
_LABEL = re.compile(r'([a-z_]+)="([^"]*)"')
_Family = CounterMetricFamily | GaugeMetricFamily


class Metrics:
    """Built on each scrape; nothing is kept between two of them."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._process = CollectorRegistry()
        ProcessCollector(registry=self._process)

    def routes(self) -> list[Route]:
        return [Route("/metrics", self.scrape, methods=["GET"])]

    async def scrape(self, request: WebRequest) -> Response:
        inside.admit(self._site, request)
        snapshot = await self._snapshot()
        registry = CollectorRegistry()
        registry.register(_Ready([*_own(self._site), *_shared(snapshot)]))
        text = generate_latest(registry) + generate_latest(self._process)
        return Response(text, media_type="text/plain; version=0.0.4", headers={"cache-control": "no-store"})

    async def _snapshot(self) -> Snapshot | None:
        """None when Redis does not answer: our own numbers are shown all the same."""
        try:
            async with asyncio.timeout(_WAIT_S):
                return await gauges.look(self._site.client, self._site.keys, self._site.now())
        except (RedisError, OSError, TimeoutError) as error:
            _log.warning("no gauges from Redis", error=type(error).__name__)
            return None


class _Ready:
    """What prometheus-client calls a collector: here it has already collected."""

    def __init__(self, families: list[Metric]) -> None:
        self._families = families

    def collect(self) -> list[Metric]:
        return self._families


def _own(site: Site) -> Iterator[Metric]:
    counts, keep = site.counts, site.keep
    answers = CounterMetricFamily(
        "tocsin_http_answers", "Answers, by route, source and status.", labels=("route", "source", "status")
    )
    for (route, source, status), times in counts.answers.items():
        answers.add_metric((route, source, str(status)), times)
    yield answers
    refused = CounterMetricFamily(
        "tocsin_refused", "Requests of which nothing was kept.", labels=("source", "why")
    )
    for (source, why), times in counts.refused.items():
        refused.add_metric((source, why), times)
    yield refused
    yield _by_source("tocsin_accepted", "Events and answers kept, repeats included.", counts.accepted)
    yield _by_source("tocsin_unreadable", "Dead letters made of what could not be read.", counts.dead)
    took = HistogramMetricFamily("tocsin_ingest_seconds", "From a request's arrival to its answer.")
    took.add_metric((), _cumulated(counts.took), counts.took_sum_s)
    yield took
    yield _counter("tocsin_append_batches", "Batches on disk.", keep.batches)
    yield _counter("tocsin_append_failures", "Batches answered 503.", keep.failed)
    yield _gauge("tocsin_pending_requests", "Requests waiting for the disk.", keep.pending)
    yield _gauge("tocsin_body_bytes", "Bodies of requests under way.", site.room.used)
    policy = GaugeMetricFamily("tocsin_policy_info", "The policy in force.", labels=("version",))
    policy.add_metric((site.gates.version,), 1 if site.gates.version else 0)
    yield policy


def _shared(snapshot: Snapshot | None) -> Iterator[Metric]:
    yield _gauge("tocsin_redis_up", "Redis answered this scrape.", int(snapshot is not None))
    if snapshot is None:
        return
    yield _labelled(
        "tocsin_lane_entries", "Entries in the log, decided ones included.", "lane", snapshot.lengths
    )
    yield _labelled(
        "tocsin_lane_oldest_undecided_seconds", "Age of the oldest undecided entry; 0 when all are decided.",
        "lane", {lane: ms / 1000 for lane, ms in snapshot.undecided_ms.items()},
    )  # fmt: skip
    yield _labelled("tocsin_incidents", "Live incidents by status.", "status", snapshot.incidents)
    yield _labelled(
        "tocsin_process_silent_seconds", "Since each process last showed a sign of life.",
        "process", {name: ms / 1000 for name, ms in snapshot.silent_ms.items()},
    )  # fmt: skip
    yield _gauge("tocsin_dead_letters_waiting", "Dead letters nobody has dealt with.", snapshot.dead)
    yield _gauge("tocsin_outbox_effects", "Effects decided and not finished.", snapshot.outbox)
    yield _gauge("tocsin_timers", "Timers set.", snapshot.timers)
    yield _gauge("tocsin_timers_overdue", "Timers due for more than a second.", snapshot.overdue)
    yield _gauge("tocsin_redis_memory_bytes", "Memory the server uses.", snapshot.memory)
    yield _gauge("tocsin_redis_memory_limit_bytes", "Its limit; 0 is none.", snapshot.memory_limit)
    yield _counter("tocsin_decided", "Entries decided.", snapshot.decided)
    yield from _elsewhere(snapshot.counters)


def _elsewhere(counters: Mapping[str, int]) -> Iterator[Metric]:
    """Counters of other processes; what is not written as one is left out."""
    families: dict[str, CounterMetricFamily] = {}
    for field, value in sorted(counters.items()):
        found = _COUNTER.fullmatch(field)
        if found is None:
            continue
        labels = dict(_LABEL.findall(found[2]))
        name = found[1].removesuffix("_total")
        family = families.setdefault(
            name, CounterMetricFamily(name, "Counted elsewhere.", labels=tuple(labels))
        )
        if set(family._labelnames) == set(labels):  # noqa: SLF001  # the library offers no other way to ask
            family.add_metric([labels[key] for key in family._labelnames], value)  # noqa: SLF001
    yield from families.values()


def _by_source(name: str, text: str, counts: Mapping[str, int]) -> CounterMetricFamily:
    family = CounterMetricFamily(name, text, labels=("source",))
    for source, times in counts.items():
        family.add_metric((source,), times)
    return family


def _labelled(name: str, text: str, label: str, values: Mapping[str, float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, text, labels=(label,))
    for key, value in values.items():
        family.add_metric((key,), value)
    return family


def _counter(name: str, text: str, value: int) -> CounterMetricFamily:
    return CounterMetricFamily(name, text, value=value)


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, value=value)


def _cumulated(counts: list[int]) -> list[tuple[str, float]]:
    edges = [*(str(edge) for edge in BUCKETS), "+Inf"]
    return [(edge, float(sum(counts[: place + 1]))) for place, edge in enumerate(edges)]
