"""Signatures that are known to be right, most of them published by their vendors, and every forgery made from each."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from reception import HERE

from ledger import catalogue
from receiver import hmacs
from routing.errors import BadSignature
from routing.instant import SECOND
from routing.policy import Source
from routing.ports import Inbound

AT = 1_614_265_330
STANDARD = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
STANDARD_HEADERS = {"webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek", "webhook-timestamp": str(AT)}
STANDARD_RIGHT = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
GRAFANA = "x-grafana-alerting-signature"
SLACK = (
    "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar"
    "&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
    "&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
    "&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
)


@dataclass(frozen=True)
class Vector:
    """`header` holds `right`, before it `mark` where the scheme has one. `between`: two of a list, "" where it has none."""

    vendor: str
    secret: str
    body: bytes
    header: str
    right: str
    mark: str = ""
    between: str = ""
    beside: Mapping[str, str] = field(default_factory=dict)
    at: int = AT
    timed: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)
    before: str = ""
    """What the header begins with."""

    def holds(
        self, said: str = "", secret: str | None = None, body: bytes | None = None, late_s: int = 0
    ) -> bool:
        headers = {**self.beside, self.header: self.before + (said or self.mark + self.right)}
        now = (self.at + late_s) * SECOND
        inbound = Inbound(self.body if body is None else body, headers, {}, now)
        source = Source(self.vendor, self.vendor, ("x",), HERE, settings=self.settings)
        try:
            catalogue.source(self.vendor).verify(inbound, [self.secret if secret is None else secret], source)
        except BadSignature:
            return False
        return True


VECTORS = {
    "github": Vector(
        "github", "It's a Secret to Everybody", b"Hello, World!", "x-hub-signature-256",
        "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17", "sha256=",
    ),
    "circleci": Vector(
        "circleci", "secret", b"hello world", "circleci-signature",
        "734cc62f32841568f45715aeb9f4d7891324e6d948e4c6c60c0621cdac48623a", "v1=", ",",
    ),
    "slack": Vector(
        "slack", "8f742231b10e8888abcd99yyyzzz85a5", SLACK.encode(), "x-slack-signature",
        "a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503", "v0=",
        beside={"x-slack-request-timestamp": "1531420618"}, at=1_531_420_618, timed=True,
    ),
    **{
        vendor: Vector(
            vendor, STANDARD, b'{"test": 2432232314}', "webhook-signature", STANDARD_RIGHT[3:], "v1,", between,
            beside=STANDARD_HEADERS, timed=True,
        )
        for vendor, between in (("standard_webhooks", " "), ("supabase", ", "), ("gitlab", " "))
    },
    "twilio": Vector(
        "twilio_debugger", "12345",
        b"CallSid=CA1234567890ABCDE&Digits=1234&From=%2B14158675309&To=%2B18005551212&Caller=%2B14158675309",
        "x-twilio-signature", "RSOYDt4T1cUTdK1PDd93/VVr8B8=",
        settings={"url": "https://mycompany.com/myapp.php?foo=1&bar=2"},
    ),
    "stripe": Vector(
        "stripe", "whsec_test_secret", b'{"id":"evt_test_webhook","object":"event"}', "stripe-signature",
        "3c5817089d739023dd6190f70a3757e04f7a2fd8b5dab12c2e000f51970dccff", "v1=", ",", timed=True, before=f"t={AT},",
    ),
    "vercel": Vector(
        "vercel", "vercel_secret", b'{"id":"evt_1","type":"deployment.error"}', "x-vercel-signature",
        "f47e440889e6a03e6361fb5c36852de505c6d1da",
    ),
    "grafana": Vector(
        "grafana", "secret", b"test message", GRAFANA, "3bcebf43c85d20bba6e3b6ba278af1d2ba3ab0d57de271b0ad30b833e851c5a6",
    ),
    "grafana, timed": Vector(
        "grafana", "secret", b"test message", GRAFANA, "70307cbc29c38a0a4c19c9f9f3d7c7f0487a93788efcf8389c45d9d2df0c1c2f",
        beside={"x-at": str(AT)}, timed=True, settings={"timestamp_header": "X-At"},
    ),
}  # fmt: skip
EACH = pytest.mark.parametrize("vector", VECTORS.values(), ids=VECTORS.keys())


def one_bit_each(right: str) -> Iterator[str]:
    """All of them but the two bits that base64 pads with."""
    for place in range(len(right) - 2 if right.endswith("=") else len(right)):
        for bit in range(7):
            yield right[:place] + chr(ord(right[place]) ^ 1 << bit) + right[place + 1 :]


@EACH
def test_it_holds_for_this_body_and_secret_alone(vector: Vector) -> None:
    assert vector.holds()
    assert not vector.holds(secret=vector.secret + "x")
    assert not vector.holds(body=vector.body + b" ")
    for place in range(len(vector.body)):
        other = bytearray(vector.body)
        other[place] ^= 1
        assert not vector.holds(body=bytes(other)), place


@EACH
def test_one_bit_of_it_is_another(vector: Vector) -> None:
    through = [said for said in one_bit_each(vector.right) if vector.holds(vector.mark + said)]
    assert through == []


@EACH
def test_truncated_it_is_none(vector: Vector) -> None:
    cuts = [vector.right[:end] for end in range(len(vector.right))] + [
        vector.right[1:],
        vector.right + vector.right[-1],
    ]
    assert [said for said in cuts if vector.holds(vector.mark + said or " ")] == []
    assert not vector.holds(" ")


@EACH
def test_under_a_wrong_prefix_it_is_none(vector: Vector) -> None:
    marks = [
        "",
        "v1=",
        "v2=",
        "v0=",
        "v1,",
        "v2,",
        "v1a,",
        "sha1=",
        "sha256=",
        "SHA256=",
        "V1=",
        "v1",
        "=",
        "v1=v1=",
        "v1,v1,",
    ]
    assert [each for each in marks if each != vector.mark and vector.holds(each + vector.right)] == []


@EACH
def test_an_empty_secret_makes_none(vector: Vector) -> None:
    """Neither for what was signed, nor for what anybody signs with nothing."""
    own = "sha1" if vector.vendor == "vercel" else "sha256"
    anybodys = vector.mark + hmacs.hexdigest(own, vector.body, "")
    for secret in ("", " ", "\t", "whsec_", "v1,whsec_", "|"):
        assert not vector.holds(secret=secret)
        assert not vector.holds(anybodys, secret=secret)


@EACH
def test_old_or_of_the_future_it_is_none_where_the_time_is_signed(vector: Vector) -> None:
    for late_s in (-4 * 60, 4 * 60):
        assert vector.holds(late_s=late_s)
    for late_s in (-301, 301, 3600, -3600, 10**9):
        assert vector.holds(late_s=late_s) is not vector.timed, late_s


@EACH
def test_a_list_of_them_may_have_it_anywhere(vector: Vector) -> None:
    right, wrong = vector.mark + vector.right, vector.mark + vector.right[::-1]
    for listed in ([wrong, right], [right, wrong], [wrong, right, wrong]):
        between = vector.between or ","
        assert vector.holds(between.join(listed)) is bool(vector.between), listed
        assert not vector.holds(between.join(wrong for _ in listed))


@EACH
@pytest.mark.parametrize("odd", ["é", "\xff", "\udcff", "\x00", "１", "ｖ", "😀"])
def test_a_header_that_is_not_ascii_is_refused_and_no_fault(vector: Vector, odd: str) -> None:
    right = vector.mark + vector.right
    for said in (odd, odd + right, right[:-1] + odd, right[:8] + odd + right[9:], odd * 3000):
        assert not vector.holds(said)
