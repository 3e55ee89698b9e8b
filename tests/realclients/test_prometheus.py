"""A real Alertmanager and a real Prometheus, configured as docs/sources.md says, send to a whole Tocsin."""

import json
import signal
import urllib.request
from pathlib import Path
from typing import Any

import pytest
import yaml
from real_client import installed, running
from stage import Stage, free_port, until

PATIENCE_S = 40.0

pytestmark = [
    pytest.mark.story,
    pytest.mark.xdist_group("realclients"),
    pytest.mark.skipif(
        not (installed("prometheus") and installed("prometheus-alertmanager")),
        reason="the distribution's prometheus and prometheus-alertmanager are not installed",
    ),
]


def incident(town: Stage, title: str) -> dict[str, Any] | None:
    """The newest incident whose title names it."""
    done = town.tocsin("incidents", "list", "--all", "--json")
    assert done.returncode == 0, done.stderr
    found = [each for each in json.loads(done.stdout)["incidents"] if title in each["title"]]
    return found[0] if found else None


def wait_for(town: Stage, title: str, status: str, log: Path) -> dict[str, Any]:
    def reached() -> bool:
        found = incident(town, title)
        return found is not None and found["status"] == status

    until(reached, PATIENCE_S, lambda: f"{incident(town, title)}\n{log.read_text()}")
    found = incident(town, title)
    assert found is not None
    return found


def post_alerts(port: int, alerts: list[dict[str, Any]]) -> None:
    """Hand alerts to the real Alertmanager, as a Prometheus would."""
    request = urllib.request.Request(  # our own address
        f"http://127.0.0.1:{port}/api/v2/alerts",
        json.dumps(alerts).encode(),
        {"Content-Type": "application/json"},
    )
    urllib.request.urlopen(request, timeout=10).close()  # noqa: S310


def answers(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=2).close()  # noqa: S310  # our own address
    except OSError:
        return False
    return True


def test_a_real_alertmanager_opens_and_resolves_an_incident(town: Stage, tmp_path: Path) -> None:
    port = free_port()
    receiver = {
        "url": f"{town.url}/hooks/alertmanager",
        "send_resolved": True,
        "http_config": {"authorization": {"credentials": town.env["ALERTMANAGER_TOKEN"]}},
    }
    config = {
        "global": {"resolve_timeout": "4s"},  # what is not sent again for so long is over
        "route": {
            "receiver": "tocsin",
            "group_wait": "1ms",
            "group_interval": "1s",
            "group_by": ["alertname"],
        },
        "receivers": [{"name": "tocsin", "webhook_configs": [receiver]}],
    }
    (tmp_path / "alertmanager.yml").write_text(yaml.safe_dump(config))
    labels = {"alertname": "DiskFromAlertmanager", "instance": "db1", "severity": "warning"}
    command = ("prometheus-alertmanager", "--config.file=alertmanager.yml", "--storage.path=data",
               f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address=")  # fmt: skip
    with running(tmp_path, *command):
        log = tmp_path / "log.txt"
        until(lambda: answers(f"http://127.0.0.1:{port}/-/ready"), PATIENCE_S, log.read_text)
        post_alerts(port, [{"labels": labels, "annotations": {"summary": "DiskFromAlertmanager is full"}}])
        opened = wait_for(town, "DiskFromAlertmanager", "triggered", log)
        resolved = wait_for(town, "DiskFromAlertmanager", "resolved", log)
    assert resolved["id"] == opened["id"]
    assert opened["severity"] == "SEV-2"


def write_rule(path: Path, value: int) -> None:
    rule = {
        "alert": "QueueFromPrometheus",
        "expr": f"vector({value}) > 0",
        "labels": {"severity": "warning", "service": "queue"},
        "annotations": {"summary": "QueueFromPrometheus is too long"},
    }
    path.write_text(yaml.safe_dump({"groups": [{"name": "g", "interval": "1s", "rules": [rule]}]}))


def test_a_real_prometheus_opens_and_resolves_an_incident(town: Stage, tmp_path: Path) -> None:
    port = free_port()
    alertmanager = {
        "static_configs": [{"targets": [f"127.0.0.1:{town.port}"]}],
        "authorization": {"credentials": town.env["TOCSIN_ALERTS_TOKEN"]},
    }
    config = {
        "global": {"evaluation_interval": "1s"},
        "rule_files": ["rules.yml"],
        "alerting": {"alertmanagers": [alertmanager]},
    }
    (tmp_path / "prometheus.yml").write_text(yaml.safe_dump(config))
    rules = tmp_path / "rules.yml"
    write_rule(rules, 1)
    command = ("prometheus", "--config.file=prometheus.yml", "--storage.tsdb.path=data",
               f"--web.listen-address=127.0.0.1:{port}", "--rules.alert.resend-delay=2s")  # fmt: skip
    with running(tmp_path, *command) as prometheus:
        log = tmp_path / "log.txt"
        opened = wait_for(town, "QueueFromPrometheus", "triggered", log)
        write_rule(rules, 0)
        prometheus.send_signal(signal.SIGHUP)
        resolved = wait_for(town, "QueueFromPrometheus", "resolved", log)
    assert resolved["id"] == opened["id"]
    assert opened["service"] == "queue"
