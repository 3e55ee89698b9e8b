"""How a vendor is pointed here: its steps, and the request that would be taken, without knowing any secret."""

import re
import shlex
from dataclasses import dataclass

from ledger import catalogue
from ledger.clock import now_ms
from routing.policy import Source
from routing.policy.secret import Secret

_SECRET = "SECRET-OF-THE-SOURCE"  # noqa: S105  # stands where the shell puts the real one
_BODY = b"{}"
_MARKS = re.compile(r"[`*](\S[^`*]*)[`*]")
"""Of the documentation's Markdown."""


@dataclass(frozen=True, slots=True)
class Pointing:
    """`curl` "" where the vendor signs each body: then `send` signs as it would, with the receiver's secret."""

    title: str
    address: str
    verified: str
    steps: str
    secrets: tuple[str, ...]
    curl: str
    samples: tuple[str, ...]
    send: str


def pointing(source: Source, public_url: str) -> Pointing:
    """Of a source that takes requests. Raises KeyError when there is no such vendor."""
    module = catalogue.source(source.vendor)
    path = getattr(module, "PATH", f"/hooks/{source.name}")
    address = public_url.rstrip("/") + path
    names = tuple(each.name for each in source.secrets if isinstance(each, Secret))
    samples = catalogue.samples(source.vendor)
    checked = _MARKS.sub(r"\1", getattr(module, "VERIFIED", ""))
    send = f"tocsin send {source.name} {next(iter(samples), '')}".strip()
    steps = _steps(module.SETUP, source, public_url)
    return Pointing(
        module.TITLE, address, checked, steps, names, _curl(source, address, names), samples, send
    )


def _steps(text: str, source: Source, public_url: str) -> str:
    """With our own address, and this source's name where the vendor's stands for it."""
    there = public_url.rstrip("/")
    return (
        _MARKS.sub(r"\1", text)
        .replace("https://<tocsin>", there)
        .replace("<tocsin>", there.partition("://")[2])
        .replace(f"/hooks/{source.vendor}", f"/hooks/{source.name}")
    )


def _curl(source: Source, address: str, names: tuple[str, ...]) -> str:
    """The request, where the secret travels in a header as it is; "" where each body is signed."""
    try:
        headers = catalogue.source(source.vendor).sign(_BODY, _SECRET, now_ms())
    except ValueError:
        return ""
    if not names or not any(_SECRET in value for value in headers.values()):
        return ""
    lines = [f"curl -sS {shlex.quote(address)}"]
    lines += [
        f"  -H {_header(name, value, names[0])}" for name, value in headers.items() if name != "user-agent"
    ]
    return " \\\n".join([*lines, "  --data-binary @body.json"])


def _header(name: str, value: str, secret: str) -> str:
    """In double quotes, for the shell is to put the secret in."""
    if _SECRET not in value:
        return shlex.quote(f"{name}: {value}")
    return f'"{name}: {value.replace(_SECRET, f"${secret}")}"'
