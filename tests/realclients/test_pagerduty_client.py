"""PagerDuty's own Python client, given our address instead of theirs, and nothing else changed."""

import ssl
from collections.abc import Iterator

import pytest
from certificate import certificate
from front_doors import ROUTING_KEY, Doors, open_doors
from pagerduty import EventsApiV2Client, HttpError

from ledger.connection import connect
from ledger.server import EmbeddedServer
from ledger.settings import LedgerSettings
from routing.entry import Command, Verb
from routing.incident import Phase
from routing.instant import MINUTE, iso

pytestmark = pytest.mark.xdist_group("doors")


@pytest.fixture(scope="module")
def trusted(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The file of the certificate that the receiver shows: this client does not speak without TLS."""
    return certificate(tmp_path_factory.mktemp("tls"))[0]


@pytest.fixture(scope="module")
def doors(server: EmbeddedServer, trusted: str) -> Iterator[Doors]:
    with connect(LedgerSettings(redis_url=server.url)) as redis:
        redis.flushall()
        with open_doors(redis, server.url, certificate=trusted) as found:
            yield found


@pytest.fixture(scope="module")
def client(doors: Doors, trusted: str) -> Iterator[EventsApiV2Client]:
    with pointed_at(doors, trusted) as found:
        yield found


def pointed_at(doors: Doors, trusted: str, key: str = ROUTING_KEY) -> EventsApiV2Client:
    """Proxies of the environment are nobody's business here; all else is as it comes."""
    context = ssl.create_default_context(cafile=trusted)
    return EventsApiV2Client(key, base_url=doors.url, trust_env=False, verify=context)


def test_it_triggers_acknowledges_and_resolves(doors: Doors, client: EventsApiV2Client) -> None:
    key = client.trigger("The queue is stuck", "worker-3", severity="error", custom_details={"waiting": 900})
    opened = doors.incident("The queue is stuck")
    assert (opened.phase, str(opened.severity)) == (Phase.TRIGGERED, "SEV-2")
    assert (opened.team, opened.labels["origin"]) == ("platform", "worker-3")
    assert client.acknowledge(key) == key
    taken = doors.incident("The queue is stuck")
    assert (taken.phase, taken.acknowledged_by) == (Phase.ACKNOWLEDGED, "source pages")
    assert client.resolve(key) == key
    assert doors.incident("The queue is stuck").phase is Phase.RESOLVED


def test_a_trigger_after_its_resolve_is_a_new_alert(doors: Doors, client: EventsApiV2Client) -> None:
    for phase in (Phase.TRIGGERED, Phase.RESOLVED, Phase.TRIGGERED):
        if phase is Phase.TRIGGERED:
            client.trigger("It comes and goes", "db1", dedup_key="comes-and-goes")
        else:
            client.resolve("comes-and-goes")
        assert doors.incident("It comes and goes").phase is phase


def test_a_trigger_after_a_person_closed_it_here_is_new_at_once(
    doors: Doors, client: EventsApiV2Client
) -> None:
    """It says nothing of when it began, so it could be taken for what was closed."""
    client.trigger("Closed by hand", "mail-1", dedup_key="by-hand")
    name = doors.incident("Closed by hand").id
    now = doors.reception.site.now()
    doors.append(Command(at=now, incident=name, verb=Verb.RESOLVE, by="anna"))
    assert doors.incident("Closed by hand").phase is Phase.RESOLVED
    client.trigger("Closed by hand", "mail-1", dedup_key="by-hand")
    assert doors.incident("Closed by hand").phase is Phase.TRIGGERED


def test_an_acknowledgement_right_after_its_trigger_is_not_lost(
    doors: Doors, client: EventsApiV2Client
) -> None:
    """It travels ahead: when the two are decided together, it comes first."""
    client.acknowledge(client.trigger("In haste", "web-1"))
    assert doors.incident("In haste").phase is Phase.ACKNOWLEDGED


def test_a_change_it_submits_is_the_suspect_of_what_breaks_next(
    doors: Doors, client: EventsApiV2Client
) -> None:
    """`submit` without a time fails in this release of the client, before it sends anything."""
    at = iso(doors.reception.site.now() - MINUTE)
    client.submit("Build 42", source="builds", timestamp=at, links=[{"href": "https://builds.example/42"}])
    client.trigger("Wrong prices", "shop", severity="warning")
    suspect = doors.incident("Wrong prices").suspect
    assert suspect is not None
    assert (suspect.change, iso(suspect.at), suspect.link) == ("Build 42", at, "https://builds.example/42")


def test_with_a_wrong_key_or_a_wrong_event_it_is_told_so(
    doors: Doors, client: EventsApiV2Client, trusted: str
) -> None:
    with pointed_at(doors, trusted, "f" * 32) as stranger, pytest.raises(HttpError) as refused:
        stranger.trigger("Let me in", "nowhere")
    assert "400" in str(refused.value)
    with pytest.raises(HttpError) as invalid:
        client.trigger("x", "y", severity="terrible")
    assert invalid.value.response is not None
    assert "'payload.severity' is invalid" in invalid.value.response.text
