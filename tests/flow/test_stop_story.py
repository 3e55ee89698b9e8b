"""Ctrl-C in the terminal: all of it ends at once, and what was under way is finished or goes on after the next start."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from stage import PROGRAM, until
from town import Town, town
from vendor_server import Misbehaviour

from ledger.views import entries

pytestmark = [pytest.mark.story, pytest.mark.xdist_group("stop")]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Town]:
    with town(tmp_path) as made:
        yield made


def test_ctrl_c_ends_it_within_five_seconds_and_nothing_in_flight_is_lost(place: Town) -> None:
    stage = place.stage
    with subprocess.Popen(
        [*PROGRAM, "send", "stripe", "charge.dispute.created", "--count", "5000"],
        cwd=stage.room, env={**stage.env, **stage.environ}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        text=True,
    ) as disputes:  # fmt: skip
        assert disputes.stdout
        accepted = [disputes.stdout.readline().strip()]
        place.twilio.misbehave(Misbehaviour(path="Calls", delay_s=1.5))
        place.alert("search")
        incident = place.incident("search")
        (call,) = place.until_called(incident)
        assert stage.stop(ctrl_c=True) < 5
        accepted += disputes.stdout.read().split()
    assert stage.process
    assert stage.process.returncode == 0
    assert stage.pids() == []
    assert len(accepted) < 5000, "they were all sent before it was stopped"
    stage.start()
    until(lambda: all(decided(place, event) for event in accepted), 60, stage.output)
    until(lambda: call.sid in place.told(incident), 20, lambda: place.told(incident))
    assert place.calls(incident) == [call], "the call under way was waited for, so nobody is rung twice"
    assert place.twilio.press(call.sid, "4") == 200
    place.until_status(incident, "acknowledged")


def decided(place: Town, event: str) -> bool:
    seen = entries.find(place.store, event)
    assert seen, f"{event} was accepted and is gone"
    return seen.verdict is not None
