"""Amounts of money as payment providers send them: a whole number of the currency's smallest unit."""

from collections.abc import Mapping
from typing import Any

_NO_DECIMALS = frozenset(
    [
        "bif",
        "clp",
        "djf",
        "gnf",
        "jpy",
        "kmf",
        "krw",
        "mga",
        "pyg",
        "rwf",
        "ugx",
        "vnd",
        "vuv",
        "xaf",
        "xof",
        "xpf",
    ]
)
_THREE_DECIMALS = frozenset(["bhd", "jod", "kwd", "omr", "tnd"])
_NAMES = ("amount", "amount_due", "amount_total", "total")


def amount_of(holder: Mapping[str, Any]) -> str:
    """What a payment object is about ("49.00 PLN"), or "" when it has no amount."""
    currency = holder.get("currency")
    for name in _NAMES:
        found = holder.get(name)
        if type(found) is int and isinstance(currency, str):
            return written(found, currency)
    return ""


def written(amount: int, currency: str) -> str:
    """`amount` is in the smallest unit: 4900 "pln" is "49.00 PLN", 4900 "jpy" is "4900 JPY"."""
    code = currency.lower()[:8]
    places = 0 if code in _NO_DECIMALS else 3 if code in _THREE_DECIMALS else 2
    if not places:
        return f"{amount} {code.upper()}"
    sign, digits = "-" if amount < 0 else "", str(abs(amount)).zfill(places + 1)
    return f"{sign}{digits[:-places]}.{digits[-places:]} {code.upper()}"
