"""What nobody reports is seen all the same: the real processes, a real site, no credentials."""

import json
from pathlib import Path

import pytest
from site_standin import SiteStandin
from stage import ROOT, stage, until

pytestmark = [pytest.mark.story, pytest.mark.xdist_group("probes")]


def test_a_site_that_falls_silent_pages_and_is_resolved_when_it_answers_again(tmp_path: Path) -> None:
    with SiteStandin() as site:
        environ = {"TOCSIN_PROBES": "on", "TOCSIN_ALLOW_PRIVATE": "true", "TOCSIN_SITE_URL": site.url}
        hurried = (ROOT / "config/probes.yaml").read_text().replace("every: 20s", "every: 1s")
        hurried = hurried.replace("    every: 1s\n", "    every: 1s\n    timeout: 1s\n", 1)
        runbook = (ROOT / "config/runbooks/rollback.yaml").read_text().replace("mode: auto", 'mode: "off"')
        (tmp_path / "town").mkdir()
        with stage(
            tmp_path / "town", environ, {"probes.yaml": hurried, "runbooks/rollback.yaml": runbook}
        ) as town:

            def states() -> dict[str, str]:
                told = town.tocsin("probes", "list", "--json").stdout
                return {each["name"]: each["state"] for each in json.loads(told)}

            until(lambda: states()["site-health"] == "well", 30, town.output)
            site.healthy = False
            until(lambda: bool(town.ask("incidents", "list")["incidents"]), 30, town.output)
            (found,) = town.ask("incidents", "list")["incidents"]
            assert (found["severity"], found["title"]) == ("SEV-0", "The site does not answer")
            until(
                lambda: "voice" in {each["channel"] for each in town.ask("outbox")["outbox"]}, 15, town.output
            )
            assert states()["site-health"] == "fires"
            site.healthy = True
            until(lambda: town.ask("incidents", "show", found["id"])["status"] == "resolved", 30, town.output)
