"""The long tail by Apprise: what a service gets, and how little is known of what became of it."""

import json
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from notices import HOSTILE, notice
from pydantic import ValidationError
from vendor_server import Misbehaviour, VendorServer

from routing.delivery import Message, Purpose
from routing.entry import Outcome
from routing.errors import DeliveryError
from routing.ports import Sent
from workers.channels import apprise

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of what its plug-ins import


@pytest.fixture
def service() -> Iterator[VendorServer]:
    """Of the simplest kind that Apprise knows: JSON by POST."""
    with VendorServer() as server:
        yield server


def send(service: VendorServer, timeout_s: float = 5.0, **changes: Any) -> Sent:
    made = apprise.Settings(url=service.url.replace("http://", "json://user:standin-password@"))
    return apprise.send(notice(**changes), made, timeout_s)


def failure(service: VendorServer, timeout_s: float = 5.0, **more: Any) -> DeliveryError:
    with pytest.raises(DeliveryError) as failed:
        send(service, timeout_s, **more)
    assert "standin-password" not in str(failed.value)
    return failed.value


def test_news_reaches_a_service(service: VendorServer) -> None:
    send(service, purpose=Purpose.UPDATE, ack_url="")
    told = json.loads(service.calls[0].body)
    assert told["title"] == "[INC-1] SEV-0 Site is down"
    assert "Tried: rollback, site still down." in told["message"]
    assert told["type"] == "info"


def test_a_page_has_the_link_and_says_that_it_is_one(service: VendorServer) -> None:
    send(service, repeat=True)
    told = json.loads(service.calls[0].body)
    assert "Acknowledge: https://tocsin.example/a/token" in told["message"]
    assert "may be a repeat" in told["message"]
    assert told["type"] == "failure"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 429, 500, 502, 503])
def test_whatever_the_service_refuses_is_tried_again_as_apprise_tells_no_more(
    service: VendorServer, status: int
) -> None:
    service.misbehave(Misbehaviour(status=status))
    assert failure(service).outcome is Outcome.TEMPORARY


def test_a_service_that_does_not_answer_may_have_taken_it(service: VendorServer) -> None:
    service.misbehave(Misbehaviour(delay_s=30))
    assert failure(service, 0.3).outcome is Outcome.UNKNOWN


def test_nobody_listening_is_temporary() -> None:
    with VendorServer() as gone:
        pass
    assert failure(gone).outcome is Outcome.TEMPORARY


@pytest.mark.parametrize("url", ["nothing", "nosuchservice://x", "slack://"])
def test_a_url_apprise_does_not_know_is_permanent_and_not_shown(url: str) -> None:
    with pytest.raises(DeliveryError) as failed:
        apprise.send(notice(), apprise.Settings(url=url), 1.0)
    assert failed.value.outcome is Outcome.PERMANENT
    assert "check url in config/channels.yaml" in str(failed.value)


def test_where_it_is_not_installed_that_is_said(
    service: VendorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)  # as Python marks what cannot be imported
    failed = failure(service)
    assert failed.outcome is Outcome.PERMANENT
    assert 'pip install "tocsin[apprise]"' in str(failed)


def test_what_a_payload_wrote_stays_text(service: VendorServer) -> None:
    send(service, message=Message(title=HOSTILE, body=f"all of {HOSTILE}"))
    told = json.loads(service.calls[0].body)
    assert "ünï 日本 🔥" in told["message"]
    assert not {"\x00", "\x1b", "\u202e"} & set(told["title"] + told["message"])


def test_settings_that_cannot_work_are_refused_and_the_url_is_not_shown() -> None:
    for changes in ({"url": ""}, {}, {"url": "json://x", "typo": "x"}):
        with pytest.raises(ValidationError):
            apprise.Settings(**changes)
    made = apprise.Settings(url="json://user:standin-password@x")
    assert "standin-password" not in repr(made) + str(apprise.preview(notice(), made))
