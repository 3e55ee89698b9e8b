"""`noise.yaml` and the group times of routes, as they are read."""

import shipped

from ledger import catalogue
from routing.instant import MINUTE, SECOND
from routing.load import load
from routing.policy import Flapping, Policy, Tie
from routing.severity import Severity

NOISE = """
inhibitions:
  - {name: down, source: ['kind="A"'], target: ['kind="B"'], equal: [service]}
correlations:
  - {name: down, parent: ['kind="A"'], child: ['kind="C"'], within: 10m}
maintenance:
  - {name: backup, match: ['service="database"'], hours: working, reason: the backup}
dependencies: {within: 0s}
"""


def policy(**files: str) -> Policy:
    changed = {f"config/{name}.yaml": text for name, text in files.items()}
    return load({**shipped.files(), **changed}, catalogue.catalogue())


def test_relations_and_windows_keep_where_they_were_written() -> None:
    noise = policy(noise=NOISE).noise
    inhibition, correlation = noise.relations
    assert (inhibition.tie, inhibition.equal, str(inhibition.origin)) == (
        Tie.INHIBITS, ("service",), "config/noise.yaml:3",
    )  # fmt: skip
    assert (correlation.tie, correlation.within_ms) == (Tie.CAUSES, 10 * MINUTE)
    assert (noise.maintenance[0].hours.name, noise.dependency_ms) == ("working", 0)


def test_flapping_is_looked_for_unless_it_is_switched_off() -> None:
    assert policy(noise="{}").noise.flapping == Flapping()
    assert policy(noise="flapping: {enabled: false}").noise.flapping is None


def test_without_the_file_everything_has_its_default() -> None:
    files = {name: text for name, text in shipped.files().items() if name != "config/noise.yaml"}
    noise = load(files, catalogue.catalogue()).noise
    assert (noise.relations, noise.flapping, noise.dependency_ms) == ((), Flapping(), 30 * MINUTE)


def test_group_times_are_inherited_and_have_alertmanagers_defaults() -> None:
    root = """
route:
  escalation: on-call
  group_by: [service]
  at_once: SEV-0
  routes:
    - {name: a, match: ['team="a"'], group_wait: 10s, routes: [{name: b, match: ['kind="b"']}]}
"""
    known = policy(routes=root)
    a, b = known.routes["a"], known.routes["b"]
    assert (known.route.group_wait_ms, known.route.group_interval_ms) == (30 * SECOND, 5 * MINUTE)
    assert known.route.repeat_ms == 240 * MINUTE
    assert (a.group_wait_ms, b.group_wait_ms, b.at_once) == (10 * SECOND, 10 * SECOND, Severity.SEV0)
