"""Bad configuration never goes live: every fault at once, with file, line and what to write."""

from pathlib import Path

import pytest

from ledger import policies
from ledger.catalogue import catalogue
from routing.errors import ConfigError
from routing.load import load, version
from routing.policy import Policy, Secret
from routing.severity import Severity

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def shipped() -> dict[str, str]:
    return policies.read_files(ROOT / "config")


def changed(files: dict[str, str], name: str, old: str, new: str) -> dict[str, str]:
    key = f"config/{name}"
    assert old in files[key]
    return {**files, key: files[key].replace(old, new, 1)}


def faults(files: dict[str, str], env: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(ConfigError) as found:
        load(files, catalogue(), env)
    return [str(fault) for fault in found.value.faults]


def test_the_shipped_configuration_is_good(shipped: dict[str, str]) -> None:
    policy = load(shipped, catalogue())
    assert isinstance(policy, Policy)
    assert policy.levels[Severity.SEV0].hold_ms == 0
    assert policy.levels[Severity.SEV1].resolve_ms == 4 * 3_600_000
    assert policy.sources["stripe"].secrets == (Secret("STRIPE_WEBHOOK_SECRET"),)
    (runbook,) = policy.runbooks
    assert [step.mutates for step in runbook.remediate] == [True]


@pytest.mark.parametrize(
    ("name", "old", "new", "place", "says"),
    [
        ("escalation.yaml", "{contact: commander}", "{contact: comander}", ":7:", 'did you mean "commander"?'),
        ("oncall.yaml", "{channel: voice,", "{channel: voise,", ":7:", 'did you mean "voice"?'),
        ("routes.yaml", "escalation: team-room", "escalation: team-rom", ":10:", 'did you mean "team-room"?'),
        ("oncall.yaml", "Europe/Warsaw", "Europe/Warsav", ":5:", 'did you mean "Europe/Warsaw"?'),
        ("oncall.yaml", "page: {SEV-0: [phone, sms], SEV-1: [phone, sms], default: [sms, mail]}",
         "page: {SEV-0: [phone]}", ":10:", "unreachable for SEV-1"),
        ("escalation.yaml", "      - {notify: [{contact: team-platform}], wait: 4h}",
         "      - {notify: [{contact: team-platform}], wait: 4h}\n    then: team-room", ":", "a cycle: team-room then team-room"),
        ("tocsin.yaml", "max_running: 3", "max_running: 3\nmax_running: 4", ":7:", 'duplicate key "max_running"'),
        ("tocsin.yaml", "max_running: 3", "max_running: three", ":6:", "write a whole number"),
        ("tocsin.yaml", "retire_after: 7d", "retire_after: 7", ":5:", "has no unit"),
        ("tocsin.yaml", "max_running: 3", "max_runing: 3", ":6:", 'did you mean "max_running"?'),
        ("severity.yaml", "severity: SEV-0", "severity: critical", ":", "is no severity"),
        ("severity.yaml", """match: ['kind=~"SiteDown|SiteUnreachable"']""", """match: ['kind=~"Site(Down"']""", ":", "config/severity.yaml"),
        ("runbooks/rollback.yaml", "action: http.probe", "action: vercel.rollback", ":", "changes something"),
        ("runbooks/rollback.yaml", '    recover: "undo: vercel.promote"\n', "", ":", '"recover" is missing'),
        ("runbooks/rollback.yaml", "count: 3", "cuont: 3", ":", 'did you mean "count"?'),
        ("sources.yaml", "vendor: stripe", "vendor: strype", ":4:", 'did you mean "stripe"?'),
        ("channels.yaml", "timeout: 15s", "timeout: no", ":", "config/channels.yaml"),
    ],
    ids=[
        "unknown contact", "unknown channel", "unknown policy", "bad time zone", "unreachable person",
        "cyclic policy", "duplicate key", "wrong type", "no unit", "unknown field", "bad severity", "bad regex",
        "mutating diagnosis", "no recovery", "unknown parameter", "unknown vendor", "yaml trap",
    ],
)  # fmt: skip
def test_a_fault_names_its_place_and_the_fix(
    shipped: dict[str, str], name: str, old: str, new: str, place: str, says: str
) -> None:
    found = faults(changed(shipped, name, old, new))
    told = [fault for fault in found if fault.startswith(f"config/{name}{place}") and says in fault]
    assert told, found


def test_all_faults_of_all_files_are_told_together(shipped: dict[str, str]) -> None:
    broken = changed(shipped, "routes.yaml", "escalation: payments", "escalation: nobody")
    broken = changed(broken, "oncall.yaml", "Europe/Warsaw", "Mars/Olympus")
    del broken["config/channels.yaml"]
    found = "\n".join(faults(broken))
    assert "config/routes.yaml" in found
    assert "config/oncall.yaml" in found
    assert "config/channels.yaml:0:0: the file is missing" in found


def test_an_unset_secret_of_a_source_is_a_fault_and_of_a_channel_is_not(shipped: dict[str, str]) -> None:
    env = dict.fromkeys(("STRIPE_WEBHOOK_SECRET", "VERCEL_WEBHOOK_SECRET", "ALERTMANAGER_TOKEN"), "x")
    (fault,) = faults(shipped, env)
    assert "TOCSIN_ALERTS_TOKEN is not set" in fault
    load(shipped, catalogue(), {**env, "TOCSIN_ALERTS_TOKEN": "x"})


def test_bytes_that_are_not_utf8_are_a_fault_with_their_line(tmp_path: Path, shipped: dict[str, str]) -> None:
    (tmp_path / "tocsin.yaml").write_bytes(b"public_url: http://x\n# caf\xe9\n")
    files = {**shipped, **policies.read_files(tmp_path)}
    assert any(fault.startswith("config/tocsin.yaml:2:") and "UTF-8" in fault for fault in faults(files))


def test_the_version_follows_every_text(shipped: dict[str, str]) -> None:
    assert version(shipped) == version(dict(reversed(shipped.items())))
    assert version(shipped) != version(
        {**shipped, "config/tocsin.yaml": shipped["config/tocsin.yaml"] + "\n"}
    )
