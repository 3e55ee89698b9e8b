"""What is done with a form of the console: kept in the log under the name of who did it, and told in its own words."""

import html
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import seeing
from desk import Desk, outage
from seeing import Seen, console
from working import until

from console.trust.acts import Role
from ledger import dead, log
from ledger.clock import now_ms
from ledger.views import incidents
from routing.entry import Lane, Opened, SilenceSet, decode_entry
from routing.incident import Moment
from routing.record import encode


@pytest.fixture
def seen(desk: Desk, redis_url: str, tmp_path: Path) -> Iterator[Seen]:
    """INC-1 and INC-2 are open, both opened by hand."""
    for title in ("The first", "The second"):
        entry = Opened(at=now_ms(), by="ben", title=title, severity=2, service=title, team="platform")
        log.append(desk.client, desk.keys, Lane.CONTROL, entry)
    until(lambda: desk.store.incident("INC-2"), 30, "INC-2")
    with console(seeing.site(redis_url, tmp_path)) as found:
        yield found


@pytest.fixture
def anna(seen: Seen) -> httpx2.Client:
    client = seen.signed_in("anna", Role.RESPONDER, "platform")
    client.follow_redirects = True
    return client


def shown(desk: Desk) -> dict[str, Any]:
    whole = desk.store.whole("INC-1")
    assert whole
    return incidents.detail(whole)


@pytest.mark.parametrize(
    ("act", "form", "said"),
    [
        ("ack", {}, "acknowledged by anna via the console"), ("resolve", {}, "resolved by anna via the console"),
        ("escalate", {}, "escalated by anna via the console"), ("note", {"text": "cold cache"}, "note: cold cache"),
        ("status", {"text": "we look into it"}, "we look into it"), ("snooze", {"for": "4h"}, "anna"),
        ("reassign", {"to": "contact:ben"}, "anna"), ("merge", {"into": "INC-2"}, "INC-2"),
        ("grade", {"severity": "SEV-1", "reason": "it spreads"}, "SEV-1"),
        ("approve", {"run": "INC-1-r1"}, "anna"), ("deny", {"run": "INC-1-r1"}, "anna"),
    ],
)  # fmt: skip
def test_an_act_is_told_in_the_words_of_the_timeline_with_who_did_it_and_from_where(
    desk: Desk, anna: httpx2.Client, act: str, form: dict[str, str], said: str
) -> None:
    page = anna.post(f"/incidents/INC-1/{act}", data=form)
    assert page.status_code == 200
    told = [each for each in shown(desk)["timeline"] if each["by"] == "anna"]
    assert any(said in each["what"] for each in told), told
    assert all(each["client"].startswith("session ") for each in told)
    assert 'id="said"' in page.text
    assert "not decided yet" not in page.text


def test_a_timeline_of_a_thousand_entries_is_read_a_page_at_a_time(desk: Desk, anna: httpx2.Client) -> None:
    told = [encode(Moment(at=now_ms(), what=f"moment <{number}>")) for number in range(1, 1_000)]
    desk.client.rpush(desk.keys.timeline("INC-1"), *told)
    of = desk.client.llen(desk.keys.timeline("INC-1"))
    where, seen, pages = "/incidents/INC-1", list[str](), 0
    while where:
        page = anna.get(where).text
        assert len(page) < 150_000
        seen += re.findall(r"moment &lt;(\d+)&gt;", page)
        older = re.search(r'href="(\?until=\d+)#timeline">Older', page)
        where = f"/incidents/INC-1{older[1]}" if older else ""
        pages += 1
    assert seen == [str(number) for number in range(999, 0, -1)]
    assert pages == -(-of // 100)
    for odd in ("0", "-1", "99999999999999", "x", "4000"):
        assert f"of {of}</small>" in anna.get("/incidents/INC-1", params={"until": odd}).text


@pytest.mark.parametrize(
    ("act", "form", "said"),
    [
        ("note", {"text": "  "}, "text: "), ("reassign", {"to": "contact:nobody"}, "no contact, team or schedule"),
        ("merge", {"into": "INC-1"}, "into itself"), ("merge", {"into": "INC-99"}, "INC-99"),
        ("grade", {"severity": "SEV-9"}, "not a severity"), ("snooze", {"for": "soon"}, "not a duration"),
        ("silence", {"matchers": "nonsense", "reason": "x"}, ""), ("silence", {"matchers": 'a="b"'}, "say why"),
        ("silence", {"matchers": 'a="b"', "reason": "x", "for": "60d"}, "30 days"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_changes_nothing_and_says_what_would(
    desk: Desk, anna: httpx2.Client, act: str, form: dict[str, str], said: str
) -> None:
    before = shown(desk)["timeline"]
    page = anna.post(f"/incidents/INC-1/{act}", data=form)
    assert 400 <= page.status_code < 500
    assert said in page.text
    assert "Traceback" not in page.text
    assert shown(desk)["timeline"] == before


def test_a_silence_is_previewed_and_set_for_what_an_incidents_alerts_have_in_common(
    desk: Desk, seen: Seen, anna: httpx2.Client
) -> None:
    event = outage()
    log.append(desk.client, desk.keys, Lane.URGENT, _signal(event))
    until(lambda: desk.store.incident("INC-3"), 30, "INC-3")
    root = seen.signed_in("root", Role.ADMIN)
    preview = root.get("/incidents/INC-3/silence").text
    assert "instance=&#34;web-1&#34;" in preview
    assert "the page is held back" in preview
    form = {"matchers": 'instance="web-1"\nkind="site-down"', "for": "4h", "reason": "we know"}
    incident = desk.store.incident("INC-3")
    assert incident
    ours = seen.signed_in("ours", Role.RESPONDER, incident.team)
    assert f"team=&#34;{incident.team}&#34;" in ours.get("/incidents/INC-3/silence").text
    assert ours.post("/incidents/INC-3/silence", data=form).status_code == 403, "it could mute others' alerts"
    root.post("/incidents/INC-3/silence", data=form)
    entries = log.read(desk.client, desk.keys, {Lane.CONTROL: "0-0"}, 1000, 0)[Lane.CONTROL]
    (silence,) = [entry for _, raw in entries if isinstance(entry := decode_entry(raw), SilenceSet)]
    assert silence.matchers == ['instance="web-1"', 'kind="site-down"']
    assert (silence.by, silence.until_at - silence.from_at) == ("root", 14_400_000)
    assert silence.client.startswith("session ")


def _signal(event: Any) -> Any:
    from routing.entry import Signal

    return Signal(at=now_ms(), by="receiver", event=event)


def test_an_act_that_nobody_decides_is_kept_and_says_so(desk: Desk, redis_url: str, tmp_path: Path) -> None:
    """The dispatcher is away: whoever acts need not act twice."""
    log.append(desk.client, desk.keys, Lane.CONTROL, Opened(at=now_ms(), by="ben", title="One", severity=2))
    until(lambda: desk.store.incident("INC-1"), 30, "INC-1")
    site = seeing.site(redis_url, tmp_path)
    with console(site) as seen:
        client = seen.signed_in("anna")
        assert client.get("/incidents/INC-1?said=c9999999999999-0").text.count("not decided yet") == 1
        for forged in ("<script>", "c1-0'", "../x", "c1"):
            assert 'id="said"' not in client.get("/incidents/INC-1", params={"said": forged}).text


def test_what_changed_nothing_is_not_said_to_wait(anna: httpx2.Client) -> None:
    page = anna.post("/incidents/INC-1/done").text
    assert "that changed nothing" in page
    assert "not decided yet" not in page


@pytest.mark.parametrize(
    "raw", ["a=\u202eb&c=\\d\r\n".encode(), '{"title": "\u202egnp.exe", "amount": 12.50}'.encode()]
)
def test_a_dead_letters_body_is_seen_whole_where_it_is_mended_and_saved_as_it_was(
    desk: Desk, seen: Seen, raw: bytes
) -> None:
    root = seen.signed_in("root", Role.ADMIN)
    letter = dead.refused("alertmanager", "unreadable", raw, now_ms())
    dead.bury_now(desk.client, desk.keys, letter)
    page = root.get(f"/dead/{letter.id}?edit=1").text
    assert "\u202e" not in page
    assert "\\u202e" in page
    box = re.search(r'<textarea id="body"[^>]*>\n(.*?)</textarea>', page, re.DOTALL)
    assert box is not None
    text = html.unescape(box[1]).replace("\n", "\r\n")  # as a browser sends it
    form = {"body": text, **({"escaped": "1"} if 'name="escaped"' in page else {})}
    assert root.post(f"/dead/{letter.id}/edit", data=form).status_code == 303
    kept = dead.get(desk.client, desk.keys, letter.id)
    assert kept is not None
    if raw.startswith(b"{"):
        assert (json.loads(kept.raw), b"12.50" in kept.raw) == (json.loads(raw), True)
    else:
        assert kept.raw == raw
