"""The alert rules that ship, and the scrape configuration of the docs, as Prometheus' own tool judges them."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pages
import pytest
import yaml
from real_client import installed

ROOT = Path(__file__).parents[2]
RULES = ROOT / "config/prometheus/tocsin-alerts.yaml"
pytestmark = pytest.mark.skipif(
    not installed("promtool"), reason="the distribution's prometheus is not installed"
)


@dataclass(frozen=True)
class Case:
    """A sample a minute of each series, in promtool's notation: which alerts fire after `at`, with which labels."""

    alert: str
    bad: dict[str, str]
    good: dict[str, str]
    at: str = "20m"
    labels: str = ""


def told(channel: str, outcome: str) -> str:
    return f'tocsin_deliveries_total{{channel="{channel}",outcome="{outcome}"}}'


def refused(source: str, why: str) -> str:
    return f'tocsin_refused_total{{source="{source}",why="{why}"}}'


def silent(process: str) -> str:
    return f'tocsin_process_silent_seconds{{process="{process}"}}'


UP = {"tocsin_redis_up": "1x60"}
CASES = [
    Case("TocsinDown", {}, {}),
    Case("TocsinStoreDown", {"tocsin_redis_up": "0x60"}, {}),
    Case(
        "TocsinStoreFilling",
        {"tocsin_redis_memory_bytes": "81x60", "tocsin_redis_memory_limit_bytes": "100x60"},
        {"tocsin_redis_memory_bytes": "81x60", "tocsin_redis_memory_limit_bytes": "0x60"},
    ),
    Case(
        "TocsinNotKeeping",
        {"tocsin_append_failures_total": "0x15 1x60"},
        {"tocsin_append_failures_total": "5x60"},
    ),
    Case(
        "TocsinNotDeciding",
        {'tocsin_lane_oldest_undecided_seconds{lane="bulk"}': "31x60"},
        {'tocsin_lane_oldest_undecided_seconds{lane="bulk"}': "29x60"},
    ),
    Case("TocsinTimersOverdue", {"tocsin_timers_overdue": "1x60"}, {"tocsin_timers_overdue": "0x60"}),
    Case(
        "TocsinProcessGone",
        {silent("dispatch.a.b.1"): "181x60", silent("deliver.a.2"): "1x60"},
        {silent("dispatch.a.b.1"): "9000x60", silent("dispatch.c.7"): "1x60"},
        labels="role: dispatch",
    ),
    Case(
        "TocsinDeliveriesFail",
        {told("sms", "permanent"): "0+1x60", told("sms", "sandbox"): "0+1x60", told("voice", "ok"): "0+1x60"},
        {told("sms", "temporary"): "0+1x60", told("sms", "ok"): "0+1x60"},
        labels="channel: sms",
    ),
    Case(
        "TocsinSenderRefused",
        {refused("stripe", "signature"): "0+1x60"},
        {
            refused("stripe", "signature"): "0+1x60",
            'tocsin_accepted_total{source="stripe"}': "0+1x60",
            refused("", "signature"): "0+9x60",
            refused("vercel", "overload"): "0+9x60",
        },
        labels="source: stripe",
    ),
    Case(
        "TocsinDeadLetters",
        {"tocsin_dead_letters_waiting": "1x60"},
        {"tocsin_dead_letters_waiting": "0x10 1x60"},
    ),
]


def promtool(room: Path, *command: str) -> str:
    """What it printed. Raises AssertionError when it found something wrong."""
    done = subprocess.run(
        ["promtool", *command], cwd=room, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def shipped() -> dict[str, dict[str, Any]]:
    (group,) = yaml.safe_load(RULES.read_text())["groups"]
    return {rule["alert"]: rule for rule in group["rules"]}


def test_prometheus_finds_no_fault_in_the_rules() -> None:
    assert f"{len(CASES)} rules found" in promtool(ROOT, "check", "rules", str(RULES))


def test_every_rule_has_a_case() -> None:
    assert [case.alert for case in CASES] == list(shipped())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.alert)
def test_an_alert_fires_when_it_should_and_only_then(case: Case, tmp_path: Path) -> None:
    rule = shipped()[case.alert]
    annotations = {"summary": summary(rule, case.labels)}
    fires = [
        {
            "exp_labels": {**rule["labels"], **(yaml.safe_load(case.labels) or {})},
            "exp_annotations": annotations,
        }
    ]
    up = {} if case.alert == "TocsinDown" else UP
    suite = {
        "rule_files": [RULES.name],
        "tests": [
            check(case, {**up, **case.bad}, fires),
            check(case, {**UP, **case.good}, []),
        ],
    }
    shutil.copy(RULES, tmp_path)
    (tmp_path / "suite.yaml").write_text(yaml.safe_dump(suite))
    promtool(tmp_path, "test", "rules", "suite.yaml")


def check(case: Case, series: dict[str, str], fires: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "alert_rule_test": [{"alertname": case.alert, "eval_time": case.at, "exp_alerts": fires}],
    }


def summary(rule: dict[str, Any], labels: str) -> str:
    text = str(rule["annotations"]["summary"])
    for name, value in (yaml.safe_load(labels) or {}).items():
        text = text.replace(f"{{{{ $labels.{name} }}}}", value)
    return text


def test_the_documented_scrape_configuration_is_one(tmp_path: Path) -> None:
    (block,) = [each for each in pages.blocks("yaml") if each.page.name == "metrics.md"]
    token = tmp_path / "token"
    token.write_text("x")
    (tmp_path / "prometheus.yml").write_text(block.text.replace("/etc/prometheus/tocsin-token", str(token)))
    shutil.copy(RULES, tmp_path)
    assert "SUCCESS" in promtool(tmp_path, "check", "config", "prometheus.yml")
