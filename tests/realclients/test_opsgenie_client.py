"""Opsgenie's own Python SDK, given our address instead of theirs, and nothing else changed."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import opsgenie_sdk
import pytest
from front_doors import GENIE_KEY, Doors
from opsgenie_sdk.exceptions import AuthenticationException, OpenApiException

from routing.entry import Command, Verb
from routing.incident import Phase

pytestmark = pytest.mark.xdist_group("doors")


@contextmanager
def pointed_at(doors: Doors, key: str = GENIE_KEY) -> Iterator[Any]:
    """One try each; how often it repeats is its own affair. It never closes what it opened."""
    settings = opsgenie_sdk.configuration.Configuration()
    settings.host = doors.url
    settings.api_key = {"Authorization": key}
    settings.retry_count = 1
    client = opsgenie_sdk.ApiClient(configuration=settings)
    yield opsgenie_sdk.AlertApi(client)
    client.rest_client.pool_manager.clear()


@pytest.fixture(scope="module")
def alerts(doors: Doors) -> Iterator[Any]:
    with pointed_at(doors) as found:
        yield found


def create(alerts: Any, message: str, **more: Any) -> Any:
    more.setdefault("source", message)
    return alerts.create_alert(opsgenie_sdk.CreateAlertPayload(message=message, **more))


def test_it_creates_acknowledges_notes_and_closes_and_asks_what_became_of_it(
    doors: Doors, alerts: Any
) -> None:
    made = create(
        alerts,
        "The queue is stuck",
        alias="queue/worker 3",
        priority="P2",
        tags=["queue"],
        details={"waiting": "900"},
    )
    assert made.result == "Request will be processed"
    assert doors.incident("The queue is stuck").phase is Phase.TRIGGERED
    found = alerts.get_request_status(made.request_id)
    assert (found.data.is_success, found.data.action, found.data.alias) == (True, "Create", "queue/worker 3")
    acked = alerts.acknowledge_alert(
        identifier="queue/worker 3", identifier_type="alias",
        acknowledge_alert_payload=opsgenie_sdk.AcknowledgeAlertPayload(user="Dora", note="mine"),
    )  # fmt: skip
    assert doors.incident("The queue is stuck").acknowledged_by == "Dora (genie)"
    noted = alerts.add_note(
        identifier=made.id, add_note_to_alert_payload=opsgenie_sdk.AddNoteToAlertPayload(note="restarted it")
    )
    closed = alerts.close_alert(identifier=made.id)
    assert doors.incident("The queue is stuck").phase is Phase.RESOLVED
    timeline = str(doors.reception.redis.lrange(doors.reception.keys.timeline("INC-1"), 0, -1))
    assert "note: restarted it" in timeline
    for request, action in ((acked, "Acknowledge"), (noted, "AddNote"), (closed, "Close")):
        data = request.retrieve_result().data
        assert (data.is_success, data.action, data.alert_id) == (True, action, made.id)


def test_without_an_alias_the_id_it_gets_is_enough(doors: Doors, alerts: Any) -> None:
    made = create(alerts, "Nameless")
    doors.decide()
    alerts.acknowledge_alert(identifier=made.id)
    assert doors.incident("Nameless").phase is Phase.ACKNOWLEDGED


def test_with_a_wrong_key_or_a_wrong_alert_it_is_told_so(doors: Doors, alerts: Any) -> None:
    with (
        pointed_at(doors, "somebody-else") as stranger,
        pytest.raises(AuthenticationException, match="Could not authenticate"),
    ):
        create(stranger, "Let me in")
    with pytest.raises(OpenApiException, match="should be at most 130 characters"):
        create(alerts, "m" * 131)
    with pytest.raises(OpenApiException, match="Request not found"):
        alerts.get_request_status("b1-1")


def test_an_alert_after_a_person_closed_it_here_is_new_at_once(doors: Doors, alerts: Any) -> None:
    create(alerts, "Closed by hand", alias="by hand")
    name = doors.incident("Closed by hand").id
    now = doors.reception.site.now()
    doors.append(Command(at=now, incident=name, verb=Verb.RESOLVE, by="anna"))
    assert doors.incident("Closed by hand").phase is Phase.RESOLVED
    create(alerts, "Closed by hand", alias="by hand")
    assert doors.incident("Closed by hand").phase is Phase.TRIGGERED
