"""Maintenance windows hold pages by a wall clock that is itself changed: to the minute, in both directions."""

from dataclasses import replace

import pytest
from noise_story import off, on, policy
from small_policy import HERE, World

from routing.audit import audit
from routing.calendar.hours import Hours
from routing.delivery import Purpose
from routing.effect import Deliver
from routing.instant import DAY, SECOND, iso, parse_iso
from routing.language import matchers
from routing.policy import Maintenance, Noise, Policy
from routing.schema.weekly import parse
from routing.simulation import Simulation

AT_ONCE = ""
CHANGES = [
    # Zone, window, when an alert fires, and when it is paged.
    # Warsaw, 29 March 2026: 02:00 to 03:00 does not exist; 01:00Z is 03:00.
    ("Europe/Warsaw", "sun 01:00-02:30", "2026-03-29T00:30Z", "2026-03-29T01:00Z"),
    ("Europe/Warsaw", "sun 01:00-02:30", "2026-03-29T01:00Z", AT_ONCE),
    ("Europe/Warsaw", "sun 02:30-05:00", "2026-03-29T00:59Z", AT_ONCE),
    ("Europe/Warsaw", "sun 02:30-05:00", "2026-03-29T01:00Z", "2026-03-29T03:00Z"),
    ("Europe/Warsaw", "sun 02:00-03:00", "2026-03-29T01:00Z", AT_ONCE),
    ("Europe/Warsaw", "sun 02:15-02:45", "2026-03-29T00:59Z", AT_ONCE),
    ("Europe/Warsaw", "sun 00:00-04:00", "2026-03-28T23:30Z", "2026-03-29T02:00Z"),
    ("Europe/Warsaw", "sat 22:00-06:00", "2026-03-29T00:30Z", "2026-03-29T04:00Z"),
    ("Europe/Warsaw", "sun 01:00-02:30", "2026-04-05T00:00Z", "2026-04-05T00:30Z"),
    # Warsaw, 25 October 2026: 02:00 to 03:00 comes twice, from 00:00Z and from 01:00Z.
    ("Europe/Warsaw", "sun 01:00-02:30", "2026-10-25T00:00Z", "2026-10-25T00:30Z"),
    ("Europe/Warsaw", "sun 01:00-02:30", "2026-10-25T01:00Z", AT_ONCE),
    ("Europe/Warsaw", "sun 02:30-04:00", "2026-10-25T00:29Z", AT_ONCE),
    ("Europe/Warsaw", "sun 02:30-04:00", "2026-10-25T00:30Z", "2026-10-25T03:00Z"),
    ("Europe/Warsaw", "sun 02:30-04:00", "2026-10-25T01:15Z", "2026-10-25T03:00Z"),
    ("Europe/Warsaw", "sun 02:00-02:30", "2026-10-25T00:00Z", "2026-10-25T00:30Z"),
    ("Europe/Warsaw", "sun 02:00-02:30", "2026-10-25T01:10Z", AT_ONCE),
    ("Europe/Warsaw", "sun 00:00-04:00", "2026-10-24T22:00Z", "2026-10-25T03:00Z"),
    # New York, 8 March 2026: 02:00 to 03:00 does not exist; 07:00Z is 03:00.
    ("America/New_York", "sun 01:00-02:30", "2026-03-08T06:30Z", "2026-03-08T07:00Z"),
    ("America/New_York", "sun 02:30-05:00", "2026-03-08T06:59Z", AT_ONCE),
    ("America/New_York", "sun 02:30-05:00", "2026-03-08T07:10Z", "2026-03-08T09:00Z"),
    ("America/New_York", "sat 22:00-06:00", "2026-03-08T08:00Z", "2026-03-08T10:00Z"),
    # New York, 1 November 2026: 01:00 to 02:00 comes twice, from 05:00Z and from 06:00Z.
    ("America/New_York", "sun 00:00-01:30", "2026-11-01T05:10Z", "2026-11-01T05:30Z"),
    ("America/New_York", "sun 00:00-01:30", "2026-11-01T06:10Z", AT_ONCE),
    ("America/New_York", "sun 01:30-03:00", "2026-11-01T05:29Z", AT_ONCE),
    ("America/New_York", "sun 01:30-03:00", "2026-11-01T06:15Z", "2026-11-01T08:00Z"),
    # Sydney, 5 April 2026: 02:00 to 03:00 comes twice, from 15:00Z and from 16:00Z of the day before.
    ("Australia/Sydney", "sun 01:00-02:30", "2026-04-04T15:10Z", "2026-04-04T15:30Z"),
    ("Australia/Sydney", "sun 01:00-02:30", "2026-04-04T16:10Z", AT_ONCE),
    ("Australia/Sydney", "sun 02:30-04:00", "2026-04-04T16:15Z", "2026-04-04T18:00Z"),
    # Sydney, 4 October 2026: 02:00 to 03:00 does not exist; 16:00Z of the day before is 03:00.
    ("Australia/Sydney", "sun 01:00-02:30", "2026-10-03T15:40Z", "2026-10-03T16:00Z"),
    ("Australia/Sydney", "sun 02:30-05:00", "2026-10-03T15:59Z", AT_ONCE),
    ("Australia/Sydney", "sun 02:30-05:00", "2026-10-03T16:05Z", "2026-10-03T18:00Z"),
]


def maintained(zone: str, *windows: str) -> Policy:
    hours = Hours("window", zone, tuple(map(parse, windows)), frozenset(), HERE)
    window = Maintenance("disks", matchers.parse_all('service="site"'), hours, "moving disks", HERE)
    return replace(policy(), noise=Noise((), maintenance=(window,)))


def first_page(sim: Simulation) -> int:
    return next(at for at, each in sim.effects if isinstance(each, Deliver) and each.purpose is Purpose.PAGE)


@pytest.mark.parametrize(("zone", "window", "fires", "paged"), CHANGES)
def test_an_alert_is_paged_when_its_window_ends_whatever_the_clocks_do(
    zone: str, window: str, fires: str, paged: str
) -> None:
    at, expected = parse_iso(fires), parse_iso(paged or fires)
    sim = Simulation(maintained(zone, window), at, World())
    sim.feed(on("major", at, service="site"))
    (incident,) = sim.incidents()
    assert (incident.silenced_by, incident.held_until) == (
        ("maintenance/disks", expected) if paged else ("", 0)
    )
    assert audit(sim.state, sim.now) == []
    sim.pass_time(at + DAY)
    assert iso(first_page(sim)) == iso(expected)


def test_the_timeline_says_which_window_holds_it_and_until_when() -> None:
    at = parse_iso("2026-03-29T00:30Z")
    sim = Simulation(maintained("Europe/Warsaw", "sun 01:00-02:30"), at, World())
    sim.feed(on("major", at, service="site"))
    (held,) = [moment for _, moment in sim.moments if moment.what.startswith("not paged")]
    assert held.what == "not paged: maintenance until 2026-03-29T01:00:00.000Z: moving disks"
    assert (held.reasons[0].rule, held.reasons[0].origin) == ("maintenance disks", str(HERE))


@pytest.mark.parametrize(("zone", "window", "fires", "paged"), [row for row in CHANGES if row[3]])
def test_what_ends_within_its_window_is_told_to_nobody_and_what_fires_after_it_is_paged(
    zone: str, window: str, fires: str, paged: str
) -> None:
    at, ends = parse_iso(fires), parse_iso(paged)
    sim = Simulation(maintained(zone, window), at, World())
    sim.feed(on("major", at, service="site"))
    sim.pass_time(ends - SECOND)
    sim.feed(off("major", sim.now, service="site"))
    sim.pass_time(ends)
    assert [each for _, each in sim.effects if isinstance(each, Deliver)] == []
    sim.feed(on("major", sim.now, pod="2", service="site"))
    assert first_page(sim) == ends
