"""Signature schemes, each by a value that is known to be right, and pitfalls that others have fallen into."""

import hashlib
import hmac
from base64 import b64encode
from typing import Any

import pytest
from reception import HERE

from ledger import catalogue
from receiver import hmacs, standard_signature
from receiver.sources import (
    circleci,
    generic,
    github,
    gitlab,
    grafana,
    pagerduty,
    slack,
    standard_webhooks,
    statuscake,
    supabase,
    twilio_debugger,
)
from routing.errors import BadSignature
from routing.policy import Source
from routing.ports import Inbound, SourceModule

STANDARD = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
MESSAGE = b'{"test": 2432232314}'
SLACK = (
    "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar"
    "&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
    "&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
    "&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
)
AT = 1_614_265_330
RIGHT = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def source(vendor: str, **settings: Any) -> Source:
    return Source(vendor, vendor, ("x",), HERE, settings=settings)


def accepts(
    module: SourceModule | Any,
    body: bytes,
    headers: dict[str, str],
    *secrets: str,
    now: int = AT * 1000,
    **settings: Any,
) -> bool:
    try:
        module.verify(Inbound(body, headers, {}, now), secrets, source("x", **settings))
    except BadSignature:
        return False
    return True


def standard(signature: str, at: int = AT, id_: str = "msg_p5jXN8AQM9LWM0D4loKWxJek") -> dict[str, str]:
    return {"webhook-id": id_, "webhook-timestamp": str(at), "webhook-signature": signature}


# ── known to be right ────────────────────────────────────────────────────────────────────────────────────


def test_githubs_own_example() -> None:
    right = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    secret = "It's a Secret to Everybody"
    assert accepts(github, b"Hello, World!", {"x-hub-signature-256": right}, "older", secret)
    assert not accepts(github, b"Hello, World?", {"x-hub-signature-256": right}, secret)
    assert not accepts(
        github, b"Hello, World!", {"x-hub-signature-256": right.replace("sha256=", "sha1=")}, secret
    )
    sha1 = hmac.new(secret.encode(), b"Hello, World!", "sha1").hexdigest()
    assert not accepts(github, b"Hello, World!", {"x-hub-signature": f"sha1={sha1}"}, secret)


def test_grafanas_plain_and_timed_signatures() -> None:
    name = "x-grafana-alerting-signature"
    plain = "3bcebf43c85d20bba6e3b6ba278af1d2ba3ab0d57de271b0ad30b833e851c5a6"
    timed = "70307cbc29c38a0a4c19c9f9f3d7c7f0487a93788efcf8389c45d9d2df0c1c2f"
    header: dict[str, Any] = {"timestamp_header": "X-At"}
    assert accepts(grafana, b"test message", {name: plain}, "secret")
    assert accepts(grafana, b"test message", {name: timed, "x-at": str(AT)}, "secret", **header)
    assert not accepts(grafana, b"test message", {name: plain, "x-at": str(AT)}, "secret", **header)
    assert not accepts(grafana, b"test message", {name: plain}, "secret", **header)
    assert not accepts(
        grafana, b"test message", {name: timed, "x-at": str(AT)}, "secret", now=(AT + 301) * 1000, **header
    )


def test_circlecis_own_example_and_no_version_but_the_first() -> None:
    right = "734cc62f32841568f45715aeb9f4d7891324e6d948e4c6c60c0621cdac48623a"
    body, name = b"hello world", "circleci-signature"
    assert accepts(circleci, body, {name: f"v1={right}"}, "secret")
    assert accepts(circleci, body, {name: f"v2=00,v1=00, v1={right}"}, "secret")
    for wrong in (
        f"v2={right}",
        right,
        f"v1={right[:-1]}",
        f"v1={right.upper()}",
        f"v1 ={right}",
        f"v1=v1={right}",
        "v1=",
        "",
    ):
        assert not accepts(circleci, body, {name: wrong}, "secret")


def test_slacks_own_example() -> None:
    body = SLACK.encode()
    headers = {
        "x-slack-request-timestamp": "1531420618",
        "x-slack-signature": "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
    }
    at = 1_531_420_618_000
    assert accepts(slack, body, headers, "8f742231b10e8888abcd99yyyzzz85a5", now=at)
    assert not accepts(slack, body, headers, "8f742231b10e8888abcd99yyyzzz85a5", now=at + 301_000)
    assert not accepts(
        slack,
        body,
        {**headers, "x-slack-request-timestamp": "1531420619"},
        "8f742231b10e8888abcd99yyyzzz85a5",
        now=at,
    )
    [event] = slack.parse(Inbound(body, headers, {}, at), source("slack")).events
    assert (event.kind, event.labels["command"]) == ("command", "/webhook-collect")


def test_several_signatures_of_pagerduty_count_while_a_secret_is_rolled() -> None:
    digest = hmac.new(b"new", MESSAGE, "sha256").hexdigest()
    assert accepts(pagerduty, MESSAGE, {"x-pagerduty-signature": f"v1={'0' * 64},v1={digest}"}, "new")
    assert not accepts(pagerduty, MESSAGE, {"x-pagerduty-signature": f"v0={digest}"}, "new")
    many = ",".join(["v1=00"] * 16 + [f"v1={digest}"])
    assert not accepts(pagerduty, MESSAGE, {"x-pagerduty-signature": many}, "new"), "a list has an end"


def test_twilios_own_example() -> None:
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    form = (
        b"CallSid=CA1234567890ABCDE&Digits=1234&From=%2B14158675309&To=%2B18005551212&Caller=%2B14158675309"
    )
    right = {"x-twilio-signature": "RSOYDt4T1cUTdK1PDd93/VVr8B8="}
    assert accepts(twilio_debugger, form, right, "12345", url=url)
    assert not accepts(twilio_debugger, form, right, "12345", url=url.replace("=1", "=2"))
    assert not accepts(twilio_debugger, form, right, "12345")
    assert not accepts(twilio_debugger, form + b"&More=1", right, "12345", url=url)


def test_statuscakes_token_is_made_of_user_and_key() -> None:
    form = b"Status=Down&TestID=1&Token=35ea5b1f2bcaf7d4d0beb07e05131149"
    assert accepts(statuscake, form, {}, "annakey")
    assert not accepts(statuscake, form[:-1], {}, "annakey")
    assert not accepts(statuscake, form, {"authorization": "Bearer wrong"}, "annakey")
    assert not accepts(statuscake, b"Token=d41d8cd98f00b204e9800998ecf8427e", {}, "")
    assert not accepts(statuscake, b"\xff", {}, "annakey")


@pytest.mark.parametrize("module", [standard_webhooks, supabase, gitlab])
def test_the_specifications_own_standard_webhook(module: Any) -> None:
    assert accepts(module, MESSAGE, standard(RIGHT), STANDARD)
    assert accepts(module, MESSAGE, standard(RIGHT), f"v1,{STANDARD}"), "as Supabase stores it"
    assert accepts(module, MESSAGE, standard(RIGHT), f"v1,whsec_b2xk|v1,{STANDARD}"), "as Supabase rolls it"
    assert accepts(module, MESSAGE, standard(f"v1,AAA= {RIGHT}"), STANDARD)
    assert accepts(module, MESSAGE, standard(f"v1,AAA=, {RIGHT}"), STANDARD), "as Supabase joins them"
    assert accepts(module, MESSAGE, standard(f"v1a,AAA= {RIGHT}"), STANDARD), "another version beside it"


@pytest.mark.parametrize(
    "signature",
    [RIGHT[3:], f"v2,{RIGHT[3:]}", f"v1a,{RIGHT[3:]}", f"v1,v1,{RIGHT[3:]}", f"{RIGHT[3:]},v1", RIGHT[:-1], RIGHT + "A",
     f"v1={RIGHT[3:]}", "v1,", "v1", ",", " ", "v1, ", f"V1,{RIGHT[3:]}", "v1,é", " ".join(["v1,AAA="] * 20 + [RIGHT]), "v1,A= " * 4000],
)  # fmt: skip
def test_a_list_of_signatures_is_read_as_pairs(signature: str) -> None:
    """CVE-2025-53548: a forgery was let through by the way the list was taken apart."""
    assert not accepts(standard_webhooks, MESSAGE, standard(signature), STANDARD)


def test_the_signed_id_and_time_are_those_that_count() -> None:
    assert not accepts(standard_webhooks, MESSAGE, standard(RIGHT, id_="msg_other"), STANDARD)
    assert not accepts(standard_webhooks, MESSAGE, standard(RIGHT, at=AT + 1), STANDARD)
    assert not accepts(standard_webhooks, MESSAGE, standard(RIGHT), STANDARD, now=(AT + 301) * 1000)
    assert not accepts(standard_webhooks, MESSAGE, standard(RIGHT), STANDARD, now=(AT - 301) * 1000)
    assert not accepts(standard_webhooks, MESSAGE, {**standard(RIGHT), "webhook-timestamp": "١"}, STANDARD)


@pytest.mark.parametrize("secret", ["", " ", "whsec_", "v1,whsec_", "|", "v1,whsec_|"])
def test_an_empty_secret_verifies_nothing(secret: str) -> None:
    """A verifier that fails open: convoy 2656. The empty key's signature is anybody's."""
    made = b64encode(hmac.digest(b"", b"m.%d." % AT + MESSAGE, "sha256")).decode()
    assert list(standard_signature.keys([secret])) == []
    assert not accepts(standard_webhooks, MESSAGE, standard(f"v1,{made}", id_="m"), secret)
    assert not hmacs.matches(
        "sha256", MESSAGE, hmac.new(secret.encode(), MESSAGE, "sha256").hexdigest(), [" "]
    )


# ── pitfalls ─────────────────────────────────────────────────────────────────────────────────────────────


def test_a_hook_that_is_signed_wrongly_is_not_saved_by_a_token() -> None:
    headers = {**standard("v1,AAA="), "authorization": f"Bearer {STANDARD}"}
    assert not accepts(supabase, MESSAGE, headers, STANDARD)
    assert not accepts(gitlab, MESSAGE, {**standard("v1,AAA="), "x-gitlab-token": STANDARD}, STANDARD)
    wrong = {"x-grafana-alerting-signature": "0" * 64, "authorization": "Bearer secret"}
    assert not accepts(grafana, MESSAGE, wrong, "secret")


def test_a_source_that_must_be_signed_takes_no_token() -> None:
    scheme: dict[str, Any] = {"signature": {"header": "X-Sig", "algorithm": "sha512", "prefix": "sha512="}}
    digest = hmac.new(b"key", MESSAGE, hashlib.sha512).hexdigest()
    assert accepts(generic, MESSAGE, {"x-sig": f"sha512={digest}"}, "key", **scheme)
    assert not accepts(generic, MESSAGE, {"x-sig": digest}, "key", **scheme)
    assert not accepts(generic, MESSAGE, {"x-sig": "sha512="}, "key", **scheme)
    assert not accepts(generic, MESSAGE, {"authorization": "Bearer key"}, "key", **scheme)


@pytest.mark.parametrize(
    "scheme", [{}, {"header": "X"}, {"header": "X", "algorithm": "md5"}, "sha256", [], 1]
)
def test_a_scheme_that_is_unknown_lets_nothing_in(scheme: Any) -> None:
    digest = hmac.new(b"key", MESSAGE, "md5").hexdigest()
    assert not accepts(
        generic, MESSAGE, {"x": digest, "authorization": "Bearer key"}, "key", signature=scheme
    )


def test_what_is_signed_is_the_body_as_it_was_sent() -> None:
    """Sentry's documentation signs JSON written anew; its source signs the bytes it sends."""
    spaced = b'{"a": 1,   "data": {}}'
    digest = hmac.new(b"key", spaced, "sha256").hexdigest()
    sentry = catalogue.source("sentry")
    assert accepts(sentry, spaced, {"sentry-hook-signature": digest}, "key")
    assert not accepts(sentry, spaced.replace(b" ", b""), {"sentry-hook-signature": digest}, "key")
