"""Slack in a bad night: down when the site goes down, back later, and then answered from."""

from collections.abc import Iterator

import pytest
import shipped
from slack_standin import SIGNING_SECRET, TOKEN, SlackStandin
from stage import until
from town import Town, changed, town
from vendor_server import Misbehaviour

pytestmark = [pytest.mark.story, pytest.mark.xdist_group("slack")]

ANNA, BEN = "U0ANNA", "U0BEN"


@pytest.fixture(scope="module")
def slack() -> Iterator[SlackStandin]:
    with SlackStandin() as standin:
        yield standin


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, slack: SlackStandin) -> Iterator[Town]:
    """The shipped policy, with whoever is on call also paged in Slack, before all else and once."""
    files = {name.removeprefix("config/"): text for name, text in shipped.files().items()}
    people = files["oncall.yaml"]
    for name, user in (("anna", ANNA), ("ben", BEN)):
        mail = f"      mail: {{channel: mail, address: {name}@example.com}}\n"
        chat = f'      slack: {{channel: slack, address: "{user}"}}\n'
        people = changed(people, (mail, mail + chat))
    people = people.replace("SEV-0: [phone, sms]", "SEV-0: [slack, phone, sms]", 2)
    config = {
        "oncall.yaml": people,
        "channels.yaml": changed(files["channels.yaml"], ("    attempts: 6 ", "    attempts: 1 ")),
    }
    secrets = {
        "SLACK_BOT_TOKEN": TOKEN,
        "SLACK_BASE_URL": f"{slack.url}/api",
        "SLACK_SIGNING_SECRET": SIGNING_SECRET,
    }
    with town(tmp_path_factory.mktemp("town"), config, **secrets) as made:
        slack.receiver = made.stage.url
        yield made


def by_slack(place: Town, incident: str) -> list[str]:
    """How its messages in Slack fare."""
    return [each["status"] for each in place.shown(incident)["deliveries"] if each["channel"] == "slack"]


def test_the_phone_rings_while_slack_hangs_and_the_room_has_it_all_once_slack_is_back(
    place: Town, slack: SlackStandin
) -> None:
    slack.down = True
    slack.misbehave(Misbehaviour(status=503, delay_s=8, path="/api/"))
    opened = place.stage.tocsin(
        "incidents", "open", "Site is gone", "--severity", "SEV-0", "--service", "elsewhere"
    )
    assert opened.returncode == 0, opened.stderr
    incident = place.incident("elsewhere")
    (call,) = place.until_called(incident)
    assert set(by_slack(place, incident)) <= {"pending", "claimed"}, place.told(incident)
    until(lambda: set(by_slack(place, incident)) == {"failed"}, 30, lambda: place.told(incident))
    assert place.shown(incident)["status"] == "triggered"

    slack.down = False
    assert place.twilio.press(call.sid, "4") == 200
    who = place.until_status(incident, "acknowledged")["acknowledged_by"]
    until(
        lambda: [each for each in slack.channels.values() if each.purpose], 20, lambda: place.told(incident)
    )
    (room,) = [each for each in slack.channels.values() if each.purpose]
    until(lambda: slack.said(room.id) and room.people, 20, lambda: place.told(incident))
    (message,) = slack.said(room.id)
    assert room.purpose == f"Tocsin incident {incident}: Site is gone"
    for part in ("SEV-0 Site is gone", "Since ", "Nothing was tried", f"{who} has it since"):
        assert part in message.shown
    assert {"anna": ANNA, "ben": BEN}[who] in room.people

    assert slack.press(message.ts, "resolve", BEN if who == "anna" else ANNA) == 200
    found = place.until_status(incident, "resolved")
    assert found["resolved_by"] == {"anna": "ben", "ben": "anna"}[who]
    until(lambda: slack.said(room.id)[0].buttons == [], 20, lambda: place.told(incident))
    assert "Resolved by" in slack.said(room.id)[0].shown
    place.until_texted(incident, "Resolved: Site is gone", {call.to})
    assert len(place.calls(incident)) == 1, "an ack and an end ring nobody"


def test_a_command_in_slack_is_of_whoever_wrote_it_and_says_what_is_open(
    place: Town, slack: SlackStandin
) -> None:
    place.alert("commanded")
    incident = place.incident("commanded")
    place.until_called(incident)
    status, said = slack.command("U0ZOE", "list")
    assert (status, incident in said["text"]) == (200, True)
    assert slack.command("U0ZOE", f"ack {incident}")[1]["text"].startswith(f"Noted: ack {incident}")
    assert place.until_status(incident, "acknowledged")["acknowledged_by"] == "zoe.slack (Slack)"
    place.stage.tocsin("incidents", "resolve", incident)
