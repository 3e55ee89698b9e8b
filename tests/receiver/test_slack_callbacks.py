"""What Slack sends us: buttons and commands become entries with whoever it was; forgeries and replays change nothing."""

import time
from typing import Any
from urllib.parse import urlencode

import orjson
import pytest
from reception import Reception, running
from redis import Redis
from slack_standin import SIGNING_SECRET, SlackStandin, signature

from ledger.settings import LedgerSettings
from receiver import slash
from receiver.callbacks import slack
from receiver.settings import ReceiverSettings
from routing.decision import Table
from routing.entry import Answer, Command, Lane, Speaker, Verb
from routing.errors import BadSignature
from routing.incident import Incident, Phase
from routing.record import encode
from routing.severity import Severity

VECTOR = (
    b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
    b"&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
    b"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
    b"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
)
"""As published: docs.slack.dev/authentication/verifying-requests-from-slack."""
VECTOR_AT = 1531420618
VECTOR_SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
VECTOR_HEADERS = {
    "x-slack-request-timestamp": str(VECTOR_AT),
    "x-slack-signature": "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
}
ZOE = {"id": "U0ZOE", "username": "zoe.slack", "name": "zoe"}


def test_the_published_vector_verifies() -> None:
    slack.verify(("other", VECTOR_SECRET), VECTOR_HEADERS, VECTOR, VECTOR_AT + 299)
    slack.verify((VECTOR_SECRET,), VECTOR_HEADERS, VECTOR, VECTOR_AT - 299)


@pytest.mark.parametrize(
    ("changes", "body", "secret", "after"),
    [
        ({}, VECTOR, VECTOR_SECRET, 301),
        ({}, VECTOR, VECTOR_SECRET, -301),
        ({}, VECTOR + b"&text=x", VECTOR_SECRET, 0),
        ({}, VECTOR, "other", 0),
        ({}, VECTOR, "", 0),
        ({"x-slack-request-timestamp": str(VECTOR_AT + 1)}, VECTOR, VECTOR_SECRET, 0),
        ({"x-slack-request-timestamp": ""}, VECTOR, VECTOR_SECRET, 0),
        ({"x-slack-request-timestamp": "soon"}, VECTOR, VECTOR_SECRET, 0),
        ({"x-slack-request-timestamp": "9" * 40}, VECTOR, VECTOR_SECRET, 0),
        ({"x-slack-request-timestamp": "\u0661531420618"}, VECTOR, VECTOR_SECRET, 0),
        ({"x-slack-signature": ""}, VECTOR, VECTOR_SECRET, 0),
        ({"x-slack-signature": "v0="}, VECTOR, VECTOR_SECRET, 0),
        ({"x-slack-signature": "v0=\xe9"}, VECTOR, VECTOR_SECRET, 0),
    ],
)
def test_anything_else_does_not(changes: dict[str, str], body: bytes, secret: str, after: int) -> None:
    with pytest.raises(BadSignature):
        slack.verify((secret,), {**VECTOR_HEADERS, **changes}, body, VECTOR_AT + after)


def post(reception: Reception, path: str, body: bytes, age_s: int = 0, secret: str = SIGNING_SECRET) -> Any:
    at = str(int(time.time()) - age_s)
    return reception.post(
        f"/callbacks/slack/{path}",
        body,
        {
            "content-type": "application/x-www-form-urlencoded",
            "x-slack-request-timestamp": at,
            "x-slack-signature": signature(secret, at, body),
        },
    )


def press(reception: Reception, action: dict[str, Any] | None = None, **changes: Any) -> Any:
    pressed = {
        "type": "button",
        "action_id": "ack",
        "value": "INC-12-d3",
        "action_ts": "1.2",
        **(action or {}),
    }
    payload = {"type": "block_actions", "user": ZOE, "trigger_id": "1.2.3", "actions": [pressed], **changes}
    return post(reception, "interactions", urlencode({"payload": orjson.dumps(payload).decode()}).encode())


def command(reception: Reception, text: str, trigger: str = "1.2", **more: str) -> Any:
    form = {
        "command": "/tocsin",
        "text": text,
        "user_id": "U0ZOE",
        "user_name": "zoe.slack",
        "trigger_id": trigger,
    }
    return post(reception, "commands", urlencode({**form, **more}).encode())


def keep_open(reception: Reception, number: int, **more: Any) -> Incident:
    fields: dict[str, Any] = {
        "id": f"INC-{number}", "number": number, "title": f"broken {number}", "severity": Severity.SEV1,
        "phase": Phase.TRIGGERED, "group": "g", "opened_at": 1_764_000_000_000 + number, "changed_at": 0, **more,
    }  # fmt: skip
    incident = Incident(**fields)
    reception.redis.hset(reception.keys.state(Table.INCIDENT), incident.id, encode(incident))
    return incident


@pytest.mark.parametrize("verb", ["ack", "resolve", "escalate", "approve", "deny"])
def test_a_button_becomes_an_answer_of_whoever_pressed_it(reception: Reception, verb: str) -> None:
    answer = press(reception, {"action_id": verb})
    (entry,) = reception.entries(Lane.CONTROL)
    assert (answer.status_code, answer.content) == (200, b"")
    assert isinstance(entry, Answer)
    assert (entry.by, entry.channel, entry.text, entry.delivery) == ("slack", "Slack", verb, "INC-12-d3")
    assert entry.who == Speaker(vendor="slack", id="U0ZOE", name="zoe.slack")


def test_what_is_sent_twice_is_one_answer_and_pressed_twice_are_two(reception: Reception) -> None:
    for trigger in ("1.2.3", "1.2.3", "1.2.4"):
        assert press(reception, trigger_id=trigger).status_code == 200
    assert len(reception.entries(Lane.CONTROL)) == 2


@pytest.mark.parametrize(
    ("action", "changes"),
    [
        ({"action_id": "open"}, {}),
        ({"action_id": "drop"}, {}),
        ({"value": "INC-12-d3 or so"}, {}),
        ({"value": None}, {}),
        ({}, {"type": "view_submission"}),
        ({}, {"actions": []}),
        ({}, {"actions": ["ack"]}),
        ({}, {"user": None}),
    ],
)
def test_what_is_no_answer_to_us_changes_nothing(
    reception: Reception, action: dict[str, Any], changes: dict[str, Any]
) -> None:
    assert press(reception, action, **changes).status_code == 200
    assert reception.entries() == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"payload=", 400),
        (b"payload=%7B", 400),
        (b"payload=[]", 400),
        (b"\xff\xfe=1", 400),
        (urlencode({"payload": '{"type":"block_actions","user":{},"actions":[{"action_id":"ack","value":"INC-1-d1"}]}'}).encode(), 400),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused(reception: Reception, body: bytes, status: int) -> None:
    assert post(reception, "interactions", body).status_code == status
    assert reception.entries() == []


@pytest.mark.parametrize("path", ["interactions", "commands"])
def test_forgeries_and_what_was_recorded_are_refused(reception: Reception, path: str) -> None:
    body = urlencode({"payload": "{}", "text": "list"}).encode()
    assert post(reception, path, body, secret="guessed").status_code == 401
    assert post(reception, path, body, age_s=310).status_code == 401
    assert reception.post(f"/callbacks/slack/{path}", body, {}).status_code == 401
    assert reception.entries() == []


def test_the_secret_before_counts_while_it_is_changed(reception: Reception) -> None:
    body = urlencode({"text": "help", "user_id": "U0ZOE"}).encode()
    assert post(reception, "commands", body, secret="the-one-before").status_code == 200


def test_without_a_secret_nothing_is_believed(redis: Redis, redis_url: str) -> None:
    bare = ReceiverSettings(ledger=LedgerSettings(redis_url=redis_url))
    with running(redis, redis_url, settings=bare) as reception:
        answer = press(reception)
        assert answer.status_code == 503
        assert "SLACK_SIGNING_SECRET" in answer.text


@pytest.mark.parametrize(
    ("text", "verb", "said"),
    [
        ("ack INC-12", Verb.ACK, ""),
        (" Ack  inc-12 ", Verb.ACK, ""),
        ("acknowledge 12", Verb.ACK, ""),
        ("resolve #12", Verb.RESOLVE, ""),
        ("escalate INC-12", Verb.ESCALATE, ""),
        ("approve INC-12", Verb.APPROVE, ""),
        ("deny INC-12", Verb.DENY, ""),
        ("status INC-12 the vendor works on it\nmore at 4", Verb.STATUS, "the vendor works on it\nmore at 4"),
    ],
)
def test_a_command_acts_as_whoever_wrote_it(reception: Reception, text: str, verb: Verb, said: str) -> None:
    keep_open(reception, 12)
    answer = command(reception, text)
    (entry,) = reception.entries(Lane.CONTROL)
    assert answer.json() == {"response_type": "ephemeral", "text": f"Noted: {verb} INC-12, broken 12"}
    assert isinstance(entry, Command)
    assert (entry.incident, entry.verb, entry.text, entry.via) == ("INC-12", verb, said, "Slack")
    assert (entry.by, entry.who) == (
        "zoe.slack (Slack)", Speaker(vendor="slack", id="U0ZOE", name="zoe.slack")
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", slash.HELP),
        ("help", slash.HELP),
        ("dance INC-12", "Not understood"),
        ("ack INC-12 at once", "Not understood after INC-12"),
        ("ack", "Which incident?"),
        ("status INC-12", "How does it stand?"),
        ("ack INC-99", "There is no INC-99"),
        ("ack 🔥", "Which incident?"),
        ("list", "broken 12"),
    ],
)
def test_what_asks_or_means_nothing_is_answered_and_kept_nowhere(
    reception: Reception, text: str, says: str
) -> None:
    keep_open(reception, 12)
    assert says in command(reception, text).json()["text"]
    assert reception.entries() == []


def test_whoever_writes_hears_how_it_stands(reception: Reception) -> None:
    keep_open(reception, 1, phase=Phase.ACKNOWLEDGED, acknowledged_by="anna")
    keep_open(reception, 2, phase=Phase.RESOLVED, resolved_at=1_764_000_000_000)
    assert "anna has INC-1 already" in command(reception, "ack 1", "t1").json()["text"]
    assert "INC-2 is resolved already" in command(reception, "ack 2", "t2").json()["text"]


def test_the_list_has_the_worst_first_and_mentions_nobody(reception: Reception) -> None:
    assert command(reception, "list").json()["text"] == "Nothing is open."
    keep_open(reception, 1, severity=Severity.SEV3)
    keep_open(reception, 2, severity=Severity.SEV0, title="<!channel> & more")
    keep_open(reception, 3, phase=Phase.RESOLVED)
    first, second = command(reception, "list").json()["text"].split("\n")
    assert first.startswith("INC-2 SEV-0 &lt;!channel&gt; &amp; more, since 2025-11-24T")
    assert second.endswith("nobody has it")
    for number in range(4, 20):
        keep_open(reception, number)
    assert command(reception, "list").json()["text"].endswith("and 8 more: tocsin incidents list")


def test_a_thousand_incidents_are_not_read_for_a_list(reception: Reception) -> None:
    many: dict[Any, Any] = {f"INC-{number}": b"x" for number in range(slash.MOST_READ + 1)}
    reception.redis.hset(reception.keys.state(Table.INCIDENT), mapping=many)
    assert "Too many" in command(reception, "list").json()["text"]


def test_slack_may_look_whether_the_certificate_holds(reception: Reception) -> None:
    assert command(reception, "", ssl_check="1").content == b""


def test_the_stand_in_signs_as_slack_does(reception: Reception) -> None:
    with SlackStandin(receiver=reception.url) as standin:
        status, said = standin.command("U0ANNA", "list")
    assert (status, said["text"]) == (200, "Nothing is open.")
