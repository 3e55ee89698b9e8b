"""Gaps and double bookings: found before it rings, with the time and what to write."""

from typing import Any

import pytest
import shipped

from routing.instant import DAY, HOUR, iso, parse_iso
from routing.load import examine
from routing.oncall import OnCall, Standing, review
from routing.policy import Schedule

ROTATION = 'rotation: {contacts: [anna, ben], start: "2026-01-05T09:00", every: 1w}'
PRIMARY = f"  primary:\n    timezone: Europe/Warsaw\n    {ROTATION}"


def with_primary(body: str) -> dict[str, str]:
    return shipped.spoilt("oncall.yaml", PRIMARY, f"  primary:\n    timezone: Europe/Warsaw\n{body}")


def layers(*given: str, more: str = "") -> dict[str, str]:
    items = "\n".join(
        f"      - {{name: layer-{number}, {ROTATION}, {each}}}" for number, each in enumerate(given)
    )
    return with_primary(f"{more}    layers:\n{items}")


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (['weekly: ["mon-fri 09:00-17:00"]'],
         "nobody is on call from 2026-01-05T17:00 until 2026-01-06T09:00, and 285 times more"),
        (['weekly: ["mon-sun 00:00-24:00"]', 'until: "2026-06-01T09:00"'], ""),
        (['until: "2026-06-01T09:00"', 'from: "2026-06-02T09:00"'],
         "nobody is on call from 2026-06-01T09:00 until 2026-06-02T09:00"),
        (['until: "2026-06-01T09:00"', 'from: "2026-06-01T09:00"'], ""),
        (["mode: shadow"], "nobody is on call from 2026-01-05T09:00 until"),
        (['weekly: ["mon-fri 09:00-21:00"]', 'weekly: ["mon-fri 21:00-09:00", "sat,sun 00:00-24:00", "mon 00:00-09:00"]'],
         ""),
    ],
    ids=["office hours only", "always, by hours", "between two", "one after the other", "only a shadow", "two halves"],
)  # fmt: skip
def test_a_schedule_that_sev0_calls_must_not_leave_a_gap_unsaid(given: list[str], found: str) -> None:
    told = shipped.faults(layers(*given))
    assert [fault.found.startswith(found) for fault in told] == ([True] if found else [])
    if found:
        (fault,) = told
        assert (fault.path, fault.line) == ("schedules.primary", shipped.line_of("oncall.yaml", "  primary:"))
        assert fault.found.endswith(", and SEV-0 or SEV-1 would call it")
        assert "write gaps_accepted: and why" in fault.fix


def test_a_gap_that_is_said_to_be_meant_goes_live_with_its_reason() -> None:
    files = layers('weekly: ["mon-fri 09:00-17:00"]', more="    gaps_accepted: closed at night\n")
    found = examine(files, shipped.vendors(), {}, secrets=False)
    assert found.policy.schedules["primary"].gaps_accepted == "closed at night"
    assert found.warnings == ()


def test_a_gap_that_only_lesser_severities_meet_is_a_warning() -> None:
    office = f'  office:\n    timezone: Europe/Warsaw\n    layers: [{{name: day, {ROTATION}, weekly: ["mon-fri 09:00-17:00"]}}]\n'
    files = shipped.spoilt("oncall.yaml", "schedules:\n", f"schedules:\n{office}")
    found = [
        each
        for each in examine(files, shipped.vendors(), {}, secrets=False).warnings
        if "nobody" in each.found
    ]
    assert [(each.path, each.found) for each in found] == [
        (
            "schedules.office",
            "nobody is on call from 2026-01-05T17:00 until 2026-01-06T09:00, and 285 times more",
        )
    ]


def test_one_person_in_two_schedules_at_once_is_a_warning() -> None:
    files = shipped.spoilt("oncall.yaml", "[ben, anna]", "[anna, ben]")
    told = examine(files, shipped.vendors(), {}, secrets=False).warnings
    assert [(each.path, each.found) for each in told] == [
        ("schedules.secondary", "anna is on call here and in primary at once, first from 2026-01-05T08:00Z"),
        ("schedules.secondary", "ben is on call here and in primary at once, first from 2026-01-12T08:00Z"),
    ]


def schedule(body: str, name: str = "primary") -> Schedule:
    return examine(with_primary(body), shipped.vendors(), {}, secrets=False).policy.schedules[name]


def days(found: list[Any]) -> list[tuple[str, str, str]]:
    def people(each: Any) -> str:
        return ",".join(each.contacts) if isinstance(each, OnCall) else each.contact

    return [
        (
            people(each),
            iso(each.since_at if isinstance(each, OnCall) else each.from_at)[5:13],
            iso(each.until_at)[5:13],
        )
        for each in found
    ]


def test_a_double_booking_lasts_over_handoffs_and_ends_with_the_shorter_shift() -> None:
    one = schedule(f"    {ROTATION}")
    two = schedule('    rotation: {contacts: [anna], start: "2026-01-05T00:00", every: 1d}')
    begin = parse_iso("2026-01-05T08:00Z")
    found = review.clashes([(one, Standing()), (two, Standing())], begin, begin + 15 * DAY)
    assert days(found) == [("anna", "01-05T08", "01-12T08"), ("anna", "01-19T08", "01-20T08")]


def test_nobody_is_booked_twice_where_one_begins_as_the_other_ends() -> None:
    shipped_ = shipped.policy().schedules.values()
    begin = parse_iso("2026-01-05T08:00Z")
    assert review.clashes([(each, Standing()) for each in shipped_], begin, begin + 400 * DAY + HOUR) == []
