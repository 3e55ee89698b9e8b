"""What people and vendors are owed after deaths: every page, every word of its end, no repeat without a reason."""

import re
from collections import defaultdict
from collections.abc import Iterator

from doomed import Doomed
from judge import Deaths, Records
from outages import Outage, Outages
from toll import Death
from vercel_team import VercelTeam

from ledger.views import Whole
from routing.delivery import Delivery
from routing.incident import Phase
from routing.instant import iso
from routing.run import RunPhase

_NS = 1_000_000
COARSE = 20 * _NS
"""A file's times are of the kernel's coarse clock, one tick or two behind the one that vendors write down."""
_REPEATING = re.compile(r"deliver|urgent|database|supervisor|forks")
"""Whose death may have a message sent twice: who sends it, who keeps that it was sent, and all of them."""


def missing_pages(records: Records, outages: Outages) -> Iterator[str]:
    """Outages nobody was called for, by the phones' log; and those whose end was not told to who was called."""
    by_service = {whole.incident.service: whole for whole in records.wholes}
    for outage in outages.outages:
        fault = _owed(outages, outage, by_service.get(outage.service)) if outage.sent.accepted else ""
        if fault:
            yield f"{outage.service}, {outage.fate}: {fault}"


def _owed(outages: Outages, outage: Outage, whole: Whole | None) -> str:
    if whole is None:
        return "it has no incident"
    phase = whole.incident.phase
    if not outages.calls(outage):
        mended = outage.fate == "repaired" and phase is Phase.RESOLVED
        return "" if mended else f"nobody was called, and it is {phase}"
    if outage.fate in {"acknowledged", "resolved"}:
        if phase != outage.fate:
            return f"it is {phase}"
        if not outages.texts(outage, outage.fate):
            return "those who were called were not told"
    return ""


def rollbacks(records: Records, vercel: VercelTeam) -> Iterator[str]:
    """By Vercel's log: never two for one run, and one where the run says that it repaired."""
    for whole in records.wholes:
        for run in (each for each in whole.runs if each.runbook == "rollback"):
            done = vercel.rollbacks(whole.incident.labels["project"])
            if done > 1 or (run.phase is RunPhase.SUCCEEDED and done != 1):
                yield f"{run.id} {run.phase}: {done} rollbacks were asked for"


def repeats(records: Records, found: Doomed, deaths: Deaths) -> None:
    """Every repeat into the row of the death that explains it; one without is a fault, so is one not marked."""
    reached = _reached(found)
    for delivery in (delivery for whole in records.wholes for delivery in whole.deliveries):
        times = sorted(reached.get(delivery.id, []))
        if not delivery.repeat and len(times) < 2:  # once is no repeat
            continue
        death = _explains(deaths.all, delivery, times)
        if death is None:
            sent = ", ".join(iso(each // _NS) for each in times) or "never"
            deaths.toll.faults.append(
                f"{delivery.id} is a repeat that no death explains: {delivery.error}; created "
                f"{iso(delivery.created_at)}, changed {iso(delivery.changed_at)}, reached its vendor {sent}"
            )
        elif not delivery.repeat:
            deaths.toll.faults.append(f"{delivery.id} reached its vendor {len(times)} times, unmarked")
        else:
            row = deaths.toll.rows[death.who]
            row.marked += 1
            row.repeats += max(0, len(times) - 1)


def _explains(deaths: list[Death], delivery: Delivery, times: list[int]) -> Death | None:
    """The first that could, between the first time it was sent, if it was, and the last.

    Who dies before it has sent anything makes no second message; who dies afterwards does.
    """
    twice = len(times) > 1
    since = (times[0] if twice else delivery.created_at * _NS) - COARSE
    until = times[-1] if times else delivery.changed_at * _NS
    innocent = "deliver.claimed" if twice else "deliver.answered"
    suspects = (each for each in deaths if since <= each.at <= until and each.who != innocent)
    return next((each for each in suspects if _REPEATING.search(each.who)), None)


def _reached(found: Doomed) -> dict[str, list[int]]:
    """Delivery -> when (ns) it was carried out, by the vendors' own logs."""
    reached: dict[str, list[int]] = defaultdict(list)
    for call in found.twilio.done("/2010-04-01/"):
        named = re.search(r"/status/([A-Za-z0-9-]+)", call.form.get("StatusCallback", ""))
        if named:
            reached[named[1]].append(call.at * _NS)
    for mail in found.smtp.mails:
        named = re.match(r"<([A-Za-z0-9-]+)\.a\d+\.[0-9a-f]+@", str(mail.message["Message-ID"]))
        if named:
            reached[named[1]].append(mail.at * _NS)
    return reached
