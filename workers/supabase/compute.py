"""The size of the machine that the database runs on, and what the next larger one costs."""

from typing import Any

from pydantic import Field

from routing.entry import Outcome
from routing.errors import ActionError
from routing.ports import Step
from workers import once
from workers.supabase import api
from workers.supabase.api import Project

_PATH = "billing/addons"
_TYPE = "compute_instance"
_HOURS_A_MONTH = 730


class Compute(Project):
    """`max_monthly`: dearer than this, in US dollars a month, is refused."""

    variant: str = Field(pattern=r"^ci_[a-z0-9_]{2,40}$")
    max_monthly: float = Field(gt=0)


def machine(step: Step, params: Project) -> dict[str, Any]:
    """{"variant", "monthly", "larger": {"variant", "monthly"} | null}: what runs, and the next dearer there is, in US
    dollars a month. `variant` "" where none was ever chosen, and then nobody can tell which would be larger.
    """
    addons = api.read(step, api.address(step, params, _PATH))
    chosen = _selected(addons)
    now = _monthly(chosen)
    priced = [
        (cost, str(each.get("id", ""))) for each in _offered(addons) if (cost := _monthly(each)) is not None
    ]
    larger = min((each for each in priced if now is not None and each[0] > now), default=None)
    return {
        "variant": str(chosen.get("id", "")),
        "monthly": now,
        "larger": {"variant": larger[1], "monthly": larger[0]} if larger else None,
    }


def compute(step: Step, params: Compute) -> dict[str, Any]:
    """{"variant", "was", "monthly"}: choosing `was` takes it back; "" where none was ever chosen. The database
    restarts.
    """
    addons = api.read(step, api.address(step, params, _PATH))
    before = _selected(addons)
    if before.get("id") == params.variant:
        return {"variant": params.variant, "was": params.variant, "already": True}
    price = _price(_variant(addons, params.variant), params)
    done = {"variant": params.variant, "was": before.get("id", ""), "monthly": price}

    def look() -> dict[str, Any] | None:
        found = _selected(api.read(step, api.address(step, params, _PATH)))
        return done if found.get("id") == params.variant else None

    def ask() -> dict[str, Any]:
        body = {"addon_type": _TYPE, "addon_variant": params.variant}
        api.change(step, "PATCH", api.address(step, params, _PATH), body)
        return done

    return once.settled(look, ask)


def _selected(addons: dict[str, Any]) -> dict[str, Any]:
    """The variant that runs; {} when none was ever chosen."""
    found = next((each for each in _listed(addons, "selected_addons") if each.get("type") == _TYPE), {})
    variant = found.get("variant")
    return variant if isinstance(variant, dict) else {}


def _variant(addons: dict[str, Any], wanted: str) -> dict[str, Any]:
    variants = _offered(addons)
    found = next((each for each in variants if each.get("id") == wanted), None)
    if found is None:
        known = ", ".join(str(each.get("id")) for each in variants) or "none"
        raise ActionError(f"Supabase does not offer {wanted} here: there are {known}")
    return found


def _offered(addons: dict[str, Any]) -> list[dict[str, Any]]:
    offers = next((each for each in _listed(addons, "available_addons") if each.get("type") == _TYPE), {})
    return _listed(offers, "variants")


def _price(variant: dict[str, Any], params: Compute) -> float:
    """US dollars a month. Raises ActionError when it is more than is allowed, or not told."""
    monthly = _monthly(variant)
    if monthly is None:
        raise ActionError(f"what {params.variant} costs is not told", outcome=Outcome.REFUSED)
    if monthly > params.max_monthly:
        raise ActionError(
            f"{params.variant} costs {monthly:g} USD a month, more than {params.max_monthly:g}",
            outcome=Outcome.REFUSED,
        )
    return monthly


def _monthly(variant: dict[str, Any]) -> float | None:
    """US dollars a month; None when it is not told."""
    price = variant.get("price")
    told = price if isinstance(price, dict) else {}
    amount = told.get("amount")
    if not isinstance(amount, int | float):
        return None
    return round(amount * (_HOURS_A_MONTH if told.get("interval") == "hourly" else 1), 2)


def _listed(found: dict[str, Any], name: str) -> list[dict[str, Any]]:
    listed = found.get(name)
    return [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []


def plan_machine(step: Step, params: Project) -> dict[str, Any]:
    return api.would(step, params, "GET", _PATH)


def plan(step: Step, params: Compute) -> dict[str, Any]:
    return api.would(
        step, params, "PATCH", _PATH, json={"addon_type": _TYPE, "addon_variant": params.variant}
    )
