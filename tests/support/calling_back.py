"""Twilio calling the receiver back, signed as it signs."""

from collections.abc import Iterable
from urllib.parse import urlencode

import httpx2
from reception import Reception

from receiver import twilio_signature

PUBLIC = "https://tocsin.example"


def signature(
    url: str, fields: Iterable[tuple[str, str]], secret: str = "12345", algorithm: str = "sha1"
) -> str:
    tail = "".join(name + value for name, value in sorted(fields))
    return twilio_signature.sign(url, tail, secret, algorithm)


def call(reception: Reception, path: str, form: dict[str, str], **headers: str) -> httpx2.Response:
    headers = {"x-twilio-signature": signature(PUBLIC + path, form.items()), **headers}
    form_type = {"content-type": "application/x-www-form-urlencoded"}
    return reception.post(path, urlencode(form).encode(), {**form_type, **headers})
