"""Layers as they are written: hours, holidays, offices around the world, shadows, and layers for a time."""

import pytest
import shipped

from routing.instant import parse_iso
from routing.load import load
from routing.oncall import Standing, who, who_next, who_previous
from routing.policy import Schedule

BASE = '{name: base, rotation: {contacts: [commander], start: "2026-01-05T00:00"}}'


def one(contact: str) -> str:
    return f'rotation: {{contacts: [{contact}], start: "2026-01-05T00:00", every: 1d}}'


def schedule(*layers: str) -> Schedule:
    files = shipped.files()
    items = "\n".join(f"      - {layer}" for layer in (BASE, *layers))
    given = f"schedules:\n  layered:\n    timezone: Europe/Warsaw\n    layers:\n{items}\n"
    files["config/oncall.yaml"] = files["config/oncall.yaml"].replace("schedules:\n", given, 1)
    return load(files, shipped.vendors()).schedules["layered"]


WEEKDAYS = f'{{name: days, weekly: ["mon-fri 09:00-17:00"], holidays: [poland], {one("anna")}}}'
SUN = (
    f'{{name: tokyo, timezone: Asia/Tokyo, weekly: ["mon-sun 09:00-17:00"], {one("anna")}}}',
    f'{{name: london, timezone: Europe/London, weekly: ["mon-sun 08:00-16:00"], {one("ben")}}}',
    f'{{name: denver, timezone: America/Denver, weekly: ["mon-sun 09:00-17:00"], {one("cto")}}}',
)
TEMPORARY = f'{{name: fair, from: "2026-06-01T09:00", until: "2026-06-05T17:00", {one("press")}}}'
ADDED = f'{{name: launch, mode: add, weekly: ["sat 10:00-12:00"], {one("ceo")}}}'


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        ([WEEKDAYS], {"2026-03-27T08:00Z": "anna", "2026-03-27T07:59Z": "commander", "2026-03-30T07:00Z": "anna",
                      "2026-03-30T06:59Z": "commander", "2026-03-28T10:00Z": "commander"}),
        ([WEEKDAYS], {"2026-01-06T10:00Z": "commander", "2026-01-07T10:00Z": "anna", "2026-04-06T10:00Z": "commander"}),
        (SUN, {"2026-07-01T00:00Z": "anna", "2026-07-01T07:00Z": "ben", "2026-07-01T14:59Z": "ben",
               "2026-07-01T15:00Z": "cto", "2026-07-01T22:59Z": "cto", "2026-07-01T23:00Z": "commander"}),
        # In March the Americans change their clocks three weeks before the Europeans: the hand-over follows each.
        (SUN, {"2026-03-20T14:59Z": "ben", "2026-03-20T15:00Z": "cto", "2026-03-20T15:59Z": "cto",
               "2026-01-20T15:59Z": "ben", "2026-01-20T16:00Z": "cto"}),
        ([TEMPORARY], {"2026-06-01T06:59Z": "commander", "2026-06-01T07:00Z": "press", "2026-06-05T14:59Z": "press",
                       "2026-06-05T15:00Z": "commander"}),
        ([ADDED], {"2026-06-06T08:00Z": "commander ceo", "2026-06-06T10:00Z": "commander"}),
        ([WEEKDAYS, TEMPORARY], {"2026-06-02T10:00Z": "press", "2026-06-08T10:00Z": "anna"}),
    ],
    ids=["hours through a change of the clocks", "holidays", "the sun in summer", "the sun in March", "for a time",
         "added", "the later layer wins"],
)  # fmt: skip
def test_the_last_active_layer_says_who(layers: list[str], expected: dict[str, str]) -> None:
    given = schedule(*layers)
    assert {at: " ".join(who(given, Standing(), parse_iso(at)).contacts) for at in expected} == expected


def test_a_shadow_is_named_apart_and_never_counts() -> None:
    shadow = f"{{name: learning, mode: shadow, {one('security')}}}"
    given = schedule(WEEKDAYS, shadow)
    for at in ("2026-03-27T10:00Z", "2026-03-28T10:00Z"):
        found = who(given, Standing(), parse_iso(at))
        assert found.shadows == ("security",)
        assert "security" not in found.contacts
    for found in (who_next(given, Standing(), parse_iso("2026-03-27T10:00Z")),
                  who_previous(given, Standing(), parse_iso("2026-03-27T10:00Z"))):  # fmt: skip
        assert found.contacts == ("commander",)


def test_next_and_previous_skip_shifts_of_the_same_people() -> None:
    given = schedule(*SUN)
    at = parse_iso("2026-07-01T15:30Z")
    assert (who(given, Standing(), at).contacts, who_previous(given, Standing(), at).contacts) == (
        ("cto",),
        ("ben",),
    )
    assert who_next(given, Standing(), at).contacts == ("commander",)
