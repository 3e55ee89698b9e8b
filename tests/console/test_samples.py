"""A signed sample, sent from the console: by a receiver, at its own front door, with a secret that the console has not."""

from pathlib import Path

import pytest
import reception
import seeing
from desk import Desk
from reception import SECRETS
from redis import Redis
from seeing import Seen, console
from working import until

from console.trust.acts import Role, Scope
from ledger import accounts
from ledger.clock import now_ms
from ledger.keys import Keys
from ledger.rehearsals import Answered, Wanted, answer_of, ask
from ledger.settings import LedgerSettings
from receiver.rehearsing import here
from receiver.settings import ReceiverSettings
from routing.entry import Signal


def _sent(seen: Seen, source: str, sample: str, role: Role = Role.RESPONDER, *teams: str) -> str:
    anna = seen.signed_in("anna", role, *teams)
    anna.timeout = 30
    anna.follow_redirects = True
    return anna.post(f"/sources/{source}/send", data={"sample": sample}).text


def test_a_sample_is_signed_and_posted_by_a_receiver_and_what_came_of_it_is_shown(
    desk: Desk, redis: Redis, redis_url: str, tmp_path: Path
) -> None:
    with (
        reception.running(redis, redis_url) as receiver,
        console(seeing.site(redis_url, tmp_path)) as seen,
    ):
        page = _sent(seen, "stripe", "payout.failed")
        (entry,) = [each for each in receiver.entries() if isinstance(each, Signal)]
        assert (entry.event.source, entry.event.vendor) == ("stripe", "stripe")
        assert "payout.failed: answered 202" in page
        assert "what came of it" in page
        assert not any(secret in page for secret in SECRETS.values())
        (line,) = [one for _, one in accounts.audited(redis, Keys()) if "payout.failed" in one.what]
        assert (line.by, line.what) == ("anna", "sent the sample payout.failed of stripe")
        assert line.client.startswith("session ")
        token = {"authorization": f"Bearer {seen.token('ci', Role.RESPONDER, Scope.SOURCES)}"}
        told = seen.client.post(
            f"{seen.url}/api/v1/sources/stripe/samples", headers=token, json={"sample": "payout.paid"}
        )
        assert (told.json()["taken"], told.json()["status"], len(told.json()["accepted"])) == (True, 202, 1)
        assert "no sample" in _sent(seen, "stripe", "../../../etc/passwd")
        refused = seen.signed_in("otto", Role.RESPONDER, "payments")
        assert refused.post("/sources/stripe/send", data={"sample": "payout.failed"}).status_code == 403
        assert len([each for each in receiver.entries() if isinstance(each, Signal)]) == 2


def test_where_no_receiver_is_it_is_said_and_nothing_is_sent_later(
    desk: Desk, redis: Redis, redis_url: str, tmp_path: Path
) -> None:
    with console(seeing.site(redis_url, tmp_path)) as seen:
        assert "No receiver took it" in _sent(seen, "stripe", "payout.failed")
    ask(redis, Keys(), Wanted(id="late", source="stripe", sample="payout.failed", until_at=now_ms() - 1))
    ask(redis, Keys(), Wanted(id="next", source="nobody", sample="payout.failed", until_at=now_ms() + 60_000))
    with reception.running(redis, redis_url) as receiver:
        answered = until(lambda: answer_of(redis, Keys(), "next"), 10, "an answer")
        assert isinstance(answered, Answered)
        assert (answered.status, bool(answered.said)) == (0, True)
        assert answer_of(redis, Keys(), "late") is None
        assert not any(isinstance(each, Signal) for each in receiver.entries())


@pytest.mark.parametrize(
    ("host", "address"),
    [("0.0.0.0", "127.0.0.1"), ("127.0.0.1", "127.0.0.1"), ("::", "[::1]"), ("10.0.0.7", "10.0.0.7")],
)
def test_a_receiver_reaches_itself_wherever_it_listens(host: str, address: str) -> None:
    settings = ReceiverSettings(LedgerSettings(redis_url="redis://nowhere"), host=host, port=8099)
    assert here(settings) == f"http://{address}:8099"
