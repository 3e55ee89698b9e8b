"""Sources: what each sent and when, what was refused and why, how a vendor is pointed here, taking one aside."""

import json
from collections.abc import Mapping
from contextlib import suppress

from starlette.routing import Route

from console import readings
from console.charts import Column, columns
from console.doing import samples
from console.doing.runbooks import switch
from console.pointing import pointing
from console.refusals import Undecided
from console.serving.navigation import Nav
from console.serving.view import Facts, NotFound, View, act, page, trial
from console.sources import headers_of, one, rows
from console.trust.acts import Act
from ledger import arrivals, catalogue, rehearsals
from ledger.views.newest import newest
from routing import redaction
from routing.decision import Table
from routing.entry import SwitchSet
from routing.instant import HOUR
from routing.policy import Source
from routing.reason import Origin

NAV = Nav("Sources", "/sources", 40)
SHOWN = 16_384
"""Characters of a body on the page."""


def ask(view: View) -> Facts:
    found = sorted(rows(view.context, view.now), key=_first)
    wanted = view.query.get("vendor", "")
    vendors = catalogue.sources()
    return {
        "rows": [
            row | {"from_outside": bool(view.context.policy.sources[row["name"]].secrets)} for row in found
        ],
        "vendors": vendors,
        "wanted": _unconfigured(view, wanted) if wanted in vendors else None,
    }


def _first(row: Facts) -> tuple[bool, bool, bool, str]:
    """Those to look at first: quiet, taken aside, refused; then by name."""
    return not row["quiet_since"], not row["paused"], not row["refused"], row["name"]


def _unconfigured(view: View, vendor: str) -> Facts:
    """How a vendor that nothing comes from yet would be set up."""
    found = pointing(
        Source(vendor, vendor, (), Origin("config/sources.yaml")), view.context.policy.public_url
    )
    return {"vendor": vendor, "to": found}


def ask_one(view: View) -> Facts:
    source = _known(view)
    latest = newest(view.context.store, source.name)
    switched = view.context.store.records(Table.SWITCH, SwitchSet).get(f"pause:{source.name}")
    hours = arrivals.by_hour(view.site.client, view.site.keys, source.name, view.now)
    return {
        "one": one(view.context, source.name, view.now),
        "source": source,
        "paused": switched if switched and switched.on else None,
        "hours": columns([
            Column(f"{(view.now // HOUR - 23 + index) % 24:02}:00 UTC", count) for index, count in enumerate(hours)
        ]),
        "to": pointing(source, view.context.policy.public_url) if source.secrets else None,
        "latest": latest,
        "body": _pretty(latest.body.body) if latest and latest.body else "",
        "text": view.sent("body", SHOWN * 4),
        "headers": view.sent("headers"),
        "reading": _reading(view, source),
        "kept": "kept" in view.query,
        "asked": "sent" in view.query,
        "sent": rehearsals.answer_of(view.site.client, view.site.keys, view.query.get("sent", "")[:64]),
    }  # fmt: skip


def _known(view: View) -> Source:
    found = view.context.policy.sources.get(view.path["name"])
    if found is None:
        raise NotFound(f"no source {view.path['name'][:40]!r}")
    return found


def _pretty(raw: bytes) -> str:
    text = redaction.body(raw)
    with suppress(ValueError, RecursionError):
        text = json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    return text[:SHOWN] + (" …" if len(text) > SHOWN else "")


def _reading(view: View, source: Source) -> Mapping[str, object] | None:
    """What would become of the body that was typed; nothing is sent or kept."""
    text = view.sent("body", SHOWN * 4)
    if not text or not source.secrets:
        return None
    headers = headers_of(view.sent("headers").splitlines())
    return readings.as_rows(readings.read(view.context.policy, source, text.encode(), headers))


def _switched(view: View, *, on: bool) -> str:
    name = _known(view).name
    try:
        switch(view.context, view.who, f"pause:{name}", on=on, reason=view.sent("reason", 500))
    except Undecided:
        return f"/sources/{name}?kept=1"
    return f"/sources/{name}"


def pause(view: View) -> str:
    return _switched(view, on=True)


def resume(view: View) -> str:
    return _switched(view, on=False)


def send(view: View) -> str:
    source = _known(view)
    asked = samples.send(view.context, view.who, source, view.sent("sample", 200))
    return f"/sources/{source.name}?sent={asked}#send"


ROUTES = [
    Route("/sources", page(Act.READ, "sources.html", ask, "now")),
    Route("/sources/{name}", page(Act.READ, "source.html", ask_one, "now"), methods=["GET"]),
    Route("/sources/{name}", trial(Act.REHEARSE, "source.html", ask_one), methods=["POST"]),
    Route("/sources/{name}/send", act(Act.SEND_SAMPLE, send), methods=["POST"]),
    Route("/sources/{name}/pause", act(Act.PAUSE_SOURCE, pause), methods=["POST"]),
    Route("/sources/{name}/resume", act(Act.PAUSE_SOURCE, resume), methods=["POST"]),
]
