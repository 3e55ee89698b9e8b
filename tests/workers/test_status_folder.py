"""A status page in a folder: whole at every instant, right whoever writes last, and kept up to date."""

import json
import stat
import threading
from pathlib import Path
from typing import Any

import pytest
import shipped
from notices import notice
from published import PAGE
from redis import Redis

from ledger import policies
from ledger.keys import Keys
from ledger.views.status_page import NAMES
from routing.delivery import Purpose
from routing.entry import Outcome
from routing.errors import DeliveryError
from routing.load import load
from routing.ports import Notification
from routing.public import Health, Public, Said, Word
from routing.record import encode
from workers import status_folder, status_folders
from workers.channels import status_page
from workers.channels.status_page import Settings
from workers.status_folders import StatusFolders


def say(redis: Redis, text: str) -> None:
    words = [Word(at=1_764_000_000_000, said=Said.IDENTIFIED, text=text)]
    public = Public(
        id="a",
        title="Trouble",
        began_at=1_764_000_000_000,
        names={"site": "Website"},
        health=Health.MAJOR,
        words=words,
    )
    redis.hset(Keys().state("public"), "INC-1", encode(public))


def about(redis: Redis, **changes: Any) -> Notification:
    return notice(
        to="site",
        purpose=Purpose.PUBLIC,
        documents=lambda: status_folders.documents(redis, Keys(), PAGE),
        **changes,
    )


def read(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "index.json").read_text())
    return found


def test_a_word_is_written_as_page_json_and_feed(redis: Redis, tmp_path: Path) -> None:
    say(redis, "We have found it.")
    folder = tmp_path / "status"
    status_page.send(about(redis), Settings(folder=str(folder)), 5)
    for name in NAMES:
        assert "We have found it." in (folder / name).read_text()
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o644
    assert {each.name for each in folder.iterdir()} == {*NAMES, ".lock"}


def test_of_several_writers_the_last_to_begin_is_right(tmp_path: Path) -> None:
    """The first is held up while it makes its documents; the second waits, and makes its own only then."""
    now, inside, go_on = ["old"], threading.Event(), threading.Event()

    def slow() -> dict[str, bytes]:
        found = {"index.json": now[0].encode()}
        inside.set()
        assert go_on.wait(10)
        return found

    first = threading.Thread(target=status_folder.write, args=(tmp_path, slow))
    first.start()
    assert inside.wait(10)
    now[0] = "new"
    second = threading.Thread(
        target=status_folder.write, args=(tmp_path, lambda: {"index.json": now[0].encode()})
    )
    second.start()
    go_on.set()
    first.join()
    second.join()
    assert (tmp_path / "index.json").read_text() == "new"


def test_a_reader_never_sees_half_of_it(tmp_path: Path) -> None:
    long, short = b"x" * 2_000_000, b"y"
    stop, seen = threading.Event(), set()

    def look() -> None:
        while not stop.is_set():
            content = (tmp_path / "index.html").read_bytes()
            seen.add((content[:1], len(content)))

    status_folder.write(tmp_path, lambda: {"index.html": long})
    reader = threading.Thread(target=look)
    reader.start()
    for number in range(20):
        content = {"index.html": long if number % 2 else short}
        status_folder.write(tmp_path, content.copy)
    stop.set()
    reader.join()
    assert seen <= {(b"x", len(long)), (b"y", 1)}


def test_a_folder_that_cannot_be_written_is_tried_again(redis: Redis, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DeliveryError, match="file") as failed:
        status_page.send(about(redis), Settings(folder=str(tmp_path / "file")), 5)
    assert failed.value.outcome is Outcome.TEMPORARY


def test_what_is_not_public_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(DeliveryError, match="nothing public") as failed:
        status_page.send(notice(), Settings(folder=str(tmp_path)), 5)
    assert (failed.value.outcome, list(tmp_path.iterdir())) == (Outcome.PERMANENT, [])


def test_a_folder_is_named_by_its_whole_path() -> None:
    with pytest.raises(ValueError, match="whole path"):
        Settings(folder="status")


def test_upkeep_brings_it_back_after_a_restart_and_into_an_emptied_folder(
    redis: Redis, tmp_path: Path
) -> None:
    files = shipped.files()
    rules = load(files, shipped.vendors())
    policies.publish(redis, Keys(), files, shipped.vendors(), rules, "test")
    say(redis, "We have found it.")
    folder = tmp_path / "status"
    upkeep = StatusFolders(redis, Keys(), {"TOCSIN_STATUS_PAGE_FOLDER": str(folder)})
    upkeep.round()
    assert read(folder)["status"]["indicator"] == "critical"
    (folder / "index.json").unlink()
    upkeep.round()
    assert {"name": "Website", "status": "major_outage"} in read(folder)["components"]


def test_where_no_folder_is_set_nothing_is_written(redis: Redis) -> None:
    files = shipped.files()
    policies.publish(redis, Keys(), files, shipped.vendors(), load(files, shipped.vendors()), "test")
    StatusFolders(redis, Keys(), {}).round()
