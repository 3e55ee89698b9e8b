"""ECDSA over P-256 with SHA-256, checking only: there is nothing secret in it that its timing could tell.

Sources: FIPS 186-5 section 6.4.2 (verification), SP 800-186 (the curve), RFC 5480 (public keys), X.690 (DER). The
standard library has none; for a few reports of mail an hour a library of 4 MB in the process that faces the internet is
not worth it.
"""

import binascii
import hashlib
from base64 import b64decode
from functools import lru_cache
from typing import Final

Point = tuple[int, int, int]
"""In Jacobian coordinates: x/z^2, y/z^3; z is 0 at infinity."""

_P: Final = 2**256 - 2**224 + 2**192 + 2**96 - 1
_N: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_B: Final = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
_G: Final[Point] = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
    1,
)
_NOWHERE: Final[Point] = (1, 1, 0)
_HEAD: Final = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004")
"""What every public key on this curve begins with: its algorithm, the curve, and that the point is written whole."""


def verify(public_key: str, signature: str, message: bytes) -> bool:
    """Both in base64, of DER. Raises ValueError when the public key is none of this curve."""
    key = _key(public_key)
    try:
        r, s = _pair(b64decode(signature, validate=True))
    except (ValueError, binascii.Error):
        return False
    if not (0 < r < _N and 0 < s < _N):
        return False
    digest = int.from_bytes(hashlib.sha256(message).digest(), "big")
    inverse = pow(s, -1, _N)
    x, _, z = _sum(digest * inverse % _N, r * inverse % _N, key)
    return z != 0 and x * pow(z, -2, _P) % _P % _N == r


@lru_cache(maxsize=8)
def _key(public_key: str) -> Point:
    try:
        der = b64decode("".join(public_key.split()), validate=True)
    except binascii.Error as error:
        raise ValueError("the public key is not base64") from error
    if len(der) != len(_HEAD) + 64 or not der.startswith(_HEAD):
        raise ValueError("the public key is not one of P-256, as the vendor shows it")
    x, y = (int.from_bytes(der[at : at + 32], "big") for at in (len(_HEAD), len(_HEAD) + 32))
    if not (x < _P and y < _P and (y * y - (x * x * x - 3 * x + _B)) % _P == 0):
        raise ValueError("the public key is not a point of P-256")
    return x, y, 1


def _pair(der: bytes) -> tuple[int, int]:
    """SEQUENCE { INTEGER, INTEGER } with nothing around it. Raises ValueError."""
    inner, rest = _element(der, 0x30)
    first, more = _element(inner, 0x02)
    second, end = _element(more, 0x02)
    if rest or end:
        raise ValueError("something after the signature")
    return _whole(first), _whole(second)


def _element(der: bytes, tag: int) -> tuple[bytes, bytes]:
    """Its content and what follows it. All lengths here are below 128, so one byte says them."""
    if len(der) < 2 or der[0] != tag or der[1] > 0x7F or len(der) < 2 + der[1]:  # noqa: PLR2004
        raise ValueError("not DER")
    return der[2 : 2 + der[1]], der[2 + der[1] :]


def _whole(content: bytes) -> int:
    """Positive and in its shortest form, as DER wants it."""
    padded = len(content) > 1 and content[0] == 0 and content[1] < 0x80  # noqa: PLR2004
    if not content or content[0] >= 0x80 or padded:  # noqa: PLR2004
        raise ValueError("not a positive number")
    return int.from_bytes(content, "big")


def _sum(a: int, b: int, q: Point) -> Point:
    """a·G + b·Q, both at once, bit by bit."""
    both, found = _add(_G, q), _NOWHERE
    for bit in range(max(a.bit_length(), b.bit_length()) - 1, -1, -1):
        found = _double(found)
        on = a >> bit & 1, b >> bit & 1
        if any(on):
            found = _add(found, both if all(on) else _G if on[0] else q)
    return found


def _double(point: Point) -> Point:
    x, y, z = point
    if not z or not y:
        return _NOWHERE
    yy = y * y % _P
    s = 4 * x * yy % _P
    m = 3 * (x - z * z) * (x + z * z) % _P
    xx = (m * m - 2 * s) % _P
    return xx, (m * (s - xx) - 8 * yy * yy) % _P, 2 * y * z % _P


def _add(one: Point, other: Point) -> Point:
    if not one[2]:
        return other
    if not other[2]:
        return one
    (x1, y1, z1), (x2, y2, z2) = one, other
    zz1, zz2 = z1 * z1 % _P, z2 * z2 % _P
    u1, u2 = x1 * zz2 % _P, x2 * zz1 % _P
    s1, s2 = y1 * z2 * zz2 % _P, y2 * z1 * zz1 % _P
    if u1 == u2:
        return _double(one) if s1 == s2 else _NOWHERE
    h, r = u2 - u1, s2 - s1
    hh = h * h % _P
    hhh, v = h * hh % _P, u1 * hh % _P
    x = (r * r - hhh - 2 * v) % _P
    return x, (r * (v - x) - s1 * hhh) % _P, h * z1 * z2 % _P
