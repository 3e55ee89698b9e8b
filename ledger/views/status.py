"""How Tocsin itself is doing: what waits, how far the log is decided, what is degraded."""

from typing import Any

from ledger import dead, phases, timers, wire
from ledger.views.backlog import waiting
from ledger.views.store import Store
from ledger.views.times import iso
from routing.entry import Lane
from routing.incident import Phase

_MOST = 10_000
"""Entries of a lane are counted so far."""


def status(store: Store, now: int) -> dict[str, Any]:
    """One glance. `ok` is false when something waits for a person's attention."""
    client, keys = store.client, store.keys
    cursor = {wire.text(key): wire.text(value) for key, value in client.hgetall(keys.cursor).items()}
    open_ones = phases.counts(client, keys)
    lanes = {lane.value: waiting(client, keys, lane, cursor.get(lane.value, ""), _MOST) for lane in Lane}
    due = timers.next_due(client, keys)
    overdue = max(0, now - due) if due else 0
    found: dict[str, Any] = {
        "lanes": lanes,
        "decided": int(cursor.get("decided", "0")),
        "decided_at": iso(int(cursor.get("decided_at", "0"))),
        "policy": cursor.get("policy", ""),
        "dispatcher": wire.text(client.get(keys.lease) or b""),
        "next_timer_at": iso(due or 0),
        "timer_overdue_ms": overdue,
        "outbox": int(client.hlen(keys.outbox)),
        "dead_letters": dead.waiting(client, keys),
        "incidents_open": sum(open_ones.values()),
        "incidents_unacknowledged": open_ones[Phase.TRIGGERED],
        "kill_switch": bool(client.exists(keys.kill)),
    }
    found["ok"] = not found["dead_letters"] and overdue < 60_000 and bool(found["dispatcher"])  # noqa: PLR2004
    return found
