"""Health: how Tocsin itself is: what waits, who is at work, what the database and the archive are worth."""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from console.doing.entries import Who
from console.serving.download import downloaded
from console.serving.navigation import Nav
from console.serving.view import CONSOLE, WAIT_S, Facts, View, page
from console.serving.words import many
from console.trust.acts import Act
from console.trust.guard import guarded, known
from ledger import auditing, wire
from ledger.durability import durability
from ledger.views import health
from ledger.views.backlog import backlog
from ledger.views.status import status
from routing.entry import Lane
from routing.instant import MINUTE, SECOND

NAV = Nav("Health", "/health", 70)
_LAG_S = 5
_AUDITED_MS = MINUTE
_MEANS = {
    Lane.CONTROL: "acknowledgements, results, what people do",
    Lane.URGENT: "what may not wait",
    Lane.BULK: "everything else",
}


@dataclass(frozen=True, slots=True)
class Sign:
    """One thing looked at. `how` is "good", "warn" or "bad"."""

    how: str
    what: str
    text: str


def ask(view: View) -> Facts:
    store, client, keys = view.context.store, view.site.client, view.site.keys
    told, behind = status(store, view.now), backlog(client, keys, view.now)
    processes, held = health.processes(store, view.now), health.claims(store)
    found = durability(client, wait_replicas=view.context.settings.wait_replicas)
    audited = auditing.last(client, keys)
    positions = {wire.text(name): wire.text(at) for name, at in client.hgetall(keys.cursor).items()}
    signs = [
        *_deciding(told, behind), *_acting(told, held, view.now), _audited(audited, view.now),
        *(Sign("bad" if each.level == "refuse" else "warn", "Durability", str(each)) for each in found),
        *(Sign("warn", each.role, f"{each.host} {each.pid} does not show itself") for each in processes if each.absent),
    ]  # fmt: skip
    return {
        "signs": sorted(signs, key=lambda each: ("bad", "warn", "good").index(each.how)),
        "durable": not found,
        "lanes": [
            (lane.value, _MEANS[lane], told["lanes"][lane.value], positions.get(lane.value, "")) for lane in Lane
        ],
        "told": told,
        "behind": behind,
        "lease_ms": max(0, int(client.pttl(keys.lease))),
        "held": held,
        "processes": processes,
        "server": health.server(client),
        "archive": health.archive(store),
        "version": version("tocsin"),
        "audited": audited,
    }  # fmt: skip


def _deciding(told: Facts, behind: Facts) -> Iterator[Sign]:
    if told["dispatcher"]:
        yield Sign("good", "Dispatch", "somebody decides what comes in")
    else:
        yield Sign("bad", "Dispatch", "no dispatcher is at work: nothing that comes in leads to anything")
    late = behind["oldest_s"]
    waits = many(behind["undecided"]["all"], "entry", "entries")
    how = "good" if late < _LAG_S else "warn" if late < MINUTE // SECOND else "bad"
    yield Sign(
        how, "Lag", f"{waits} wait, the oldest for {late} s" if late else "nothing waits to be decided"
    )


def _acting(told: Facts, held: Facts, now: int) -> Iterator[Sign]:
    overdue = told["timer_overdue_ms"]
    how = "good" if overdue < 5 * SECOND else "warn" if overdue < 30 * SECOND else "bad"
    text = f"the oldest is {overdue // SECOND} s late" if how != "good" else "none is late"
    yield Sign(how, "Timers", text)
    old = held["oldest_at"] and now - held["oldest_at"] > 10 * MINUTE
    yield Sign("warn" if old else "good", "Claims", f"{many(held['held'], 'effect')} in workers' hands")
    letters = told["dead_letters"]
    yield Sign("warn" if letters else "good", "Dead letters", many(letters, "waits", "wait"))
    if told["kill_switch"]:
        yield Sign("warn", "Kill switch", "on: no runbook changes anything")


def _audited(found: auditing.Audited | None, now: int) -> Sign:
    if found is None:
        return Sign("warn", "Auditor", "has not looked yet")
    if found.trouble:
        return Sign("bad", "Auditor", found.trouble)
    if now - found.at > _AUDITED_MS:
        return Sign("warn", "Auditor", "has not looked for a while; when it did, nothing open was forgotten")
    return Sign("good", "Auditor", "nothing open is forgotten")


async def backup(request: Request) -> Response:
    actor = await known(request)
    return await downloaded(request, Who(actor.name, actor.client, CONSOLE, WAIT_S, actor.contact))


ROUTES = [
    Route("/health", page(Act.READ, "ourselves.html", ask, "now", shared=True)),
    Route("/health/backup", guarded(Act.BACKUP, backup)),
]
