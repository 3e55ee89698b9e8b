"""Mails as machines and people write them, and as nobody should: what is read of them, in bounded time."""

import base64
import time
from dataclasses import replace
from email.message import EmailMessage

import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from senders import source_of

from receiver import mime
from receiver.sources import email
from routing.errors import Unreadable
from routing.event import Event, Status
from routing.ports import Inbound

PLAIN = b"From: Nagios <nagios@host.example>\r\nSubject: Host DOWN\r\nMessage-ID: <1@host.example>\r\n\r\nPING\r\n"


def made(subject: str = "Host DOWN", text: str = "PING") -> EmailMessage:
    message = EmailMessage()
    message["From"], message["Subject"] = "nagios@host.example", subject
    message.set_content(text)
    return message


def test_what_is_read_of_a_mail() -> None:
    assert mime.read(PLAIN) == {
        "From": "Nagios <nagios@host.example>",
        "Subject": "Host DOWN",
        "MessageID": "1@host.example",
        "TextBody": "PING",
    }


@pytest.mark.parametrize("ends", [b"\r\n", b"\n", b"\r"])
def test_lines_may_end_in_any_way(ends: bytes) -> None:
    assert mime.read(PLAIN.replace(b"\r\n", ends)) == mime.read(PLAIN)


@pytest.mark.parametrize(
    ("subject", "read"),
    [
        ("=?utf-8?b?xbzDs8WCdw==?= DOWN", "żółw DOWN"),
        ("=?iso-8859-2?q?=BF=F3=B3w?=", "żółw"),
        ("=?nowhere?q?x?=", "=?nowhere?q?x?="),
        ("=?utf-8?b?!!!?= DOWN", "DOWN"),
        ("folded\r\n  over two lines", "folded over two lines"),
        ("a\tb  c", "a b c"),
        ("", ""),
    ],
)
def test_subjects_in_every_writing(subject: str, read: str) -> None:
    raw = f"From: a@b.example\r\nSubject: {subject}\r\n\r\nx".encode()
    assert mime.read(raw)["Subject"] == read


def test_eight_bit_headers_are_no_harm() -> None:
    raw = b"From: a@b.example\r\nSubject: \xbf\xf3\xb3w DOWN\r\n\r\nx"
    assert "DOWN" in mime.read(raw)["Subject"]


@pytest.mark.parametrize("cte", ["7bit", "8bit", "quoted-printable", "base64"])
def test_texts_in_every_transfer_encoding(cte: str) -> None:
    message = made()
    message.set_content("PING CRITICAL" if cte == "7bit" else "żółw CRITICAL", cte=cte)
    assert mime.read(message.as_bytes())["TextBody"].endswith("CRITICAL")


def test_of_several_texts_the_plain_one_that_is_no_attachment() -> None:
    message = made(text="plain")
    message.add_alternative("<p>html</p>", subtype="html")
    message.add_attachment("a log of secrets", filename="log.txt")
    message.add_attachment(b"\x00" * 1000, maintype="application", subtype="pdf", filename="a.pdf")
    assert mime.read(message.as_bytes())["TextBody"] == "plain"


def test_of_html_alone_its_words() -> None:
    message = made()
    page = "<style>p{color:red}</style><p>5 &gt; 3 &amp;<br>down</p><script>alert('x')</script><p>since <b>noon</b>"
    message.set_content(page, subtype="html")
    assert mime.read(message.as_bytes())["TextBody"] == "5 > 3 & down since noon"


@pytest.mark.parametrize("charset", ["utf-8", "latin-1", "no-such-thing", ""])
def test_a_charset_nobody_knows_is_read_all_the_same(charset: str) -> None:
    raw = f"From: a@b.example\r\nContent-Type: text/plain; charset={charset}\r\n\r\nDOWN \xfc".encode(
        "latin-1"
    )
    assert "DOWN" in mime.read(raw)["TextBody"]


BOUNDARY = "xYzZY"


def fields(**given: str) -> bytes:
    """A form in parts, as SendGrid's Inbound Parse posts it, with an attachment behind."""
    parts = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in given.items()
    ]  # fmt: skip
    file = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="attachment1"; filename="a.log"\r\n\r\nlog\r\n'
    )
    return "".join([*parts, file, f"--{BOUNDARY}--\r\n"]).encode()


def event_of(raw: bytes, boundary: str = BOUNDARY) -> Event:
    headers = {"content-type": f"multipart/form-data; boundary={boundary}"}
    (event,) = email.parse(Inbound(raw, headers, {}, 0), SOURCE).events
    return event


def test_a_form_of_sendgrids_inbound_parse_is_read() -> None:
    event = event_of(
        fields(**{
            "headers": "Received: by mx\r\nMessage-ID: <7@host.example>\r\nSubject: x", "from": "UPS <ups@host.example>",
            "to": "email@in.example", "subject": "Power DOWN", "text": "See the panel.", "html": "<p>See</p>",
        })
    )  # fmt: skip
    assert (event.status, event.title, event.summary) == (Status.FIRING, "Power DOWN", "See the panel.")
    assert (event.vendor_id, event.labels["sender"]) == ("7@host.example", "ups@host.example")


def test_a_form_with_the_mail_as_it_was_sent_is_read() -> None:
    event = event_of(fields(to="email@in.example", email=PLAIN.decode()))
    assert (event.title, event.vendor_id) == ("Host DOWN", "1@host.example")


def test_a_form_of_mailguns_with_attachments_is_read() -> None:
    given = {
        "sender": "ups@host.example",
        "subject": "Power DOWN",
        "body-plain": "See",
        "Message-Id": "<8@host.example>",
    }
    event = event_of(fields(**given))
    assert (event.title, event.summary, event.vendor_id) == ("Power DOWN", "See", "<8@host.example>")


@pytest.mark.parametrize(
    ("raw", "boundary"),
    [
        (b"", BOUNDARY),
        (fields(subject="x"), "another"),
        (fields(subject="x"), ""),
        (fields(subject="nobody wrote it"), BOUNDARY),
        (b"--xYzZY\r\n" * 5000, BOUNDARY),
        (b"--xYzZY\r\nContent-Disposition: form-data; " + b"a=b;" * 30_000, BOUNDARY),
        (fields(**{f"f{number}": "x" for number in range(2000)}), BOUNDARY),
        (fields(**{"from": "a@b.example"}), BOUNDARY + ";a=b" * 50_000),
    ],
)
def test_a_form_that_cannot_be_read_is_a_dead_letter_and_soon(raw: bytes, boundary: str) -> None:
    began = time.perf_counter()
    with pytest.raises(Unreadable):
        event_of(raw, boundary)
    assert time.perf_counter() - began < 1.0


HOSTILE = {
    "parts in parts": b"".join(
        b'Content-Type: multipart/mixed; boundary="%d"\r\n\r\n--%d\r\n' % (number, number) for number in range(5000)
    ),
    "parameters": b"Content-Type: multipart/mixed; " + b"a=b;" * 60_000 + b"\r\n\r\n",
    "a folded type": b"Content-Type: multipart/mixed;\r\n" + b" a=b;\r\n" * 40_000 + b"\r\n",
    "encoded words": b"Subject: " + b"=?a?q?" * 40_000 + b"\r\n\r\n",
    "headers": b"X-A: b\r\n" * 30_000 + b"\r\n",
    "one long line": b"Subject: " + b"x" * 10_000_000,
    "tags": b"Content-Type: text/html\r\n\r\n" + b"<" * 250_000,
    "scripts": b"Content-Type: text/html\r\n\r\n" + b"<script" * 35_000,
    "half tags": b"Content-Type: text/html\r\n\r\n" + (b"<" + b"a" * 1999) * 130,
    "entities": b"Content-Type: text/html\r\n\r\n" + b"&#" * 120_000,
    "base64": b"Content-Transfer-Encoding: base64\r\n\r\n" + base64.b64encode(b"\x00" * 180_000),
    "addresses": b"From: " + b"a@" * 100_000 + b"\r\n\r\n",
    "returns": b"\r" * 260_000,
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_no_mail_takes_long(name: str) -> None:
    began = time.perf_counter()
    for raw in (HOSTILE[name], b"From: a@b.example\r\n" + HOSTILE[name]):
        parsed(raw)
    assert time.perf_counter() - began < 2.0


def parsed(raw: bytes) -> Status | None:
    """None of what is a dead letter; anything else that is raised is a failure of the test."""
    inbound = Inbound(raw, {"content-type": "message/rfc822"}, {}, 0)
    try:
        (event,) = email.parse(inbound, SOURCE).events
    except Unreadable:
        return None
    return event.status


SOURCE = replace(
    source_of("email"),
    settings={
        "opens": ["*DOWN*"], "closes": ["*UP*"], "opens_text": ["*battery*low*"], "closes_text": ["*power restored*"],
    },
)  # fmt: skip


@examples(60)
@given(st.binary(max_size=2000))
def test_whatever_comes_is_an_event_or_a_dead_letter(raw: bytes) -> None:
    parsed(raw)


@examples(60)
@given(st.lists(st.sampled_from([
    b"From: a@b.example", b"Subject: =?utf-8?q?=", b"Content-Type: multipart/mixed; boundary=x", b"--x", b"--x--", b"",
    b"Content-Type: text/html; charset=\xff", b"Content-Type: message/rfc822", b"Content-Disposition: attachment",
    b"Content-Transfer-Encoding: base64", b"Content-Transfer-Encoding: uuencode", b"begin 644 x", b"====", b"\xff\x00", b" ",
]), max_size=40))  # fmt: skip
def test_whatever_is_pieced_together_is_an_event_or_a_dead_letter(lines: list[bytes]) -> None:
    parsed(b"\r\n".join(lines))


@pytest.mark.parametrize(
    ("subject", "text", "status"),
    [
        ("Message of the battery", "Battery is LOW now", Status.FIRING),
        ("Message of the battery", "Power restored", Status.RESOLVED),
        ("Message of the battery", "Battery low, power restored", Status.RESOLVED),
        ("Message of the battery", "all is well", Status.INFO),
        ("Host DOWN", "power restored", Status.FIRING),
    ],
)
def test_the_text_decides_where_the_subject_says_nothing(subject: str, text: str, status: Status) -> None:
    assert parsed(made(subject, text).as_bytes()) is status
