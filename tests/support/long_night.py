"""Incidents of a long night: more alerts, deliveries, runs and lines in the timeline than anybody looks at at once."""

from collections.abc import Iterator

from desk import Desk

from ledger.archive import ArchivedIncident
from routing.decision import Table
from routing.delivery import Delivery, Message, Progress, Purpose
from routing.incident import Alert, Incident, Moment
from routing.instant import MINUTE, SECOND
from routing.reason import Reason
from routing.record import decode, encode
from routing.run import Approval, Run, RunPhase, StepState
from routing.severity import Severity

MOMENTS, DELIVERIES, ALERTS, RUNS = 1_500, 400, 1_000, 30
_OUTPUT = "\n".join(
    f"line {number:03} of what the command printed, as long as such lines are" for number in range(150)
)


def put(desk: Desk, number: int, at: int) -> None:
    name, pipe = f"INC-{number}", desk.client.pipeline(transaction=False)
    for table, records in owned(name, at).items():
        pipe.hset(desk.keys.owned(name, table), mapping=records)  # type: ignore[arg-type]  # bytes are fine
    pipe.rpush(desk.keys.timeline(name), *moments(at))
    pipe.execute()


def owned(name: str, at: int) -> dict[Table, dict[str, bytes]]:
    alerts = (_alert(name, number, at) for number in range(ALERTS))
    deliveries = (_delivery(name, number, at + number * SECOND) for number in range(10, DELIVERIES))
    runs = (run(name, number, at + number * MINUTE) for number in range(1, RUNS + 1))
    return {
        Table.ALERT: {each.fingerprint: encode(each) for each in alerts},
        Table.DELIVERY: {each.id: encode(each) for each in deliveries},
        Table.RUN: {each.id: encode(each) for each in runs},
    }


def moments(at: int) -> Iterator[bytes]:
    why = [Reason(text="the route asks for it", rule="escalation", origin="config/escalation.yaml:12")]
    for number in range(MOMENTS):
        what = f"paged anna by sms for the {number}th time, as nobody had acknowledged it by then"
        yield encode(
            Moment(at=at + number * SECOND, what=what, by="escalation", reasons=why, entry=f"c{at}-{number}")
        )


def _alert(name: str, number: int, at: int) -> Alert:
    return Alert(
        fingerprint=f"{name}-f{number}", incident=name, source="alertmanager", kind="ApiSlow",
        title=f"Instance web-{number} answers slowly", severity=Severity.SEV1, firing=number % 3 > 0, count=number + 1,
        first_seen_at=at + number, last_seen_at=at + MINUTE,
        labels={"instance": f"web-{number}", "region": "eu-central", "service": "checkout"},
    )  # fmt: skip


def _delivery(name: str, number: int, at: int) -> Delivery:
    return Delivery(
        id=f"{name}-d{number}", incident=name, contact=("anna", "ben")[number % 2], channel="sms",
        address="+48500000001", purpose=Purpose.PAGE, severity=Severity.SEV1, message=Message(title=name, body="slow"),
        progress=Progress.DELIVERED, created_at=at, changed_at=at, provider_id=f"SM{number:032x}",
    )  # fmt: skip


def run(name: str, number: int, at: int, approval: Approval | None = None) -> Run:
    phase = RunPhase.WAITING if approval else RunPhase.SUCCEEDED
    steps = [
        StepState(id=f"look-{step}", action="command.run", attempt=1, outcome="ok", output=_OUTPUT, began_at=at,
                  ended_at=at + SECOND, request="run the check")
        for step in range(4)
    ]  # fmt: skip
    return Run(
        id=f"{name}-r{number}", incident=name, runbook="rollback", runbook_version=1, target="site", mode="auto",
        phase=phase, started_at=at, deadline_at=at + 10 * MINUTE, ended_at=0 if approval else at + MINUTE,
        steps=steps, approval=approval,
    )  # fmt: skip


def retired(one: ArchivedIncident) -> ArchivedIncident:
    """The same, with all of that."""
    at = decode(Incident, one.record).opened_at
    records = {table.value: found for table, found in owned(one.id, at).items()}
    return ArchivedIncident(one.id, one.number, one.record, records, tuple(moments(at)))
