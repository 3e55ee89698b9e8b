"""The pages that may still ring are those that looking at all of them finds."""

import msgspec
from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from small_policy import START

from routing.delivery import Delivery, Message, Progress, Purpose
from routing.instant import MINUTE
from routing.ringing import RINGS_MS, Ringing, may_ring
from routing.severity import Severity

CHANGES = st.lists(
    st.tuples(
        st.sampled_from(["INC-1", "INC-2"]),
        st.integers(1, 4),
        st.sampled_from(Progress),
        st.sampled_from([Purpose.PAGE, Purpose.UPDATE]),
        st.sampled_from(["", "CA1"]),
        st.integers(0, 7),
    ),
    max_size=25,
)
"""Of which incident, which page, what became of it, and how many minutes after the change before."""


def page(
    incident: str, number: int, progress: Progress, purpose: Purpose, provider: str, at: int
) -> Delivery:
    return Delivery(
        id=f"{incident}-d{number}", incident=incident, contact="anna", channel="voice", address="+48500",
        purpose=purpose, severity=Severity.SEV1, message=Message(title="t", body="b"), progress=progress,
        created_at=at, changed_at=at, provider_id=provider,
    )  # fmt: skip


@given(CHANGES)
@examples(150)
def test_what_rings_is_found_and_what_is_long_over_is_forgotten(
    changes: list[tuple[str, int, Progress, Purpose, str, int]],
) -> None:
    ringing, known, now = Ringing(), dict[str, Delivery](), START
    for incident, number, progress, purpose, provider, minutes in changes:
        now += minutes * MINUTE
        each = page(incident, number, progress, purpose, provider, now)
        if each.id in known:  # a page stays one
            each = msgspec.structs.replace(each, purpose=known[each.id].purpose)
        ringing.put(each)
        known[each.id] = each
        for name in ("INC-1", "INC-2"):
            own = [
                delivery for delivery in known.values() if delivery.incident == name and may_ring(delivery)
            ]
            young = {delivery.id for delivery in own if delivery.changed_at > now - RINGS_MS}
            assert young <= set(ringing.of(name)) <= {delivery.id for delivery in own}
    ringing.forget("INC-1")
    assert list(ringing.of("INC-1")) == []
