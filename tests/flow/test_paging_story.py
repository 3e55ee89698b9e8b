"""People are really paged: phones ring, texts and mails arrive, and whoever answers stops it for everyone."""

import re
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest
import shipped
from smtp_standin import Mail
from stage import until
from town import PUBLIC, Town, changed, town
from twilio_standin import Made
from vendor_server import Misbehaviour

from ledger import links, log
from ledger.clock import now_ms
from routing.entry import Delivered, Lane, decode_entry

pytestmark = [pytest.mark.story, pytest.mark.xdist_group("paging")]

COMMANDER, CTO, HASTY = "+48500000003", "+48500000004", "+48500000009"

LADDER = """
  ladder:
    steps:
      - {notify: [{schedule: primary}], wait: 1s}
      - {notify: [{schedule: secondary}], wait: 1s}
      - {notify: [{contact: commander}], wait: 1s}
    repeat: 1
  hasty:
    steps:
      - {notify: [{contact: hasty}], wait: 5m}
  engaged:
    steps:
      - {notify: [{contact: hasty}], wait: 5m}
      - {notify: [{contact: commander}], wait: 5m}
"""
ROUTES = """  routes:
    - {name: ladder, match: ['service="ladder"'], escalation: ladder}
    - {name: hasty, match: ['service="hasty"'], escalation: hasty}
    - {name: engaged, match: ['service=~"engaged|answering"'], escalation: engaged}
"""
HASTY_CONTACT = f"""contacts:
  hasty:
    title: Hasty
    timezone: Europe/Warsaw
    methods:
      phone: {{channel: hasty, address: "{HASTY}"}}
      sms: {{channel: sms, address: "{HASTY}"}}
    page: {{default: [phone]}}
    quiet: [sms]
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """The shipped policy, a ladder of seconds, and somebody whose channel waits for one second only.

    Each test's outage is a service of its own, and a failed build the effect of none of them.
    """
    files = {name.removeprefix("config/"): text for name, text in shipped.files().items()}
    voice = files["channels.yaml"].partition("  voice:\n")[2].partition("  sms:\n")[0]
    config = {
        "escalation.yaml": files["escalation.yaml"].rstrip("\n") + LADDER,
        "routes.yaml": changed(files["routes.yaml"], ("\n  routes:\n", f"\n{ROUTES}")),
        "oncall.yaml": changed(files["oncall.yaml"], ("contacts:\n", HASTY_CONTACT)),
        "channels.yaml": changed(
            files["channels.yaml"],
            ("channels:\n", "channels:\n  hasty:\n" + changed(voice, ("timeout: 10s", "timeout: 1s"))),
        ),
        "services.yaml": changed(
            files["services.yaml"], ("    depends_on: [hosting, booking, checkout]\n", "")
        ),
        "tocsin.yaml": changed(
            files["tocsin.yaml"], ("every: 10m", "every: 2s"), ("respond: 15m", "respond: 2s")
        ),
    }
    with town(tmp_path_factory.mktemp("town"), config) as made:
        yield made


def test_key_5_calls_the_next_person_whose_text_stills_the_ringing_phone_and_both_are_told(
    place: Town,
) -> None:
    place.alert("checkout")
    incident = place.incident("checkout")
    (first,) = place.until_called(incident)
    assert "Severity 1" in first.text
    assert place.twilio.press(first.sid, "5") == 200
    second = place.until_called(incident, 2)[1]
    assert second.to != first.to
    assert place.shown(incident)["status"] == "triggered"
    assert place.twilio.write_back(f"{PUBLIC}/callbacks/twilio/sms", second.to, "ack") == 200
    found = place.until_status(incident, "acknowledged")
    assert found["acknowledged_by"] == found["paged"][1]
    place.until_texted(incident, f"{found['acknowledged_by']} acknowledged", {first.to, second.to})
    until(lambda: place.twilio.states.get(second.sid) == "canceled", 20, lambda: place.told(incident))
    assert len(place.calls(incident)) == 2, "an ack rings nobody"
    assert "failed for good" not in place.told(incident)


@pytest.mark.parametrize(("service", "error"), [("engaged", "busy"), ("answering", "machine")])
def test_a_phone_that_reaches_nobody_then_a_text_that_does_not_arrive_and_the_next_person_is_called_at_once(
    place: Town, service: str, error: str
) -> None:
    place.alert(service)
    incident = place.incident(service)
    (call,) = place.until_called(incident)
    for _ in range(2):
        if error == "busy":
            assert place.twilio.report(call.sid, "busy") == 200
        else:
            assert place.twilio.report(call.sid, "in-progress") == 200
            assert place.twilio.detect(call.sid, "machine_start") == 200

    def texts() -> list[Made]:
        """Those that ask for an answer: what is only told may come before."""
        return [
            each for each in place.texts(incident) if each.to == call.to == HASTY and "Reply ack" in each.text
        ]

    until(texts, 20, lambda: place.told(incident))
    (text,) = texts()
    assert place.twilio.report(text.sid, "undelivered", ErrorCode="30003") == 200
    assert place.until_called(incident, 2)[1].to == COMMANDER
    failed = {each["channel"]: each["error"] for each in place.shown(incident)["deliveries"] if each["error"]}
    assert failed == {"hasty": error, "sms": "undelivered 30003: the phone is off or out of reach"}


def test_a_text_may_name_the_incident_and_only_a_signed_one_counts(place: Town) -> None:
    place.alert("shop")
    incident = place.incident("shop")
    (call,) = place.until_called(incident)
    number = incident.removeprefix("INC-")
    url = f"{PUBLIC}/callbacks/twilio/sms"
    right, place.twilio.auth_token = place.twilio.auth_token, "somebody else's"
    try:
        assert place.twilio.write_back(url, call.to, f"{number}r") == 401
        assert place.twilio.press(call.sid, "6") == 401
    finally:
        place.twilio.auth_token = right
    assert place.twilio.write_back(url, call.to, f"{number}a") == 200
    found = place.until_status(incident, "acknowledged")
    assert "via SMS" in place.told(incident)
    assert [found["acknowledged_by"]] == found["paged"]


def test_key_6_resolves_and_whoever_was_paged_is_told_without_ringing(place: Town) -> None:
    place.alert("booking")
    incident = place.incident("booking")
    (call,) = place.until_called(incident)
    assert place.twilio.press(call.sid, "6") == 200
    assert place.until_status(incident, "resolved")["resolved_by"] == place.shown(incident)["paged"][0]
    place.until_texted(incident, "Resolved", {call.to})
    assert len(place.calls(incident)) == 1


def test_nobody_answers_so_it_goes_up_the_ladder_twice_and_then_to_the_last_resort_again_and_again(
    place: Town,
) -> None:
    place.alert("ladder")
    incident = place.incident("ladder")
    rang = [call.to for call in place.until_called(incident, 8, within_s=60)]
    primary, secondary = rang[:2]
    assert len({primary, secondary, COMMANDER, CTO}) == 4
    once = [primary, secondary, COMMANDER]
    assert rang[:8] == [*once, *once, CTO, CTO]
    assert place.twilio.press(place.calls(incident)[-1].sid, "4") == 200
    found = place.until_status(incident, "acknowledged")
    assert found["acknowledged_by"] == "cto"
    place.until_texted(incident, "cto acknowledged", {*once, CTO})
    again = "page again if it is still open"  # once the runbook has found that nothing answers
    until(lambda: place.shown(incident)["next_action"]["what"] == again, 30, lambda: place.told(incident))


def mail_of(place: Town, incident: str) -> Mail:
    def found() -> list[Mail]:
        return [mail for mail in place.mail.mails if mail.message["X-Tocsin-Incident"] == incident]

    until(found, 20, place.stage.output)
    (mail,) = found()
    return mail


def open_link(place: Town, path: str, method: str) -> tuple[int, str]:
    request = urllib.request.Request(place.stage.url + path, method=method)  # noqa: S310  # our own address
    try:
        with urllib.request.urlopen(request) as answer:  # noqa: S310
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_the_link_in_a_mail_shows_what_it_would_do_and_only_its_button_acknowledges(place: Town) -> None:
    place.alert("search", "SearchSlow", "--set", "alerts.0.labels.severity=warning")
    incident = place.incident("search")
    mail = mail_of(place, incident)
    (link,) = set(re.findall(rf"{PUBLIC}/a/[\w.-]+", mail.part("plain")))
    assert f'href="{link}"' in mail.part("html")
    assert incident in str(mail.message["Subject"])
    path = link.removeprefix(PUBLIC)
    delivery = path.removeprefix("/a/").partition(".")[0]
    secret = place.stage.env["TOCSIN_LINK_SECRET"]
    expired = f"/a/{links.make(secret, delivery, now_ms() - 1)}"
    tampered = path.replace(delivery, delivery.rpartition("-d")[0] + "-d99")
    before = place.shown(incident)["timeline"]
    for bad, said in (
        (expired, "expired"),
        (tampered, "signature is wrong"),
        (path[:-1], "signature is wrong"),
    ):
        for method in ("GET", "POST"):
            status, page = open_link(place, bad, method)
            assert (status, said in page) == (401, True)
    for _ in range(2):
        status, page = open_link(place, path, "GET")
        assert (status, "Acknowledge: it is mine" in page) == (200, True)
    status, page = open_link(place, path, "POST")
    assert (status, "Acknowledged" in page) == (200, True)
    found = place.until_status(incident, "acknowledged")
    assert found["timeline"][: len(before)] == before
    assert [one["what"] for one in found["timeline"] if "acknowledged by" in one["what"]] == [
        f"acknowledged by {found['paged'][0]} via a link"
    ]


def test_a_failed_build_goes_to_the_teams_mail_and_nothing_is_rolled_back(place: Town) -> None:
    place.stage.send("vercel", "deployment.error")
    incident = place.incident("site")
    mail = mail_of(place, incident)
    assert mail.recipients == ["platform@example.com"]
    assert "SEV-3" in str(mail.message["Subject"])
    found = place.shown(incident)
    assert (found["severity"], found["runs"]) == ("SEV-3", [])
    until(lambda: place.shown(incident)["deliveries"][0]["status"] == "sent", 20, place.stage.output)
    assert "250 OK queued as" in place.shown(incident)["deliveries"][0]["answer"]
    assert place.vercel.changes == []
    assert place.calls(incident) == place.texts(incident) == []


def test_an_answer_after_the_channels_time_is_a_repeat_that_says_so(place: Town) -> None:
    place.twilio.misbehave(Misbehaviour(path="Calls", delay_s=30))
    place.alert("hasty")
    incident = place.incident("hasty")
    first, second = place.until_called(incident, 2, within_s=40)
    assert first.to == second.to == HASTY
    assert "may be a repeat" in second.text
    assert "may be a repeat" not in first.text
    assert place.twilio.press(first.sid, "4") == 200
    place.until_status(incident, "acknowledged")
    (page,) = [each for each in place.shown(incident)["deliveries"] if each["kind"] == "page"]
    assert (page["attempts"], page["repeat"]) == (2, True)


def test_what_is_told_twice_happens_once(place: Town) -> None:
    place.twilio.misbehave(Misbehaviour(path="Calls", twice=True))
    place.alert("twice")
    incident = place.incident("twice")
    (call,) = place.until_called(incident)
    until(lambda: call.sid in place.told(incident), 20, place.stage.output)
    redis, keys = place.stage.redis, place.stage.keys
    entries = [
        decode_entry(raw) for _, raw in log.read(redis, keys, {Lane.CONTROL: "0-0"}, 10_000, 0)[Lane.CONTROL]
    ]
    (answer,) = [each for each in entries if isinstance(each, Delivered) and each.provider_id == call.sid]
    log.append(redis, keys, Lane.CONTROL, answer)
    for _ in range(2):
        assert place.twilio.report(call.sid, "answered") == 200
        assert place.twilio.press(call.sid, "4") == 200
    found = place.until_status(incident, "acknowledged")
    place.until_texted(incident, f"{found['acknowledged_by']} acknowledged", {call.to})
    lines = place.told(incident)
    assert lines.count(f"accepted as {call.sid}") == 1
    assert lines.count(f"acknowledged by {found['acknowledged_by']} via") == 1
    assert len(place.calls(incident)) == 1


def test_a_key_pressed_before_our_own_record_of_the_call_counts(place: Town) -> None:
    pressed: list[int] = []
    place.twilio.report_first = "in-progress"
    place.twilio.on_made = lambda made: (
        pressed.append(place.twilio.press(made.sid, "4")) if made.resource == "Calls" else None
    )
    try:
        place.alert("early")
        incident = place.incident("early")
        (call,) = place.until_called(incident)
        found = place.until_status(incident, "acknowledged")
    finally:
        place.twilio.on_made, place.twilio.report_first = (lambda _: None), ""
    assert pressed == [200]
    assert [found["acknowledged_by"]] == found["paged"]
    place.until_texted(incident, f"{found['acknowledged_by']} acknowledged", {call.to})

    def page() -> dict[str, str]:
        return next(each for each in place.shown(incident)["deliveries"] if each["channel"] == "voice")

    until(lambda: page()["provider_id"] == call.sid and page()["answer"], 20, lambda: str(page()))
    assert page()["status"] == "answered"
    assert len(place.calls(incident)) == 1
