"""Links that acknowledge, and the scanners that follow them."""

import pytest
from reception import Reception

from ledger import links
from ledger.clock import now_ms
from routing.decision import Table
from routing.delivery import Delivery, Message, Progress, Purpose
from routing.entry import Answer, Lane
from routing.errors import BadSignature
from routing.incident import Incident, Phase
from routing.instant import HOUR
from routing.record import encode
from routing.severity import Severity

NOW = 1_764_000_000_000
SECRET = "link-secret"


def link(delivery: str = "INC-7-d2", *, expires_in: int = HOUR) -> str:
    return "/a/" + links.make(SECRET, delivery, now_ms() + expires_in)


def open_incident(reception: Reception, phase: Phase = Phase.TRIGGERED) -> None:
    incident = Incident(
        id="INC-7", number=7, title="<script>Site</script> is down", severity=Severity.SEV1, phase=phase, group="g",
        opened_at=NOW, changed_at=NOW, service="website", acknowledged_by="Anna",
    )  # fmt: skip
    reception.redis.hset(reception.keys.state(Table.INCIDENT), "INC-7", encode(incident))


def test_a_token_says_which_delivery() -> None:
    token = links.make(SECRET, "INC-7-d2", NOW)
    assert links.read(SECRET, token, NOW) == "INC-7-d2"
    assert token.replace("-", "").replace("_", "").replace(".", "").isalnum()


@pytest.mark.parametrize(
    "token",
    [
        "", "x", "..", "a.b.c", links.make("other", "INC-7-d2", NOW), links.make(SECRET, "INC-7-d2", NOW - 1),
        links.make(SECRET, "INC-7-d2", NOW)[:-1], links.make(SECRET, "INC-7-d2", NOW) + "A",
        links.make(SECRET, "INC-7-d2", NOW).replace("d2", "d3"), "é.é.é", "a" * 10_000,
    ],
)  # fmt: skip
def test_a_forged_mangled_or_expired_token_is_refused(token: str) -> None:
    with pytest.raises(BadSignature):
        links.read(SECRET, token, NOW)


def test_no_secret_signs_or_opens_nothing() -> None:
    with pytest.raises(ValueError, match="TOCSIN_LINK_SECRET"):
        links.make("", "INC-7-d2", NOW)
    with pytest.raises(BadSignature):
        links.read("", links.make(SECRET, "INC-7-d2", NOW), NOW)
    with pytest.raises(ValueError, match="delivery"):
        links.make(SECRET, "a.b", NOW)


def test_opening_a_link_shows_the_incident_and_acknowledges_nothing(reception: Reception) -> None:
    open_incident(reception)
    page = reception.get(link())
    assert page.status_code == 200
    assert "INC-7" in page.text
    assert "&lt;script&gt;Site" in page.text
    assert "<script>" not in page.text
    assert 'method="post"' in page.text
    assert page.headers["cache-control"] == "no-store"
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert page.headers["referrer-policy"] == "no-referrer"
    assert reception.entries() == []
    assert reception.http.head(reception.url + link()).status_code == 200


def test_the_button_acknowledges_once(reception: Reception) -> None:
    open_incident(reception)
    path = link()
    for _ in range(2):
        answer = reception.post(path, b"")
        assert answer.status_code == 200
        assert "Acknowledged" in answer.text
    [entry] = reception.entries(Lane.CONTROL)
    assert isinstance(entry, Answer)
    assert (entry.delivery, entry.text) == ("INC-7-d2", "ack")


@pytest.mark.parametrize(
    ("phase", "said"), [(Phase.ACKNOWLEDGED, "Already acknowledged"), (Phase.RESOLVED, "Already resolved")]
)
def test_the_page_says_when_there_is_nothing_to_do(reception: Reception, phase: Phase, said: str) -> None:
    open_incident(reception, phase)
    assert said in reception.get(link()).text


def asking(reception: Reception) -> None:
    open_incident(reception)
    message = Message(
        title="?", body="Approve it?\nSEV-1, target <b>site</b>: it asks each time.\nIt would do: x."
    )
    delivery = Delivery(
        id="INC-7-d2", incident="INC-7", contact="anna", channel="mail", address="a@b.c", purpose=Purpose.APPROVAL,
        severity=Severity.SEV1, message=message, progress=Progress.SENT, created_at=NOW, changed_at=NOW, run="INC-7-r1",
    )  # fmt: skip
    reception.redis.hset(reception.keys.owned("INC-7", Table.DELIVERY), "INC-7-d2", encode(delivery))


@pytest.mark.parametrize("decision", ["approve", "deny"])
def test_a_link_that_asks_for_approval_has_two_buttons_and_opening_it_decides_nothing(
    reception: Reception, decision: str
) -> None:
    asking(reception)
    path = link()
    page = reception.get(path)
    assert "Approve this repair?" in page.text
    assert "&lt;b&gt;site" in page.text
    assert f'action="{path}/{decision}"' in page.text
    assert reception.get(f"{path}/{decision}").status_code == 405
    assert reception.entries() == []
    for _ in range(2):
        assert reception.post(f"{path}/{decision}", b"").status_code == 200
    [entry] = reception.entries(Lane.CONTROL)
    assert isinstance(entry, Answer)
    assert (entry.delivery, entry.text) == ("INC-7-d2", decision)


def test_nothing_but_approve_and_deny_can_be_decided_and_a_forged_link_nothing(reception: Reception) -> None:
    asking(reception)
    assert reception.post(f"{link()}/escalate", b"").status_code == 404
    assert reception.post("/a/nonsense/approve", b"").status_code == 401
    assert reception.entries() == []


def test_an_archived_incident_is_not_an_error(reception: Reception) -> None:
    assert "Nothing to acknowledge" in reception.get(link()).text


def test_a_bad_link_says_what_to_do_instead(reception: Reception) -> None:
    for path in ("/a/nonsense", link(expires_in=-HOUR)):
        for answer in (reception.get(path), reception.post(path, b"")):
            assert answer.status_code == 401
            assert "cannot be used" in answer.text
    assert reception.entries() == []


def test_the_link_of_a_test_says_that_it_reached_whoever_opens_it(reception: Reception) -> None:
    path = link("test-0123456789")
    page = reception.get(path)
    assert "This is a test" in page.text
    assert "Nothing is wrong" in page.text
    assert reception.entries() == []
    assert "So pages reach you here" in reception.post(path, b"").text
    (answer,) = reception.entries()
    assert isinstance(answer, Answer)
    assert (answer.delivery, answer.text) == ("test-0123456789", "ack")
