"""Pictures of the console's pages, as they are in the docs: `make screenshots`, which are looked at by a person."""

import sys
import tempfile
from pathlib import Path

import crowd
from browser import browsing
from playwright.sync_api import Browser
from scene import Scene, asked, attacked, keep_call, playing, refused_of, repaired
from touring import DESK, PHONE, touring

from console.trust.acts import Role
from ledger import dead
from ledger.clock import now_ms
from routing.entry import Verb
from routing.instant import HOUR, SECOND

DOCS = Path(__file__).parents[2] / "docs/pictures"
IN_DOCS = {
    "now-phone",
    "incident-phone",
    "incident-desk",
    "dead-desk",
    "call-phone",
    "oncall-desk",
    "policy-phone",
}
_TITLES = (
    ("Checkout fails for 5 % of customers", 1, "checkout"), ("Stripe webhooks are late", 2, "payments"),
    ("The site does not answer", 0, "site"), ("Database connections at 92 %", 2, "database"),
    ("Disk almost full on db-1", 3, "database"),
)  # fmt: skip
_WHYS = ("data.object.id: field required", "alerts[0].startsAt: not an instant as RFC 3339 writes it")


def set_out(scene: Scene) -> dict[str, str]:
    """What there is to see. Name of a page -> its address."""
    ids = [scene.opened(*each) for each in _TITLES]
    scene.does(ids[1], Verb.ACK, "ben")
    scene.does(ids[2], Verb.NOTE, "anna", text="the CDN answers, the origin does not")
    scene.until(ids[1], "acknowledged")
    client, keys = scene.desk.client, scene.desk.keys
    letters = [
        dead.bury_now(client, keys, dead.refused("stripe", _WHYS[number % 2], b'{"id": "evt_%d"}' % number, now_ms() - number * HOUR))
        for number in range(9)
    ]  # fmt: skip
    call = keep_call(scene, ids[2], "SEV-0. The site does not answer. Nobody has it yet.")
    return {
        "now": "/", "incidents": "/incidents", "incident": f"/incidents/{ids[2]}", "silence": f"/incidents/{ids[2]}/silence",
        "dead": "/dead", "dead-letter": f"/dead/{letters[0]}?edit=1", "outbox": "/outbox", "call": f"/outbox/{call}",
        "reached": "/oncall/contacts?of=anna", "drills": "/oncall/drills", "import": "/oncall/import",
        "channels": "/health/channels", "channel": "/health/channels/sms",
        "oncall": "/oncall", "oncall-people": "/oncall?by=person&days=14", "sources": "/sources",
        "source": f"/sources/{refused_of(scene)}", "runbooks": "/runbooks", "runbook": f"/runbooks/{repaired(scene, ids[2])}",
        "probes": "/probes", "probe-new": "/probes/new", "status-page": "/status-page",
        "policy": "/policy?labels=severity%3DSEV-1%0Ateam%3Dpayments", "reports": "/reports", "report": f"/reports/{ids[1]}",
        "health": "/health", "account": "/account", "people": "/people", "login": "/login",
    }  # fmt: skip


EMPTY = {f"empty-{name}": f"/{path}" for name, path in (
    ("now", ""), ("incidents", "incidents"), ("dead", "dead"), ("outbox", "outbox"), ("runbooks", "runbooks"),
)}  # fmt: skip


def worst(scene: Scene) -> dict[str, str]:
    """What is long, means harm, or is a hundred."""
    harm = attacked(scene)
    waits = scene.opened("Stripe has disabled our endpoint", 1, "payments")
    run = asked(scene, waits)
    last = max(one.number for one in scene.desk.store.open_incidents())
    with scene.desk.turn:
        crowd.incidents(scene.desk, last + 100, 100, after=last, start=now_ms() - (last + 120) * SECOND)
    return {
        "many-now": "/", "many-incidents": "/incidents?status=triggered", "harm-incident": f"/incidents/{harm}?person=ben",
        "harm-source": "/sources/alertmanager", "waits-incident": f"/incidents/{waits}", "waits-runbooks": "/runbooks",
        "run": f"/incidents/{waits}/runs/{run}", "compare": "/policy/compare", "scenario": "/policy/scenario?name=config/tests/sunday-night.yaml",
        "nowhere": "/nowhere",
    }  # fmt: skip


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as room, playing(Path(room)) as scene, browsing() as browser:
        for make in (lambda _: EMPTY, set_out, worst):
            _take(browser, scene, make(scene), folder)
    print(f"{len(list(folder.glob('*.png')))} pictures in {folder}; look at them")  # noqa: T201  # a command


def _take(browser: Browser, scene: Scene, pages: dict[str, str], folder: Path) -> None:
    for where, width, dark in (("phone", PHONE, True), ("desk", DESK, False)):
        with touring(browser, scene.seen, "anna", Role.ADMIN, width=width, dark=dark) as anna:
            for name, path in pages.items():
                if name == "login":
                    anna.page.context.clear_cookies()
                anna.opens(path)
                anna.page.wait_for_timeout(300)
                picture = anna.page.screenshot(path=str(folder / f"{name}-{where}.png"))
                if f"{name}-{where}" in IN_DOCS:
                    (DOCS / f"{name}-{where}.png").write_bytes(picture)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "var/screenshots"))
