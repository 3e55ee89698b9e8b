"""Nothing is asked for blindly: a change carries a key by which a repeat is known, or its state is read before it."""

import pytest
import shipped
from every_action import fitting, settings
from redis import Redis
from vendor_server import Call, VendorServer
from workshop import bench, rollback

from workers import remediate

OWN = {"postgres", "command", "booksy", "http"}
"""What these change is in the operator's words, or counted by the statement itself; see their own tests."""
CHANGES = sorted(
    name
    for name, facts in shipped.vendors().actions.items()
    if facts.mutates and name.partition(".")[0] not in OWN
)


@pytest.mark.parametrize("action", CHANGES)
def test_the_first_call_of_a_change_reads_or_carries_a_key(redis: Redis, action: str) -> None:
    with VendorServer() as vendor:
        at = bench(redis, actions=settings(vendor.url))
        step = rollback(action=action, params=fitting(action), idempotency_key="INC-1-r1")
        at.put(step)
        remediate.carry_out(at, step.id, step.attempt)
        assert vendor.calls, at.done().error
        assert reads(vendor.calls[0]) or vendor.calls[0].headers.get("idempotency-key")


def reads(call: Call) -> bool:
    return call.method == "GET" or call.path.endswith("/read-only")
