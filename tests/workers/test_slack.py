"""Slack: messages that show how the incident is, threads, a room for each incident, and what each refusal means."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from notices import HOSTILE, notice
from refusing import every_refusal
from slack_standin import TOKEN, SlackStandin, wrong
from small_policy import POLICY, START
from vendor_server import Misbehaviour

from routing.course import Course, Passage
from routing.delivery import Message, Purpose
from routing.entry import Outcome
from routing.errors import DeliveryError
from routing.incident import Incident, Phase
from routing.instant import MINUTE
from routing.ports import Notification, Sent
from routing.severity import Severity
from workers.channels import slack

OPEN = Incident(
    id="INC-1", number=1, title="Site is down", severity=Severity.SEV0, phase=Phase.TRIGGERED, group="g",
    opened_at=START, changed_at=START, summary="All checks fail", service="site", respond_by=START + 5 * MINUTE,
    alerts=1, events=1, firing=1, tried="rollback, site still down.",
)  # fmt: skip
TAKEN = msgspec.structs.replace(
    OPEN, phase=Phase.ACKNOWLEDGED, acknowledged_by="anna", acknowledged_at=START + MINUTE
)
ENDED = msgspec.structs.replace(
    TAKEN, phase=Phase.RESOLVED, resolved_by="anna", resolved_at=START + 12 * MINUTE
)
CLOSED = msgspec.structs.replace(ENDED, course=Course(passage=Passage.CLOSED, since_at=START))
UPDATE = {
    "purpose": Purpose.UPDATE,
    "ack_url": "",
    "message": Message(title="[INC-1] anna acknowledged Site is down", body="anna acknowledged Site is down"),
}
ANNA = "U0ANNA"
ROOM = "#incident-{date}"


@pytest.fixture
def standin() -> Iterator[SlackStandin]:
    with SlackStandin() as server:
        yield server


def tell(standin: SlackStandin, notification: Notification, **changes: Any) -> Sent:
    return slack.send(notification, slack.Settings(**standin.settings(**changes)), 2.0)


def page(**changes: Any) -> Notification:
    return notice(**{"to": ANNA, "standing": OPEN, "person": POLICY.contacts["anna"], **changes})


def refused(standin: SlackStandin, notification: Notification | None = None, **changes: Any) -> DeliveryError:
    with pytest.raises(DeliveryError) as failed:
        tell(standin, notification or page(), **changes)
    return failed.value


def test_a_page_says_what_how_bad_since_when_what_was_tried_and_what_can_be_done(
    standin: SlackStandin,
) -> None:
    sent = tell(standin, page())
    (message,) = standin.said(ANNA)
    assert sent.provider_id == f"{message.channel}:{message.ts}"
    assert message.blocks[0]["text"]["text"] == "[INC-1] SEV-0 Site is down"
    assert "Nobody has it. Respond by Mon 24 Nov 17:05 CET." in message.shown
    assert "All checks fail.\nTried: rollback, site still down." in message.shown
    assert message.buttons == ["ack", "resolve", "escalate"]
    assert {message.button(each)["value"] for each in message.buttons} == {"INC-1-d1"}
    assert message.text.startswith("[INC-1] SEV-0 Site is down\nAll checks fail.")


def test_what_follows_changes_the_first_message_and_is_said_in_its_thread(standin: SlackStandin) -> None:
    first = tell(standin, page(to="#incidents"))
    told = tell(
        standin,
        page(to="#incidents", thread=first.provider_id, standing=TAKEN, delivery="INC-1-d2", **UPDATE),
    )
    shown, reply = standin.said("incidents")
    assert "anna has it since Mon 24 Nov 17:01 CET." in shown.shown
    assert "Tried: rollback, site still down." in shown.shown
    assert (shown.buttons, shown.edits) == (["resolve", "escalate"], 1)
    assert (reply.thread_ts, reply.buttons, reply.broadcast) == (shown.ts, [], False)
    assert "anna acknowledged Site is down" in reply.shown
    assert (told.provider_id, told.thread) == (f"{reply.channel}:{reply.ts}", "")


def test_an_end_takes_the_buttons_away(standin: SlackStandin) -> None:
    first = tell(standin, page())
    tell(standin, page(thread=first.provider_id, standing=ENDED, **UPDATE))
    assert standin.said(ANNA)[0].buttons == []
    assert "Resolved by anna, Mon 24 Nov 17:12 CET, after 12 min." in standin.said(ANNA)[0].shown


def test_a_further_page_rings_in_the_channel_and_has_buttons(standin: SlackStandin) -> None:
    first = tell(standin, page(to="#incidents"))
    tell(standin, page(to="#incidents", thread=first.provider_id, delivery="INC-1-d4"))
    reply = standin.said("incidents")[1]
    assert (reply.broadcast, reply.button("ack")["value"]) == (True, "INC-1-d4")


def test_a_further_page_is_said_though_the_first_cannot_be_changed(standin: SlackStandin) -> None:
    first = tell(standin, page())
    standin.misbehave(Misbehaviour(status=503, path="chat.update"))
    assert tell(standin, page(thread=first.provider_id)).provider_id
    assert len(standin.said(ANNA)) == 2


def test_news_is_not_said_twice_when_the_first_cannot_be_changed_for_now(standin: SlackStandin) -> None:
    """It is tried again as a whole, so nothing may have been said."""
    first = tell(standin, page())
    standin.misbehave(Misbehaviour(status=503, path="chat.update"))
    assert (
        refused(standin, page(thread=first.provider_id, standing=TAKEN, **UPDATE)).outcome
        is Outcome.TEMPORARY
    )
    assert len(standin.said(ANNA)) == 1


@pytest.mark.parametrize("word", ["edit_window_closed", "cant_update_message", "message_not_found"])
def test_what_cannot_be_changed_any_more_keeps_no_news_back(standin: SlackStandin, word: str) -> None:
    first = tell(standin, page())
    standin.refuse("chat.update", word)
    tell(standin, page(thread=first.provider_id, standing=TAKEN, **UPDATE))
    assert len(standin.said(ANNA)) == 2


def test_a_thread_that_is_gone_is_opened_anew_and_named(standin: SlackStandin) -> None:
    tell(standin, page(to="#incidents"))
    told = tell(standin, page(to="#incidents", thread="C0001:99.000001", standing=TAKEN, **UPDATE))
    again = standin.said("incidents")[-1]
    assert (again.thread_ts, told.thread) == ("", f"{again.channel}:{again.ts}")


def test_the_thread_of_a_sandbox_is_none(standin: SlackStandin) -> None:
    told = tell(standin, page(thread="sandbox 3", standing=TAKEN, **UPDATE))
    assert (standin.said(ANNA)[0].thread_ts, told.thread) == ("", "")


def test_what_is_only_told_first_also_says_what_it_is_about(standin: SlackStandin) -> None:
    tell(standin, page(to="#incidents", standing=TAKEN, **UPDATE))
    (message,) = standin.said("incidents")
    assert message.blocks[0]["text"]["text"] == "[INC-1] SEV-0 Site is down"
    for part in ("anna acknowledged", "All checks fail", "Since Mon 24 Nov 17:00 CET", "anna has it since"):
        assert part in message.shown
    assert message.buttons == ["resolve", "escalate"]


def test_an_approval_is_asked_with_two_buttons(standin: SlackStandin) -> None:
    asks = Message(
        title="[INC-1] Approve roll back?", body="Approve roll back?\nIt would do: vercel.rollback."
    )
    tell(standin, page(purpose=Purpose.APPROVAL, message=asks, run="INC-1-r1"))
    (message,) = standin.said(ANNA)
    assert message.buttons == ["approve", "deny"]
    assert "It would do: vercel.rollback." in message.shown


def test_without_a_way_back_there_is_the_link(standin: SlackStandin) -> None:
    for changes in ({"callback_url": ""}, {}):
        settings = {} if changes else {"buttons": False}
        tell(standin, page(**changes), **settings)
        message = standin.said(ANNA)[-1]
        assert message.buttons == ["open"]
        assert message.button("open")["url"] == "https://tocsin.example/a/token"


def test_a_bundle_shows_no_incident_as_it_is(standin: SlackStandin) -> None:
    bundle = Message(title="[INC-1 and 2 more] 3 pages, the worst SEV-0", body="3 pages\nINC-1\nINC-2\nINC-3")
    tell(standin, page(together=True, message=bundle))
    assert "Nobody has it" not in standin.said(ANNA)[0].shown
    assert standin.said(ANNA)[0].buttons == ["ack", "resolve", "escalate"]


def test_a_repeat_says_so(standin: SlackStandin) -> None:
    tell(standin, page(repeat=True))
    assert "This may be a repeat" in standin.said(ANNA)[0].shown


def test_what_an_alert_wrote_is_no_markup_and_calls_nobody(standin: SlackStandin) -> None:
    evil = f"<!channel> <@U0ANNA> <https://evil.example|click> *bold* {HOSTILE}"
    bad = msgspec.structs.replace(OPEN, title=evil, summary=evil, tried=evil, service=evil)
    tell(standin, page(message=Message(title=evil, body=f"{evil}\n{evil}"), standing=bad))
    tell(standin, page(to=ROOM, message=Message(title=evil, body=evil), standing=bad))
    for message in standin.messages:
        kinds = {each["type"] for block in message.blocks for each in _inner(block)}
        assert kinds <= {"plain_text", "button"}
        assert "<" not in message.text
        assert not {"\x00", "\x1b", "\u202e"} & set(message.shown + message.text)


def _inner(block: dict[str, Any]) -> list[dict[str, Any]]:
    own = [block["text"]] if "text" in block else []
    return [*own, *block.get("elements", ())]


@given(
    title=st.text(max_size=400),
    body=st.text(max_size=9000),
    delivery=st.from_regex(r"INC-\d{1,9}-d\d{1,4}", fullmatch=True),
)
def test_any_text_gives_what_slack_takes(title: str, body: str, delivery: str) -> None:
    notification = page(message=Message(title=title, body=body * 3), delivery=delivery)
    settings = slack.Settings(token="xoxb-1")
    for changes in ({}, {"purpose": Purpose.UPDATE}, {"thread": "C1:1.2", "purpose": Purpose.UPDATE}):
        fields = slack.preview(replace(notification, **changes), settings)
        assert _wrong_of(fields) == ""


def _wrong_of(fields: dict[str, str]) -> str:
    return wrong({"text": fields["text"], "blocks": json.loads(fields["blocks"])}, 4000)


def test_long_texts_are_cut_and_the_buttons_stay(standin: SlackStandin) -> None:
    long = Message(title="[INC-1] SEV-0 " + "down " * 200, body="line\n" + "<word> " * 5000)
    tell(standin, page(message=long))
    (message,) = standin.said(ANNA)
    assert "…" in message.shown
    assert message.buttons == ["ack", "resolve", "escalate"]


# ── a room for each incident ─────────────────────────────────────────────────────────────────────────


def test_an_incident_gets_a_channel_of_its_own_with_whoever_it_involves(standin: SlackStandin) -> None:
    told = tell(standin, page(to=ROOM, involved=(ANNA, "#incidents")), invite=["U0ZOE", "U0GONE"])
    room = standin.of("incident-2025-11-24")
    (message,) = standin.said(room.id)
    assert room.purpose == "Tocsin incident INC-1: Site is down"
    assert (room.topic, room.pins) == (room.purpose, [message.ts])
    assert room.people == ["U0ZOE", ANNA]
    assert told.provider_id == f"{room.id}:{message.ts}"


def test_the_second_incident_of_a_day_gets_a_number(standin: SlackStandin) -> None:
    tell(standin, page(to=ROOM))
    for number in (2, 3):
        other = msgspec.structs.replace(OPEN, id=f"INC-{number}", number=number)
        tell(standin, page(to=ROOM, incident=f"INC-{number}", standing=other))
    assert standin.of("incident-2025-11-24-2").purpose == "Tocsin incident INC-2: Site is down"
    assert standin.of("incident-2025-11-24-3").purpose == "Tocsin incident INC-3: Site is down"


def test_a_room_that_was_made_before_a_crash_is_found_again(standin: SlackStandin) -> None:
    """The channel was made, the message was not said: by its purpose it is ours, on whatever page of the list."""
    standin.page = 2
    for name in ("one", "two", "incident-2025-11-24", "three"):
        standin.add(name)
    ours = standin.add("incident-2025-11-24-2", purpose="Tocsin incident INC-1: Site is down")
    for attempt in (1, 2):
        tell(standin, page(to=ROOM, attempt=attempt))
    assert len(standin.said(ours.id)) == 2
    assert not [each for each in standin.channels.values() if each.name.endswith("-3")]


def test_where_it_may_not_look_it_takes_the_next_name(standin: SlackStandin) -> None:
    standin.scopes.discard("channels:read")
    standin.add("incident-2025-11-24", purpose="Tocsin incident INC-1: Site is down")
    told = tell(standin, page(to=ROOM))
    assert told.provider_id.startswith(standin.of("incident-2025-11-24-2").id)


def test_news_is_said_in_the_room_itself_and_whoever_has_joined_is_invited(standin: SlackStandin) -> None:
    first = tell(standin, page(to=ROOM))
    tell(standin, page(to=ROOM, thread=first.provider_id, standing=TAKEN, involved=("U0BEN",), **UPDATE))
    room = standin.of("incident-2025-11-24")
    assert [each.thread_ts for each in standin.said(room.id)] == ["", ""]
    assert (standin.said(room.id)[0].edits, room.people) == (1, ["U0BEN"])


@pytest.mark.parametrize("archive", [True, False])
def test_a_room_is_closed_when_the_process_is_over_and_so_configured(
    standin: SlackStandin, archive: bool
) -> None:
    first = tell(standin, page(to=ROOM), archive=archive)
    room = standin.of("incident-2025-11-24")
    tell(standin, page(to=ROOM, thread=first.provider_id, standing=ENDED, **UPDATE), archive=archive)
    assert not room.archived
    tell(standin, page(to=ROOM, thread=first.provider_id, standing=CLOSED, **UPDATE), archive=archive)
    assert (room.archived, len(standin.said(room.id))) == (archive, 3)


def test_what_comes_back_after_the_room_was_archived_gets_a_new_one(standin: SlackStandin) -> None:
    first = tell(standin, page(to=ROOM))
    standin.of("incident-2025-11-24").archived = True
    told = tell(standin, page(to=ROOM, thread=first.provider_id, **UPDATE))
    new = standin.of("incident-2025-11-24-2")
    assert told.thread.startswith(f"{new.id}:")
    assert new.purpose == "Tocsin incident INC-1: Site is down"


@pytest.mark.parametrize(
    "method", ["conversations.setPurpose", "conversations.invite", "pins.add", "conversations.setTopic"]
)
def test_what_is_only_nice_to_have_keeps_nothing_back(standin: SlackStandin, method: str) -> None:
    standin.refuse(method, "restricted_action")
    assert tell(standin, page(to=ROOM, involved=(ANNA,))).provider_id


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("#INC!{incident}!{service}", "inc-inc-1-site"),
        ("#{severity}_{date}", "sev-0_2025-11-24"),
        ("#" + "long-" * 30 + "{date}", ("long-" * 16)[:80]),
    ],
)
def test_names_are_such_as_slack_takes(standin: SlackStandin, pattern: str, name: str) -> None:
    tell(standin, page(to=pattern))
    assert standin.of(name).people == []


# ── refusals ─────────────────────────────────────────────────────────────────────────────────────────

WORDS = [
    ("invalid_auth", Outcome.PERMANENT, "check token"),
    ("not_authed", Outcome.PERMANENT, "check token"),
    ("token_revoked", Outcome.PERMANENT, "install the app again"),
    ("account_inactive", Outcome.PERMANENT, "install the app again"),
    ("missing_scope", Outcome.PERMANENT, "add the scope"),
    ("channel_not_found", Outcome.PERMANENT, "invite the app"),
    ("not_in_channel", Outcome.PERMANENT, "/invite"),
    ("is_archived", Outcome.PERMANENT, "name another"),
    ("msg_too_long", Outcome.PERMANENT, "report it"),
    ("invalid_blocks", Outcome.PERMANENT, "report it"),
    ("restricted_action", Outcome.PERMANENT, "ask its owner"),
    ("a_word_of_next_year", Outcome.PERMANENT, "a_word_of_next_year"),
    ("ratelimited", Outcome.TEMPORARY, "ratelimited"),
    ("service_unavailable", Outcome.TEMPORARY, "service_unavailable"),
    ("request_timeout", Outcome.TEMPORARY, "request_timeout"),
    ("internal_error", Outcome.UNKNOWN, "internal_error"),
    ("fatal_error", Outcome.UNKNOWN, "fatal_error"),
]


@pytest.mark.parametrize(("word", "outcome", "says"), WORDS, ids=[word for word, _, _ in WORDS])
def test_each_word_of_a_refusal_has_its_class_and_advice(
    standin: SlackStandin, word: str, outcome: Outcome, says: str
) -> None:
    standin.refuse("chat.postMessage", word)
    error = refused(standin)
    assert (error.outcome, error.answer) == (outcome, f"200 {word}")
    assert says in str(error)
    assert TOKEN not in str(error)


@every_refusal(not_ok=Outcome.PERMANENT)
def test_each_refusal_has_its_class(standin: SlackStandin, how: Misbehaviour, outcome: Outcome) -> None:
    standin.misbehave(how)
    assert refused(standin).outcome is outcome


def test_silence_is_not_known_to_be_a_refusal(standin: SlackStandin) -> None:
    standin.misbehave(Misbehaviour(delay_s=2))
    with pytest.raises(DeliveryError) as failed:
        slack.send(page(), slack.Settings(**standin.settings()), 0.2)
    assert failed.value.outcome is Outcome.UNKNOWN


def test_asked_too_often_waits_as_long_as_slack_says(standin: SlackStandin) -> None:
    standin.misbehave(Misbehaviour(status=429, retry_after="30"))
    error = refused(standin)
    assert (error.outcome, error.retry_after_ms, error.answer) == (
        Outcome.TEMPORARY,
        30_000,
        "429 ratelimited",
    )


def test_a_wrong_token_and_a_missing_scope_are_said(standin: SlackStandin) -> None:
    assert "check token" in str(refused(standin, token="xoxb-wrong"))
    standin.scopes.discard("chat:write")
    assert "missing_scope (chat:write)" in str(refused(standin))


@pytest.mark.parametrize("address", ["anna", "+48500100200", "#", "u0anna", "a@example.com", "#two words"])
def test_an_address_that_is_none_is_said(standin: SlackStandin, address: str) -> None:
    error = refused(standin, page(to=address))
    assert (error.outcome, standin.calls) == (Outcome.PERMANENT, [])
    assert "write the id" in str(error)


def test_a_name_that_is_taken_thirty_times_is_said(standin: SlackStandin) -> None:
    standin.add("incident-2025-11-24")
    for number in range(2, 31):
        standin.add(f"incident-2025-11-24-{number}")
    assert "30 channels are called" in str(refused(standin, page(to=ROOM)))


def test_a_preview_shows_what_would_be_said_and_no_token() -> None:
    settings = slack.Settings(token="xoxb-secret")
    fields = slack.preview(page(), settings)
    assert (fields["channel"], "[INC-1]" in fields["text"]) == (ANNA, True)
    assert "xoxb-secret" not in json.dumps(fields)
    assert "thread_ts" in slack.preview(page(thread="sandbox 1", **UPDATE), settings)
