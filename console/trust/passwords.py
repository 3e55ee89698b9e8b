"""Passwords: kept as scrypt makes them, so that whoever reads the database learns none of them."""

import hashlib
import hmac
import secrets
from base64 import b64decode, b64encode

SHORTEST, LONGEST = 12, 256
_N, _R, _P = 2**15, 8, 1
"""32 MB and a tenth of a second a try."""
_MOST_MEMORY = 64 * 1024 * 1024
NOBODY = "scrypt$32768$8$1$AAAAAAAAAAAAAAAAAAAAAA==$" + "A" * 43 + "="
"""What a name that nobody has is compared with, so that the time taken says nothing."""


def fault(password: str, name: str = "") -> str:
    """Why it will not do; "" when it will."""
    if len(password) < SHORTEST:
        return (
            f"a password has at least {SHORTEST} characters; a few words in a row are easy to type at night"
        )
    if len(password) > LONGEST:
        return f"a password has at most {LONGEST} characters"
    if len(set(password)) < SHORTEST // 3 or (name and name.lower() in password.lower()):
        return "that is too easy to guess; take a few words in a row"
    return ""


def kept(password: str) -> str:
    """What is stored: "scrypt$n$r$p$salt$hash"."""
    salt = secrets.token_bytes(16)
    return f"scrypt${_N}${_R}${_P}${b64encode(salt).decode()}${b64encode(_made(password, salt, _N, _R, _P)).decode()}"


def matches(password: str, stored: str) -> bool:
    """Whether it is the one that was stored. Takes as long for a name that nobody has: "" as `stored`."""
    _, n, r, p, salt, made = (stored or NOBODY).split("$")
    found = _made(password[:LONGEST], b64decode(salt), int(n), int(r), int(p))
    return hmac.compare_digest(found, b64decode(made)) and bool(stored)


def _made(password: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    given = password.encode("utf-8", "surrogatepass")
    return hashlib.scrypt(given, salt=salt, n=n, r=r, p=p, maxmem=_MOST_MEMORY, dklen=32)
