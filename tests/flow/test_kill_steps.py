"""Kill -9 between every two steps of the rollback: never two rollbacks, never a lost page.

Each repair is another project's, and meets one death of its own; they all run at the same time. What Vercel was asked
for is counted by its own log.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis
from stage import until
from yard import Yard, run_of, yard

from routing.delivery import Purpose
from routing.incident import Phase
from routing.run import RunPhase

ROUNDS = int(os.environ.get("TOCSIN_CHAOS_ROUNDS", "1"))  # how long the test runs is no setting of ours
pytestmark = [pytest.mark.kill, pytest.mark.timeout(300), pytest.mark.xdist_group("kill")]

STEPS = ("health", "vendor", "deployments", "rollback", "verify")
AROUND = ("commit.before", "commit.after", "remediate.taken", "remediate.claimed", "remediate.answered",
          "remediate.reported")  # fmt: skip
"""Of a step: while it is handed out, before its claim, before its call, before its answer is kept, and after that."""
ASKED = ("GET /site/", "GET /v6/deployments", "GET /v9/projects/", "POST /v1/projects/")
"""Between a call and its answer; the last two are the look before the rollback, and the rollback itself."""
SHORT = ("remediate.taken@health", "commit.before@rollback", "POST /v1/projects/", "remediate.answered@rollback",
         "remediate.answered@verify", "commit.before@inform")  # fmt: skip
LONG = (
    *(f"{point}@{step}" for step in STEPS for point in AROUND),
    *ASKED,
    "commit.before@inform",
    "commit.after@inform",
)
"""`inform`: while the end of the incident is written, and who hears of it is told."""
PARTS = 3
"""One after the other, so that those who die leave somebody to work."""


def boundaries(part: int) -> Iterator[tuple[str, str, bool]]:
    """(project, where a process dies over it, whether its site is lost): a part of them, which they take by turns."""
    found = SHORT if ROUNDS == 1 else LONG[part % PARTS :: PARTS]
    for number, where in enumerate(found, start=1):
        lost = ROUNDS > 1 and number % 4 == (part // PARTS + 2) % 4 and "inform" not in where
        yield f"prj-{number}", where, lost


@pytest.mark.parametrize("part", range(1 if ROUNDS == 1 else min(ROUNDS, 4) * PARTS))
def test_a_death_between_any_two_steps_costs_neither_a_second_rollback_nor_a_page(
    redis: Redis, redis_url: str, tmp_path: Path, part: int
) -> None:
    deaths = list(boundaries(part))
    points = tuple(fault(where, project) for project, where, _ in deaths if "@" in where)
    asked = {project: where for project, where, _ in deaths if "@" not in where}
    lost = {project for project, _, lost in deaths if lost}
    with yard(redis, redis_url, tmp_path, points, asked, lost, 40) as place:
        for project, _, _ in deaths:
            place.alert(project)

        def over() -> bool:
            place.keep()
            return settled(place, len(deaths))

        until(over, 90 + 5 * len(deaths), lambda: told(place))
        assert place.unspent() == []
        faults = [fault for project, where, _ in deaths for fault in wrong(place, project, where)]
        assert not faults, "\n".join([*faults, told(place)])
        assert place.deaths == len(deaths)


def fault(where: str, project: str) -> str:
    """The point's whole name, for this project's run."""
    point, _, step = where.partition("@")
    run = run_of(project)
    return f"{point}@{run.replace('r1', 'd1')}" if step == "inform" else f"{point}@{run}.{step}"


def settled(place: Yard, count: int) -> bool:
    if place.unspent():
        return False
    wholes = place.wholes()
    runs = [run for whole in wholes.values() for run in whole.runs]
    return len(wholes) == count == len(runs) and all(run.phase.over for run in runs)


def wrong(place: Yard, project: str, where: str) -> Iterator[str]:
    """What may not be, of one repair."""
    whole = place.wholes()[project]
    (run,) = whole.runs
    paged = [each for each in whole.deliveries if each.purpose is Purpose.PAGE]
    named = f"{whole.incident.id}, killed at {where}: {run.phase}, {run.why}"
    if place.vercel.rollbacks(project) != 1:
        yield f"{named}: {place.vercel.rollbacks(project)} rollbacks were asked for"
    if project in place.vercel.lost:
        if run.phase is not RunPhase.FAILED or not paged or whole.incident.phase is not Phase.TRIGGERED:
            yield f"{named}: its site is still down, and {len(paged)} pages went out"
    elif run.phase is not RunPhase.SUCCEEDED or whole.incident.phase is not Phase.RESOLVED:
        yield f"{named}: it was not repaired"


def told(place: Yard) -> str:
    lines = [
        f"unspent: {place.unspent()}, deaths: {place.deaths}",
        (place.room / "said.txt").read_text()[-3000:],
    ]
    for whole in place.wholes().values():
        runs = [(run.phase.value, run.at_step, run.why) for run in whole.runs]
        lines += [f"{whole.incident.id} {whole.incident.service} {whole.incident.phase} {runs}"]
        lines += [
            f"    {moment.at} {moment.what} {' '.join(map(str, moment.reasons))}" for moment in whole.timeline
        ]
    return "\n".join(lines)
