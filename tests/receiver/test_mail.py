"""Mail by SMTP: taken for a source and its token, on disk before it is answered, and nothing is ever handed on."""

import smtplib
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from certificate import certificate
from reception import POLICY, SECRETS, Reception, running, source, until
from redis import Redis
from stage import free_port

from ledger import dead, wire
from ledger.connection import Finding
from ledger.settings import LedgerSettings
from receiver.settings import ReceiverSettings
from routing.entry import Signal
from routing.event import Status

TOKEN = SECRETS["ALERTMANAGER_TOKEN"]
"""Any secret that there is."""
HERE = "in.tocsin.example"
MINE = f"nagios+{TOKEN}@{HERE}"
SETTINGS = {"opens": ["*DOWN*"], "closes": ["*UP*"]}
KNOWN = replace(
    POLICY,
    sources={
        **POLICY.sources,
        "nagios": source("nagios", "email", "ALERTMANAGER_TOKEN", settings=SETTINGS, max_bytes=50_000),
        "ups": source("ups", "email", "TOCSIN_ALERTS_TOKEN", settings=SETTINGS),
        "fenced": source("fenced", "email", "ALERTMANAGER_TOKEN", networks=("192.0.2.0/24",)),
        "slow": source("slow", "email", "ALERTMANAGER_TOKEN", rate=1),
        "unset": source("unset", "email", "NOBODY_SET_THIS"),
    },
)


def mail(subject: str = "Host DOWN: web-1", text: str = "PING CRITICAL") -> EmailMessage:
    made = EmailMessage()
    made["From"] = "Nagios <nagios@host.example>"
    made["To"] = MINE
    made["Subject"] = subject
    made["Message-ID"] = "<1@host.example>"
    made.set_content(text)
    return made


class Post(Reception):
    """A receiver that takes mail, and where."""

    mail_port = 0

    def connect(self) -> smtplib.SMTP:
        return smtplib.SMTP("127.0.0.1", self.mail_port, timeout=10)

    def send(self, message: EmailMessage | bytes, *to: str) -> dict[str, tuple[int, bytes]]:
        raw = message if isinstance(message, bytes) else message.as_bytes()
        with self.connect() as client:
            return client.sendmail("nagios@host.example", list(to or (MINE,)), raw)

    def signals(self) -> list[Signal]:
        return [each for each in self.entries() if isinstance(each, Signal)]


@contextmanager
def taking(redis: Redis, redis_url: str, *, room: Path | None = None, **more: Any) -> Iterator[Post]:
    port, public = free_port(), certificate(room)[0] if room else ""
    settings = ReceiverSettings(
        ledger=LedgerSettings(redis_url=redis_url), mail_port=port, mail_domain=more.pop("domain", HERE),
        public_url=more.pop("public_url", ""),
        mail_certificate=public, mail_key_file=public.replace(".pem", ".key"),
    )  # fmt: skip
    with running(redis, redis_url, policy=more.pop("policy", KNOWN), settings=settings, **more) as found:
        post = Post(found.url, found.site, found.redis, found.keys, found.http)
        post.mail_port = port
        until(lambda: _answers(port))
        yield post


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


@pytest.fixture
def post(redis: Redis, redis_url: str) -> Iterator[Post]:
    with taking(redis, redis_url) as found:
        yield found


def test_a_mail_to_a_source_and_its_token_is_an_event(post: Post) -> None:
    with post.connect() as client:
        client.ehlo()
        client.mail("nagios@host.example")
        client.rcpt(MINE)
        code, said = client.data(mail().as_bytes())
    assert code == 250
    (signal,) = post.signals()
    event = signal.event
    assert (event.source, event.vendor, event.status) == ("nagios", "email", Status.FIRING)
    assert (event.title, event.summary) == ("Host DOWN: web-1", "PING CRITICAL")
    assert event.labels["sender"] == "nagios@host.example"
    assert b"kept as b" in said
    post.send(_other("Host UP: web-1"))
    assert [each.event.status for each in post.signals()] == [Status.FIRING, Status.RESOLVED]
    assert post.signals()[1].event.key == event.key


def _other(subject: str) -> EmailMessage:
    made = mail(subject)
    made.replace_header("Message-ID", "<2@host.example>")
    return made


def test_the_same_mail_again_is_one_event(post: Post) -> None:
    post.send(mail())
    post.send(mail())
    assert len(post.signals()) == 1


def test_one_mail_to_two_sources_is_an_event_of_each(post: Post) -> None:
    post.send(mail(), MINE, f"ups+{SECRETS['TOCSIN_ALERTS_TOKEN']}@{HERE}")
    assert sorted(each.event.source for each in post.signals()) == ["nagios", "ups"]


def test_the_token_is_kept_nowhere(post: Post, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("DEBUG"):
        post.send(mail(text=f"for {TOKEN.upper()}"))
    ((_, found),) = wire.call(post.redis, "XRANGE", post.keys.raw, "-", "+")
    fields: dict[bytes, bytes] = found
    kept = b" ".join(fields.values())
    assert b"PING" not in kept
    assert b"nagios+[redacted]@" in kept
    for place in (kept.lower(), caplog.text.lower().encode(), repr(post.site.counts).encode()):
        assert TOKEN.encode() not in place
    assert b'"x-smtp-peer":"127.0.0.1"' in fields[b"h"]


NOBODY = [
    "anna@elsewhere.example",
    "anna@gmail.com",
    f"nagios@{HERE}",
    f"nagios+@{HERE}",
    f"nagios+wrong@{HERE}",
    f"nagios+{TOKEN}x@{HERE}",
    f"nagios+{TOKEN}@elsewhere.example",
    f"nagios+{TOKEN}@{HERE}.elsewhere.example",
    f"nobody+{TOKEN}@{HERE}",
    f"alertmanager+{TOKEN}@{HERE}",
    f"ups+{TOKEN}@{HERE}",
    "postmaster",
    f'"nagios+{TOKEN}@{HERE}"@elsewhere.example',
    f"@elsewhere.example:nagios+wrong@{HERE}",
    f"nagios%elsewhere.example@{HERE}",
    f"{'x' * 300}+{TOKEN}@{HERE}",
]


@pytest.mark.parametrize("address", NOBODY)
def test_any_other_recipient_is_refused_and_nothing_is_relayed(post: Post, address: str) -> None:
    with post.connect() as client:
        client.ehlo()
        client.mail("nagios@host.example")
        code, said = client.rcpt(address)
        assert code in {550, 553}
        assert TOKEN.encode() not in said
        assert client.docmd("DATA")[0] == 503
    assert post.entries() == []
    until(lambda: code == 553 or post.site.counts.refused["", "no_mailbox"] == 1)


def test_a_wrong_source_and_a_wrong_token_are_answered_alike(post: Post) -> None:
    with post.connect() as client:
        client.ehlo()
        client.mail("nagios@host.example")
        said = {client.rcpt(each) for each in (f"nagios+wrong@{HERE}", f"nobody+wrong@{HERE}", "a@b.example")}
    assert len(said) == 1


def test_who_guesses_is_shown_out(post: Post) -> None:
    with post.connect() as client:
        client.ehlo()
        client.mail("nagios@host.example")
        codes = [client.rcpt(f"nagios+guess{number}@{HERE}")[0] for number in range(5)]
        assert codes == [550, 550, 550, 550, 421]
        with pytest.raises(smtplib.SMTPServerDisconnected):
            client.noop()


def test_a_source_that_may_send_from_elsewhere_only_is_refused(post: Post) -> None:
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        post.send(mail(), f"fenced+{TOKEN}@{HERE}")
    ((code, _),) = refused.value.recipients.values()
    assert code == 550


def test_a_source_that_sends_more_than_was_agreed_is_to_try_again(post: Post) -> None:
    with closing(post.connect()) as client:
        client.ehlo()
        answers = []
        for number in range(12):
            client.mail("nagios@host.example")
            client.rcpt(f"slow+{TOKEN}@{HERE}")
            answers.append(client.data(b"From: a@b.example\r\nSubject: %d\r\n\r\n" % number)[0])
    assert answers[:10] == [250] * 10
    assert 451 in answers[10:]


def test_a_source_without_its_secret_says_to_try_again(post: Post) -> None:
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        post.send(mail(), f"unset+{TOKEN}@{HERE}")
    ((code, _),) = refused.value.recipients.values()
    assert code == 451


def test_what_cannot_be_made_durable_is_451_and_kept_by_the_sender(redis: Redis, redis_url: str) -> None:
    async def broken(_: object) -> list[Any]:
        raise ConnectionError

    with taking(redis, redis_url, append=broken) as post:
        with pytest.raises(smtplib.SMTPDataError) as refused:
            post.send(mail())
        assert refused.value.smtp_code == 451
    weak = Finding("refuse", "appendonly is no", "set it to yes")
    with taking(redis, redis_url, findings=(weak,)) as post:
        with pytest.raises(smtplib.SMTPDataError) as refused:
            post.send(mail())
        assert refused.value.smtp_code == 451


def test_a_mail_larger_than_its_source_takes_is_refused(post: Post) -> None:
    for size in (60_000, 1_100_000):
        with pytest.raises(smtplib.SMTPResponseException) as refused:
            post.send(mail(text=("x" * 60 + "\n") * (size // 60)))
        assert refused.value.smtp_code == 552
    assert post.entries() == []
    post.send(mail())
    assert len(post.signals()) == 1


def test_one_that_never_ends_is_cut_off(post: Post) -> None:
    with post.connect() as client:
        client.ehlo()
        client.mail("nagios@host.example")
        client.rcpt(MINE)
        assert client.docmd("DATA")[0] == 354
        assert client.sock is not None
        with pytest.raises(OSError):  # noqa: PT011  # broken pipe or reset, as it happens
            flood(client.sock)
    assert post.entries() == []


def flood(connected: socket.socket) -> None:
    for _ in range(4000):
        connected.sendall(b"x" * 65_536)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\r\n",
        b"no header at all",
        b"Subject: nobody wrote it\r\n\r\nx",
        b"From: \xff\xfe\x00\r\n\r\n\xff",
        b"From: a@b.example\r\nContent-Type: " + b"multipart/mixed; boundary=x;" * 200 + b"\r\n\r\n",
        b"From: a@b.example\r\n" + b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n" * 200,
    ],
)
def test_what_cannot_be_read_is_a_dead_letter(post: Post, raw: bytes) -> None:
    post.send(raw)
    assert post.signals() == []
    (letter,) = dead.listing(post.redis, post.keys).letters
    assert letter.source == "nagios"
    assert letter.why


@pytest.mark.parametrize(
    "line", [b"x" * 100_000, b"EHLO " + b"x" * 5000, b"\xff\x00\xfe", b"GET / HTTP/1.1", b""]
)
def test_what_is_no_smtp_is_answered_and_harms_nobody(post: Post, line: bytes) -> None:
    with socket.create_connection(("127.0.0.1", post.mail_port), 10) as raw:
        raw.sendall(line + b"\r\n")
        said = raw.makefile("rb")
        greeting, answer = said.readline(), said.readline()
        assert greeting.startswith(b"220 ")
        assert answer.startswith(b"5")
    post.send(mail())
    assert len(post.signals()) == 1


def test_so_many_connections_of_one_and_no_more(post: Post) -> None:
    clients = [post.connect() for _ in range(8)]
    with pytest.raises(smtplib.SMTPConnectError) as refused:
        post.connect()
    assert refused.value.smtp_code == 421
    for client in clients:
        client.close()
    until(lambda: _sends(post))


def _sends(post: Post) -> bool:
    try:
        post.send(mail())
    except smtplib.SMTPConnectError:
        return False
    return True


@contextmanager
def logged_in(post: Post, room: Path, user: str, password: str) -> Iterator[smtplib.SMTP]:
    context = ssl.create_default_context(cafile=str(room / "server.pem"))
    context.check_hostname = False
    with closing(post.connect()) as client:
        client.starttls(context=context)
        client.login(user, password)
        yield client


def test_who_logs_in_as_a_source_writes_to_its_name(redis: Redis, redis_url: str, tmp_path: Path) -> None:
    with taking(redis, redis_url, room=tmp_path) as post:
        with logged_in(post, tmp_path, "nagios", TOKEN) as client:
            client.sendmail("ups@host.example", [f"nagios@{HERE}"], mail().as_bytes())
            with pytest.raises(smtplib.SMTPRecipientsRefused):
                client.sendmail("ups@host.example", [f"ups@{HERE}", "anna@elsewhere.example"], b"x")
        assert [each.event.source for each in post.signals()] == ["nagios"]
        for user, password in (("nagios", "wrong"), ("nobody", TOKEN), ("", ""), ("alertmanager", TOKEN)):
            with pytest.raises(smtplib.SMTPAuthenticationError), logged_in(post, tmp_path, user, password):
                pass


def test_nobody_logs_in_without_tls(redis: Redis, redis_url: str, tmp_path: Path, post: Post) -> None:
    with taking(redis, redis_url, room=tmp_path) as secured:
        for each in (secured, post):
            with each.connect() as client:
                client.ehlo()
                assert not client.has_extn("auth")
                assert client.docmd("AUTH", "PLAIN AG5hZ2lvcwBhbS10b2tlbg==")[0] >= 500


def test_without_a_domain_the_public_urls_counts(redis: Redis, redis_url: str) -> None:
    with taking(redis, redis_url, domain="", public_url="https://tocsin.example/x") as post:
        post.send(mail(), f"nagios+{TOKEN}@Tocsin.Example")
        assert len(post.signals()) == 1


def test_without_any_domain_no_mail_is_taken_and_that_is_said(redis: Redis, redis_url: str) -> None:
    with taking(redis, redis_url, domain="", policy=replace(KNOWN, public_url="")) as post:
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            post.send(mail(), f"nagios+{TOKEN}@")
        until(lambda: "TOCSIN_MAIL_DOMAIN" in str(post.get("/readyz").json()["warnings"]))


def test_a_port_that_is_taken_is_tried_again_and_the_rest_goes_on(redis: Redis, redis_url: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        settings = ReceiverSettings(
            ledger=LedgerSettings(redis_url=redis_url), mail_port=taken.getsockname()[1], mail_domain=HERE
        )
        with running(redis, redis_url, policy=KNOWN, settings=settings) as found:
            until(lambda: "mail is not taken" in str(found.get("/readyz").json()["warnings"]))
            assert found.get("/healthz").status_code == 200


def test_what_is_not_configured_listens_nowhere(reception: Reception) -> None:
    assert not [thread for thread in threading.enumerate() if thread.name == "mail"]


def test_a_provider_may_post_the_mail_itself(post: Post) -> None:
    headers = {"authorization": f"Bearer {TOKEN}", "content-type": "message/rfc822"}
    assert post.post("/hooks/nagios", mail().as_bytes(), headers).status_code == 202
    assert post.signals()[0].event.title == "Host DOWN: web-1"
