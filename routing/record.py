"""What every stored thing has in common: an immutable, typed, versioned record and its JSON form.

All instants in records are integers: milliseconds since the Unix epoch, UTC, in fields named `…_at` or
`at`; all durations are milliseconds in fields named `…_ms`.
"""

from typing import Any, TypeVar

import msgspec


class Record(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Base of every record. Unknown fields are ignored, so that the last release's data stays readable.

    Data alone, read from JSON or made of it, is part of no cycle: the collector needs to know of none of it.
    """


R = TypeVar("R", bound=Record)

_encoder = msgspec.json.Encoder()


def encode(record: Record) -> bytes:
    return _encoder.encode(record)


def decode(kind: type[R], raw: bytes | str) -> R:
    """Read one record. Raises msgspec.ValidationError or msgspec.DecodeError when it is not one."""
    return _decoder(kind).decode(raw)


_decoders: dict[type[Record], msgspec.json.Decoder[Any]] = {}


def _decoder(kind: type[R]) -> msgspec.json.Decoder[R]:
    found = _decoders.get(kind)
    if found is None:
        found = _decoders[kind] = msgspec.json.Decoder(kind)
    return found
