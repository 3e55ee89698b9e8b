"""Vendors are found in their folders, and looked up by name: a name is never imported."""

import json
import sys
from pathlib import Path
from subprocess import run

import pytest

from ledger import catalogue
from routing.catalogue import Catalogue

ROOT = Path(__file__).parents[2]


def modules(folder: str) -> set[str]:
    return {path.stem for path in (ROOT / folder).glob("*.py") if not path.stem.startswith("_")}


def test_every_module_of_the_folders_is_a_vendor() -> None:
    assert set(catalogue.sources()) == modules("receiver/sources")
    assert set(catalogue.channels()) == modules("workers/channels")
    assert set(catalogue.actions()) == modules("workers/actions")


def test_a_vendor_is_its_module() -> None:
    assert catalogue.source("stripe").TITLE == "Stripe"
    assert catalogue.channel("twilio_voice").VOICE
    assert catalogue.action("vercel").ACTIONS["rollback"].mutates


@pytest.mark.parametrize(
    "name", ["", "os", "../stripe", "stripe.verify", "__init__", "_x", "receiver.app", "Stripe"]
)
def test_a_name_that_is_no_vendor_is_looked_up_in_vain(name: str) -> None:
    before = set(sys.modules)
    for find in (catalogue.source, catalogue.channel, catalogue.action):
        with pytest.raises(KeyError):
            find(name)
    assert set(sys.modules) == before


def test_facts_survive_being_kept() -> None:
    known = catalogue.catalogue()
    kept = Catalogue.from_facts(json.loads(json.dumps(known.facts())))
    assert kept.facts() == known.facts()
    assert kept.channels["twilio_voice"].voice
    assert not kept.channels["email"].voice
    assert kept.actions["vercel.rollback"].mutates
    assert not kept.actions["http.probe"].mutates


def test_no_vendor_is_imported_before_it_is_asked_for() -> None:
    script = (
        "import sys; from ledger import catalogue, policies; catalogue.sources(); catalogue.channels(); "
        "print([name for name in sys.modules if name.startswith(('receiver.sources.', 'workers.channels.'))])"
    )
    found = run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    assert found.stdout.strip() == "[]"
