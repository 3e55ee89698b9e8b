"""A fingerprint says which condition an event is about, and nothing else about it."""

from itertools import combinations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from routing.alerts.fingerprint import fingerprint, of_threshold
from routing.event import Event, Status

EVENT = Event(source="am", vendor="alertmanager", kind="Down", status=Status.FIRING, key="k", title="t")
WORDS = st.text(max_size=8)


def test_it_is_a_version_and_sixteen_hex_digits() -> None:
    version, _, digits = fingerprint(EVENT, "site").partition(":")
    assert version == "v1"
    assert len(digits) == 16
    int(digits, 16)


def test_it_stays_the_same_from_release_to_release() -> None:
    """A change would orphan every open alert: then the version must change, too."""
    assert fingerprint(EVENT, "site") == "v1:0ddbd068117a0895"
    assert of_threshold("payments-failing", ["a", ""]) == "v1:1f0e611f7ee05821"


def test_only_source_and_key_count() -> None:
    other = msgspec.structs.replace(
        EVENT, kind="Up", status=Status.RESOLVED, title="other", labels={"a": "b"}, vendor_severity="critical"
    )
    assert fingerprint(other, "shop") == fingerprint(EVENT, "site")
    assert fingerprint(msgspec.structs.replace(EVENT, source="am2"), "site") != fingerprint(EVENT, "site")


def test_without_a_key_kind_and_service_do() -> None:
    keyless = msgspec.structs.replace(EVENT, key="")
    assert fingerprint(keyless, "site") != fingerprint(keyless, "shop")
    assert fingerprint(keyless, "site") != fingerprint(msgspec.structs.replace(keyless, kind="Up"), "site")


@given(WORDS, WORDS.filter(bool), WORDS, WORDS.filter(bool))
def test_fields_cannot_pretend_to_be_each_other(source: str, key: str, source2: str, key2: str) -> None:
    first = msgspec.structs.replace(EVENT, source=source, key=key)
    second = msgspec.structs.replace(EVENT, source=source2, key=key2)
    same = (source, key) == (source2, key2)
    assert (fingerprint(first, "") == fingerprint(second, "")) is same


def test_no_two_ways_of_counting_share_one() -> None:
    rows = [
        ("t", []),
        ("t", [""]),
        ("t", ["", ""]),
        ("t", ["a"]),
        ("t", ["a", ""]),
        ("t", ["", "a"]),
        ("ta", []),
    ]
    for (name, values), (name2, values2) in combinations(rows, 2):
        assert of_threshold(name, values) != of_threshold(name2, values2)


def test_text_no_utf8_can_carry_is_no_reason_to_fail() -> None:
    assert fingerprint(msgspec.structs.replace(EVENT, key="\ud800"), "")
