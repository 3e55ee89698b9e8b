"""The prober on a real server, looking at a real site: what it sees becomes events, once and in order."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from redis import Redis
from site_standin import SiteStandin
from small_policy import HERE
from stage import until
from workshop import Bench, bench

from ledger import log, probes
from ledger.clock import now_ms
from ledger.probes import Seen
from routing.entry import Lane, Signal, decode_entry
from routing.event import Event, Status
from routing.policy import Probe
from workers.prober import Prober

NEVER = Seen(at=0, look="", what="")


@pytest.fixture
def site() -> Iterator[SiteStandin]:
    with SiteStandin() as found:
        yield found


def probe(site: SiteStandin, **more: object) -> Probe:
    plain = Probe(
        name="site", action="http.probe", params={"url": f"{site.url}/health", "count": 1, "timeout_ms": 1000},
        every_ms=20, timeout_ms=2000, ok="ok", fails=2, of=3, recovers=2, kind="SiteDown", title="The site is down",
        origin=HERE, severity="critical", labels={"service": "site"},
    )  # fmt: skip
    return replace(plain, **more)  # type: ignore[arg-type]


def at_work(redis: Redis, *watched: Probe, on: bool = True) -> Bench:
    found = bench(redis, actions={"http": {"allow_private": "true"}}, probes=watched)
    found.settings = replace(found.settings, probes=on)
    return found


def events(context: Bench) -> list[Event]:
    found = log.read(context.client, context.keys, {Lane.URGENT: ""}, 1000, 0).get(Lane.URGENT, [])
    entries = [decode_entry(raw) for _, raw in found]
    return [entry.event for entry in entries if isinstance(entry, Signal)]


def turning(prober: Prober, condition: Callable[[], bool]) -> None:
    """Turn until it holds."""

    def turned() -> bool:
        prober.turn()
        return condition()

    until(turned, 10)


def told(context: Bench) -> list[tuple[str, Status]]:
    return [(each.kind, each.status) for each in events(context)]


def test_a_site_that_falls_ill_and_recovers_is_two_events(redis: Redis, site: SiteStandin) -> None:
    context = at_work(redis, probe(site))
    prober = Prober(context)
    turning(prober, lambda: told(context) == [("SiteDown", Status.RESOLVED)])
    site.healthy = False
    turning(prober, lambda: told(context)[1:] == [("SiteDown", Status.FIRING)])
    fired = events(context)[1]
    assert (fired.source, fired.vendor_severity, fired.title) == ("probes", "critical", "The site is down")
    assert fired.labels == {"probe": "site", "service": "site"}
    assert "503" in fired.summary
    assert fired.starts_at
    assert probes.shown(redis, context.keys)["site"].firing
    site.healthy = True
    turning(prober, lambda: told(context)[2:] == [("SiteDown", Status.RESOLVED)])
    assert len(site.calls) >= 5


def test_a_prober_that_is_killed_while_it_fires_leaves_an_end_to_the_next(
    redis: Redis, site: SiteStandin
) -> None:
    context = at_work(redis, probe(site))
    site.healthy = False
    turning(Prober(context), lambda: told(context) == [("SiteDown", Status.FIRING)])
    site.healthy = True
    turning(Prober(context), lambda: told(context)[1:] == [("SiteDown", Status.RESOLVED)])


def test_only_one_looks_and_another_takes_over_when_it_ends(redis: Redis, site: SiteStandin) -> None:
    first, second = at_work(redis, probe(site)), at_work(redis, probe(site))
    second.worker = "w2"
    one, other = Prober(first), Prober(second)
    turning(one, lambda: len(told(first)) == 1)
    calls = len(site.calls)
    for _ in range(20):
        other.turn()
        time.sleep(0.01)
    assert len(site.calls) <= calls + 1, "but for the look that the first had begun"
    one.stop()
    turning(other, lambda: len(site.calls) > calls + 2)


def deployments(redis: Redis, token: str, url: str) -> Bench:
    seen = Probe(
        "vercel", "vercel.deployments", {"project": "prj_1"}, 20, 1000, "current.uid", 2, 3, 2, "NoDeployment", "?", HERE
    )  # fmt: skip
    context = at_work(redis, seen)
    settings = {**context.given.settings, "vercel": {"token": token, "base_url": url}}
    context.given = replace(context.given, settings=settings)
    return context


def test_what_cannot_be_looked_at_fires_nothing_of_its_own_and_is_said_of_ourselves(
    redis: Redis, site: SiteStandin
) -> None:
    site.healthy = False
    context = deployments(redis, "a-token", site.url)
    prober = Prober(context)
    turning(prober, lambda: bool(told(context)))
    (blind,) = events(context)
    assert (blind.source, blind.kind, blind.status) == ("tocsin", "probe.blind", Status.FIRING)
    assert "503" in blind.summary
    context.given = replace(context.given, probes=(probe(site, name="vercel", kind="Down"),))
    turning(prober, lambda: ("Down", Status.FIRING) in told(context))


def test_without_credentials_nobody_is_called_for_what_is_not_seen(redis: Redis, site: SiteStandin) -> None:
    context = deployments(redis, "", site.url)
    prober = Prober(context)
    turning(prober, lambda: bool(probes.shown(redis, context.keys).get("vercel", NEVER).look))
    for _ in range(30):
        prober.turn()
        time.sleep(0.01)
    assert told(context) == []
    shown = probes.shown(redis, context.keys)["vercel"]
    assert (shown.look, shown.unset, "VERCEL_TOKEN" in shown.what) == ("blind", True, True)


def test_a_slow_look_holds_up_no_other(redis: Redis, site: SiteStandin) -> None:
    with SiteStandin() as slow:
        slow.slow_s = 1.5
        watched = probe(
            slow, name="slow", kind="Slow", params={"url": slow.url, "count": 1, "timeout_ms": 1900}
        )
        context = at_work(redis, watched, probe(site))
        turning(Prober(context), lambda: len(site.calls) >= 10)
        assert len(slow.calls) <= 2


def test_what_is_usual_follows_the_looks_that_were_well_and_outlives_the_prober(
    redis: Redis, site: SiteStandin
) -> None:
    context = at_work(redis, probe(site))

    def seen() -> Seen:
        return probes.shown(context.client, context.keys).get("site", NEVER)

    turning(Prober(context), lambda: seen().usual_ms > 0)
    usual = seen().usual_ms
    site.slow_s, site.healthy = 0.4, False
    turning(Prober(context), lambda: seen().took_ms >= 400)
    assert (seen().look, seen().usual_ms) == ("ill", usual)
    site.healthy = True
    turning(Prober(context), lambda: seen().look == "well")
    assert usual < seen().usual_ms < seen().took_ms


def test_a_changed_probe_is_watched_anew_and_one_that_is_gone_is_over(
    redis: Redis, site: SiteStandin
) -> None:
    context = at_work(redis, probe(site))
    prober = Prober(context)
    site.healthy = False
    turning(prober, lambda: told(context) == [("SiteDown", Status.FIRING)])
    context.given = replace(context.given, probes=())
    turning(prober, lambda: told(context)[1:] == [("SiteDown", Status.RESOLVED)])
    assert events(context)[1].summary == "it is looked at no more"
    assert probes.shown(redis, context.keys) == {}


def test_switched_off_it_looks_at_nothing(redis: Redis, site: SiteStandin) -> None:
    context = at_work(redis, probe(site), on=False)
    prober = Prober(context)
    for _ in range(20):
        prober.turn()
        time.sleep(0.01)
    assert site.calls == []
    assert told(context) == []


def test_what_lasts_is_said_again_and_again(redis: Redis, site: SiteStandin) -> None:
    context = at_work(redis, probe(site))
    site.healthy = False
    turning(Prober(context, again_ms=100), lambda: len(told(context)) >= 3)
    assert {status for _, status in told(context)} == {Status.FIRING}
    assert len({each.starts_at for each in events(context)}) == 1, "it is one and the same"


def test_a_first_look_that_hangs_is_known_to_be_missed_after_its_time(
    redis: Redis, site: SiteStandin
) -> None:
    site.slow_s = 0.5
    context = at_work(redis, probe(site, every_ms=1000))
    Prober(context).turn()
    waiting = probes.shown(redis, context.keys)["site"]
    assert (waiting.at, waiting.look) == (0, "")
    assert 4_000 < waiting.due_by - now_ms() <= 5_000


def test_after_a_long_time_without_a_prober_the_first_look_has_its_time(
    redis: Redis, site: SiteStandin
) -> None:
    site.slow_s = 0.5
    context = at_work(redis, probe(site))
    long_ago = Seen(at=1, look="ill", what="503", firing=True, since_at=1, due_by=2)
    probes.show(redis, context.keys, "site", long_ago)
    Prober(context).turn()
    shown = probes.shown(redis, context.keys)["site"]
    assert (shown.look, shown.firing, shown.since_at) == ("ill", True, 1), "what was seen last is still told"
    assert shown.due_by > now_ms()
