"""By pages and over the API: how people are reached, codes that come back, what a channel would send, real tests."""

import json
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest
import seeing
from click.testing import CliRunner, Result
from desk import Desk, Run
from reached import NUMBER, delivering, fill_in, taken
from seeing import Seen, console
from small_policy import POLICY
from working import until

from console.api.declared import PREFIX
from console.main import tocsin
from console.reaching import reaches
from console.trust.acts import Role, Scope
from routing.decision import Table
from routing.delivery import Delivery
from routing.entry import Outcome
from routing.trial import Trial


@pytest.fixture
def desk(redis_url: str, tmp_path: Path) -> Iterator[Desk]:
    """Anna can be reached, and nobody else."""
    desk = Desk(redis_url, tmp_path, POLICY)
    fill_in(desk)
    with desk.folding():
        yield desk


@pytest.fixture
def seen(desk: Desk, redis_url: str, tmp_path: Path) -> Iterator[Seen]:
    with console(seeing.site(redis_url, tmp_path)) as found:
        yield found


def proofs(seen: Seen) -> dict[str, str]:
    """Of each of Anna's channels."""
    return {
        each.method.channel: each.proof for each in reaches(seen.site.context) if each.contact.name == "anna"
    }


def trial(desk: Desk) -> Trial:
    (found,) = desk.store.records(Table.TRIAL, Trial).values()
    return found


def asked(seen: Seen, method: str, path: str, **sent: Any) -> Any:
    headers = {"authorization": f"Bearer {seen.token('duty', Role.RESPONDER, Scope.READ, Scope.ONCALL)}"}
    return seen.client.request(method, f"{seen.url}{PREFIX}{path}", headers=headers, **sent)


def test_a_code_is_sent_from_the_page_and_the_one_they_tell_proves_the_way(desk: Desk, seen: Seen) -> None:
    ben = seen.signed_in("ben")
    where = ben.post("/oncall/contacts/anna/test", data={"channel": "sms", "do": "code"}).headers["location"]
    page = unescape(ben.get(where).text)
    assert "A code went to anna" in page
    assert "The code that anna told you" in page
    sent = trial(desk)
    assert (sent.contact, sent.channel, sent.address) == ("anna", "sms", NUMBER)
    assert sent.code not in page, "who may look at it has not been told it"
    wrong = "000000" if sent.code != "000000" else "111111"
    refused = ben.post("/oncall/contacts/anna/code", data={"code": wrong})
    assert (refused.status_code, "that is not the code" in refused.text) == (422, True)
    where = ben.post("/oncall/contacts/anna/code", data={"code": f"{sent.code[:3]} {sent.code[3:]}"}).headers[
        "location"
    ]
    assert "That is the code: anna is reached there." in ben.get(where).text
    assert {name: bool(proof) for name, proof in proofs(seen).items()} == {
        "voice": False,
        "sms": True,
        "mail": False,
    }
    assert f"by the code of {sent.id} over ben's word at " in proofs(seen)["sms"]


def test_a_persons_word_counts_and_is_taken_back(seen: Seen) -> None:
    ben = seen.signed_in("ben")
    ben.post("/oncall/contacts/anna/vouch", data={"channel": "mail", "do": "vouch"})
    assert proofs(seen)["mail"].startswith("by ben at ")
    where = ben.post("/oncall/contacts/anna/vouch", data={"channel": "mail", "do": "undo"}).headers[
        "location"
    ]
    assert proofs(seen)["mail"] == ""
    assert "Taken back" in ben.get(where).text


@pytest.mark.parametrize(
    ("path", "sent", "status", "said"),
    [
        ("/oncall/contacts/zoe/test", {}, 404, "no contact 'zoe'"),
        ("/oncall/contacts/anna/test", {"channel": "pigeon"}, 422, "anna is not reached by 'pigeon'"),
        ("/oncall/contacts/ben/test", {"channel": "sms", "do": "code"}, 422, "is a placeholder"),
        ("/oncall/contacts/ben/vouch", {"channel": "sms"}, 422, "is a placeholder"),
        ("/oncall/contacts/anna/code", {}, 422, "which code"),
        ("/oncall/contacts/anna/code", {"code": "123456"}, 422, "no code is awaited of anna"),
        ("/health/channels/sms/test", {"contact": "zoe"}, 422, "no contact 'zoe'"),
        ("/health/channels/pigeon/test", {"contact": "anna"}, 404, "no channel 'pigeon'"),
    ],
)
def test_what_cannot_be_shown_is_said_and_nothing_is_sent(
    desk: Desk, seen: Seen, path: str, sent: dict[str, str], status: int, said: str
) -> None:
    answer = seen.signed_in("ben").post(path, data=sent)
    assert (answer.status_code, said in unescape(answer.text)) == (status, True), answer.text
    assert desk.store.records(Table.NOTICE, Delivery) == {}


def test_who_only_looks_sees_how_people_are_reached_and_is_offered_nothing(seen: Seen) -> None:
    vera = seen.signed_in("vera", Role.VIEWER)
    page = vera.get("/oncall/contacts").text
    assert NUMBER in page
    assert "to be filled in" in page
    for path in ("/oncall/contacts", "/health/channels", "/health/channels/sms"):
        assert "/test" not in vera.get(path).text, path
    of_anna = [f"/oncall/contacts/anna/{verb}" for verb in ("test", "code", "vouch")]
    for path in (*of_anna, "/health/channels/sms/test"):
        assert vera.post(path, data={"contact": "anna", "code": "123456"}).status_code == 403, path


def test_a_test_is_sent_from_a_channels_page_and_what_became_of_it_stands_there(
    desk: Desk, seen: Seen
) -> None:
    ben = seen.signed_in("ben")
    with delivering(desk, lambda name: taken(name, Outcome.PERMANENT, error="no such number <b>")):
        where = ben.post("/health/channels/sms/test", data={"contact": "anna"}).headers["location"]
        working_page(ben, where, "failed: no such number &lt;b&gt;")
    with delivering(
        desk, lambda name: taken(name, sandbox=True, provider_id="sandbox 1", answer="X not set")
    ):
        ben.post("/health/channels/mail/test", data={"contact": "anna"})
        working_page(ben, "/health/channels", "X not set")
    page = ben.get("/health/channels").text
    assert "SANDBOX" in page
    assert NUMBER in page
    assert NUMBER not in ben.get("/health/channels/mail").text, "each has its own"


def working_page(client: Any, path: str, says: str) -> None:
    until(lambda: says in client.get(path).text, 10, says)


def test_a_channels_page_shows_what_it_would_send_and_sends_nothing(desk: Desk, seen: Seen) -> None:
    vera = seen.signed_in("vera", Role.VIEWER)
    form = {"kind": "page", "severity": "SEV-2", "contact": "anna"}
    page = unescape(vera.post("/health/channels/sms", data=form).text)
    assert "PAYMENTS ARE FAILING" in page.upper()
    assert f"to {NUMBER}" in page
    assert "Reply ack, resolve or escalate." in page
    assert desk.store.records(Table.NOTICE, Delivery) == {}
    for sent, said in (
        ({"kind": "page", "incident": "INC-99"}, "no incident 'INC-99'"),
        ({"kind": "page", "contact": "zoe"}, "no contact 'zoe'"),
        ({"kind": "pages"}, "no such kind"),
        ({"kind": "page", "severity": "SEV-9"}, "no such severity"),
    ):
        assert said in unescape(vera.post("/health/channels/sms", data=sent).text), said


def test_over_the_api_a_code_comes_back_and_tests_are_paged(desk: Desk, seen: Seen) -> None:
    (first,) = asked(seen, "POST", "/contacts/anna/test", json={"channel": "sms", "code": True}).json()[
        "trials"
    ]
    again = asked(seen, "POST", "/contacts/anna/test", json={}).json()["trials"]
    assert len(again) == 3
    one = asked(seen, "GET", f"/trials/{first}").json()
    assert (one["contact"], one["channel"], one["address"], one["accepted_ms"]) == (
        "anna",
        "sms",
        NUMBER,
        None,
    )
    found: list[str] = []
    after = ""
    while True:
        page = asked(seen, "GET", "/trials", params={"limit": 3, "after": after}).json()
        found += [each["id"] for each in page["trials"]]
        after = page["after"]
        if not after:
            break
    assert (sorted(found), found[-1]) == (sorted([first, *again]), first)
    assert asked(seen, "GET", "/trials", params={"after": "nine"}).status_code == 422
    assert asked(seen, "GET", "/trials/nine").status_code == 404
    code = trial(desk).code
    wrong = "000000" if code != "000000" else "111111"
    assert asked(seen, "POST", "/contacts/anna/code", json={"code": wrong}).status_code == 409
    (way,) = asked(seen, "POST", "/contacts/anna/code", json={"code": code}).json()["proven"]
    assert (way["channel"], way["counts"]) == ("sms", True)
    assert asked(seen, "POST", "/contacts/zoe/code", json={"code": code}).status_code == 404
    assert asked(seen, "POST", "/contacts/ben/test", json={"code": True}).status_code == 409


def over(seen: Seen, *arguments: str, code: int = 0) -> Result:
    """`tocsin ...` from a machine that knows the console alone."""
    environ = {
        "TOCSIN_CONSOLE_URL": seen.url, "TOCSIN_REDIS_URL": "unix:///nowhere.sock", "USER": "zoe",
        "TOCSIN_CONSOLE_TOKEN": seen.token("duty", Role.RESPONDER, Scope.READ, Scope.ONCALL),
    }  # fmt: skip
    result = CliRunner().invoke(tocsin, list(arguments), env=environ)
    assert result.exit_code == code, f"{arguments}: {result.output}\n{result.exception!r}"
    return result


def test_over_a_console_people_are_verified_in_the_words_of_the_command(
    desk: Desk, seen: Seen, run: Run
) -> None:
    assert over(seen, "contacts", "list").stdout == run("contacts", "list").stdout
    assert over(seen, "contacts", "verify", code=1).stdout == run("contacts", "verify", code=1).stdout
    way = ("contacts", "verify", "anna", "--channel", "sms")
    assert over(seen, *way).stdout == f"anna: sms {NUMBER} is verified\n"
    assert proofs(seen)["sms"].startswith("by duty at "), "the token says who"
    said = over(seen, *way, "--undo").stdout
    assert proofs(seen)["sms"] == ""
    assert said == run(*way, "--undo").stdout == f"anna: sms {NUMBER} is not verified\n"
    with delivering(desk, lambda name: taken(name, provider_id="P1")):
        said = over(seen, *way, "--send").stdout
    assert re.match(rf"anna: sms \{NUMBER} accepted after \d+\.\d s\n", said)
    assert "tell you: tocsin contacts verify anna --code CODE" in said
    sent = trial(desk)
    wrong = "000000" if sent.code != "000000" else "111111"
    assert "that is not the code" in over(seen, *way, "--code", wrong, code=1).stderr
    said = over(seen, *way, "--code", sent.code).stdout
    assert said.startswith(f"anna: sms {NUMBER} is verified by the code of {sent.id} over duty's word at ")
    for arguments, code, said in (
        (("anna", "--send", "--undo"), 2, "use one of them"),
        (("anna", "--channel", "pigeon"), 2, "anna is not reached by 'pigeon', but by voice, sms, mail"),
        (("ben",), 1, "is a placeholder"),
        (("anna", "--code", "123456"), 1, "no code is awaited of anna"),
        (("zoe",), 1, "no contact 'zoe'"),
    ):
        assert said in over(seen, "contacts", "verify", *arguments, code=code).stderr


def without_clock(previews: str) -> str:
    """A letter says when it was made up, to the second."""
    return re.sub(r"\d\d:\d\d:\d\d [+-]0000", "", previews)


def test_over_a_console_channels_are_shown_and_tried_in_the_words_of_the_command(
    desk: Desk, seen: Seen, run: Run
) -> None:
    for command in (
        ("channels", "list"), ("channels", "preview", "voice"), ("channels", "preview", "--kind", "update"),
        ("channels", "preview", "sms", "--contact", "ben", "--severity", "SEV-2", "--json"),
    ):  # fmt: skip
        assert without_clock(over(seen, *command).stdout) == without_clock(run(*command).stdout)
    assert "no channel 'pigeon'" in over(seen, "channels", "preview", "pigeon", code=1).stderr
    test = ("channels", "test", "--to", "anna", "--wait", "1s", "--json")
    with delivering(desk, lambda name: taken(name, provider_id="P1")):
        rows = json.loads(over(seen, *test).stdout)
    assert [(row["channel"], row["reached"], row["provider_id"]) for row in rows] == [
        (channel, True, "P1") for channel in ("voice", "sms", "mail")
    ]
    assert all(0 <= row["accepted_ms"] < 5_000 for row in rows)
    with delivering(desk, lambda name: taken(name, sandbox=True, answer="X not set")):
        said = over(seen, "channels", "test", "sms", "--to", "anna", code=1).stdout
    assert re.search(rf"^sms +\{NUMBER} .* SANDBOX$", said, re.MULTILINE)
