"""More at once than people and providers take: told together, one after the other, and the worst first.

One town for all of it, with the limits as they ship, but for 25 s that stand for a minute: 200 incidents to one
person, 80 people called for one, and a complete outage in the middle, whose template fails.
"""

import json
import urllib.request
from collections.abc import Iterator

import pytest
import shipped
from stage import until
from town import Town, changed, town
from twilio_standin import Made

from routing.instant import parse_iso

pytestmark = [pytest.mark.story, pytest.mark.timeout(240), pytest.mark.xdist_group("burst")]

LIMITS = "limits: {text: {25s: 1, 15m: 5, 1h: 11, 3h: 21}}\n"
MANY = 200
PEOPLE = 80
PER_S = 5
ONE, CHIEF = "+48502000001", "+48502000002"
CROWD = [f"+48503{number:06d}" for number in range(1, PEOPLE + 1)]
SERVICES = [f"burst-{number}" for number in range(MANY)]

POLICIES = """
  one:
    steps: [{notify: [{contact: one}], wait: 30m}]
  crowd:
    steps: [{notify: [{team: crowd}], wait: 30m}]
  chief:
    steps: [{notify: [{contact: chief}], wait: 30m}]
"""
ROUTES = """  routes:
    - {name: one, match: ['service=~"burst-.*"'], escalation: one, group_wait: 0s, inform: []}
    - {name: crowd, match: ['service="crowd"'], escalation: crowd, group_wait: 0s, inform: []}
    - {name: chief, match: ['kind="SiteDown"'], escalation: chief, inform: []}
"""
FAILS_FOR_ONE_ALERT = "speech: Of every hundred {{ 100 // (incident.alerts - 1) }}.\n"
"""Good with every sample; not for an incident of a single alert."""


def contact(name: str, number: str, method: str) -> str:
    return f"""  {name}:
    title: {name.title()}
    timezone: Europe/Warsaw
    methods:
      phone: {{channel: voice, address: "{number}"}}
      sms: {{channel: sms, address: "{number}"}}
    page: {{default: [{method}]}}
    quiet: [sms]
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    files = {name.removeprefix("config/"): text for name, text in shipped.files().items()}
    crowd = [contact(f"c{number}", address, "phone") for number, address in enumerate(CROWD)]
    people = "".join([contact("one", ONE, "sms"), contact("chief", CHIEF, "phone"), *crowd])
    team = f"teams:\n  crowd: {{contacts: [{', '.join(f'c{number}' for number in range(PEOPLE))}]}}\n"
    config = {
        "escalation.yaml": files["escalation.yaml"].rstrip("\n") + POLICIES,
        "routes.yaml": changed(files["routes.yaml"], ("\n  routes:\n", f"\n{ROUTES}")),
        "oncall.yaml": changed(files["oncall.yaml"], ("contacts:\n", f"contacts:\n{people}")) + team,
        "templates/voice.page.sev-0.yaml": FAILS_FOR_ONE_ALERT,
    }
    room = tmp_path_factory.mktemp("town")
    with town(room, config, limits=LIMITS, TWILIO_CALLS_PER_S=str(PER_S)) as made:
        yield made


def report(place: Town, kind: str, services: list[str]) -> None:
    """Alertmanager reports the same of all of them, in one request."""
    alerts = [
        {
            "status": "firing", "labels": {"alertname": kind, "service": each}, "annotations": {"summary": each},
            "startsAt": "2026-11-24T02:30:00Z", "endsAt": "0001-01-01T00:00:00Z",
        }
        for each in services
    ]  # fmt: skip
    body = {"version": "4", "groupKey": kind, "status": "firing", "receiver": "tocsin", "alerts": alerts}
    headers = {
        "Authorization": f"Bearer {place.stage.env['ALERTMANAGER_TOKEN']}", "Content-Type": "application/json",
    }  # fmt: skip
    asked = urllib.request.Request(  # noqa: S310  # our own address
        f"{place.stage.url}/hooks/alertmanager", json.dumps(body).encode(), headers, method="POST"
    )
    with urllib.request.urlopen(asked, timeout=10) as answer:  # noqa: S310
        assert answer.status == 202


def made_to(place: Town, numbers: list[str]) -> list[Made]:
    return [made for made in place.twilio.made if made.to in numbers]


def called_at(place: Town) -> list[int]:
    return sorted(call.at for call in place.twilio.calls if "/Calls" in call.path)


def test_a_burst_begins(place: Town) -> None:
    """The first of 200 is told at once; what becomes of the others takes its time, in which the rest is tried."""
    report(place, "SomethingOdd", SERVICES)
    until(lambda: made_to(place, [ONE]), 20, place.stage.output)
    assert "SEV-2 burst-" in made_to(place, [ONE])[0].text


def test_a_complete_outage_has_the_next_call_while_80_people_are_called(place: Town) -> None:
    report(place, "AllHands", ["crowd"])
    until(lambda: len(made_to(place, CROWD)) >= PEOPLE // 4, 30, place.stage.output)
    report(place, "SiteDown", ["site"])
    until(lambda: made_to(place, [CHIEF]), 30, place.stage.output)
    before = len(made_to(place, CROWD))
    assert before < PEOPLE * 3 // 4
    incident = place.incident("site")
    (delivery,) = [each for each in place.shown(incident)["deliveries"] if each["contact"] == "chief"]
    (call,) = [each for each in place.twilio.calls if each.form.get("To") == CHIEF]
    assert call.at - parse_iso(delivery["at"]) < 2_000
    until(lambda: len(made_to(place, CROWD)) >= PEOPLE, 60, place.stage.output)
    assert sorted(made.to for made in made_to(place, CROWD)) == CROWD  # each once
    assert not any("repeat" in made.text for made in made_to(place, CROWD))


def test_the_provider_never_got_more_calls_than_it_takes(place: Town) -> None:
    times = called_at(place)
    assert len(times) > PEOPLE
    assert max(sum(at <= each < at + 5_000 for each in times) for at in times) <= 5 * PER_S


def test_a_template_that_fails_in_production_costs_its_words_and_not_the_page(place: Town) -> None:
    (call,) = made_to(place, [CHIEF])
    assert "Severity 0" in call.text
    assert "Of every hundred" not in call.text
    said = place.told(place.incident("site"))
    assert (
        "its plain words were used, for a template failed: config/templates/voice.page.sev-0.yaml:1" in said
    )


def test_of_200_incidents_in_a_minute_one_person_hears_twice_and_nothing_is_missed(place: Town) -> None:
    def pages() -> list[Made]:
        return [made for made in made_to(place, [ONE]) if "resolved" not in made.text]

    until(lambda: len(pages()) >= 2, 90, place.stage.output)
    first, bundle = pages()[:2]
    assert "SEV-2 burst-" in first.text
    assert "199 pages, too many to send one by one" in bundle.text

    def told() -> int:
        rows = place.stage.ask("incidents", "list", "--limit", "500")["incidents"]
        mine = [row["id"] for row in rows if row["service"] in SERVICES]
        assert len(mine) == MANY
        return sum(
            any(
                each["contact"] == "one" and each["status"] in {"sent", "delivered"}
                for each in whole["deliveries"]
            )
            for whole in map(place.shown, mine)
        )

    until(lambda: told() == MANY, 60, place.stage.output)
    assert len({made.status_callback for made in pages()}) == 2  # the second in several parts
