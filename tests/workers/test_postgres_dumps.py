"""A backup on a real server: dumped, restored into a second database, compared; and what is told of it later."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from acting import act, failure
from postgres_server import running_postgres
from shop import TOCSIN, Shop

from routing.entry import Outcome
from routing.ports import Step
from workers.journal import journal
from workers.postgres.contents import differences

SCHEMAS = '["public", "Billing"]'


@pytest.fixture
def full(shop: Shop) -> Shop:
    """Two schemas with what is easily lost: partitions, odd names, NULLs, bytes, large texts, no primary key."""
    owner = shop.owner
    owner.execute('CREATE SCHEMA "Billing"')
    owner.execute("CREATE TABLE orders (id bigserial PRIMARY KEY, at timestamptz, body jsonb, price numeric)")
    owner.execute(
        "INSERT INTO orders (at, body, price) SELECT now() - n * interval '1 h', jsonb_build_object('n', n), n / 3.0 "
        "FROM generate_series(1, 500) AS n"
    )
    owner.execute('CREATE TABLE "Billing"."we%ird ""Ta.ble" (note text, raw bytea, share float8)')
    owner.execute(
        """INSERT INTO "Billing"."we%ird ""Ta.ble" VALUES (NULL, '\\xff00', 'NaN'), ('żółw', NULL, 0.1),
           (repeat('x', 100000), '', 1e300), ('twice', NULL, NULL), ('twice', NULL, NULL)"""
    )
    owner.execute("CREATE TABLE days (day date, n int) PARTITION BY RANGE (day)")
    owner.execute("CREATE TABLE days_2026 PARTITION OF days FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')")
    owner.execute("INSERT INTO days SELECT date '2026-01-01' + n, n FROM generate_series(0, 99) AS n")
    owner.execute(f'GRANT USAGE ON SCHEMA public, "Billing" TO {TOCSIN}')
    owner.execute(f'GRANT SELECT ON ALL TABLES IN SCHEMA public, "Billing" TO {TOCSIN}')
    owner.execute(f'GRANT SELECT ON ALL SEQUENCES IN SCHEMA public, "Billing" TO {TOCSIN}')
    owner.execute(f"ALTER ROLE {TOCSIN} CREATEDB")
    return shop


def step(shop: Shop, folder: Path, **changes: Any) -> Step:
    settings = {
        "dumps": str(folder / "dumps"),
        "dump_schemas": SCHEMAS,
        "programs": str(shop.server.programs),
        "scratch_url": shop.server.url(user=TOCSIN, database="postgres"),
        **changes.pop("settings", {}),
    }
    return shop.step(timeout_s=changes.pop("timeout_s", 60), settings=settings, **changes)


def databases(shop: Shop) -> list[str]:
    rows = shop.owner.execute("SELECT datname FROM pg_database WHERE datname LIKE 'restored%'")
    return [name for (name,) in rows]


def test_a_backup_is_restored_into_a_second_database_and_every_table_is_the_same(
    full: Shop, tmp_path: Path
) -> None:
    found = act("dump", step(full, tmp_path))
    assert (found["verified"], found["differs"], found["why"]) == (
        True,
        [],
        "restored, and every table is the same",
    )
    assert (found["tables"], found["rows"]) == (3, 605)
    file = tmp_path / "dumps" / found["file"]
    assert (file.stat().st_size, file.stat().st_mode & 0o777) == (found["bytes"], 0o600)
    assert file.read_bytes()[:5] == b"PGDMP"
    assert databases(full) == []


def test_what_is_known_of_the_newest_backup_can_be_read_later(full: Shop, tmp_path: Path) -> None:
    at = step(full, tmp_path)
    assert act("newest_dump", at) == {"newest": None, "count": 0, "bytes": 0}
    made = act("dump", at)
    later = step(full, tmp_path, now=at.now + 5 * 60_000)
    newest = act("newest_dump", later)["newest"]
    assert (newest["file"], newest["verified"], newest["intact"], newest["age_minutes"]) == (
        made["file"],
        True,
        True,
        5,
    )
    file = tmp_path / "dumps" / made["file"]
    file.write_bytes(file.read_bytes()[:-1])
    assert act("newest_dump", later)["newest"]["intact"] is False


def test_what_is_written_during_the_backup_is_in_neither(full: Shop, tmp_path: Path) -> None:
    """Dump and counts see one snapshot: rows that come in between make no difference."""
    with full.writing("INSERT INTO orders (price) VALUES (1)"):
        found = act("dump", step(full, tmp_path))
    assert full.owner.execute("SELECT count(*) FROM orders").fetchone() != (500,)
    assert (found["verified"], found["why"]) == (True, "restored, and every table is the same")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("DELETE FROM orders WHERE id = 7", "public.orders has 499 rows instead of 500"),
        ("UPDATE orders SET price = price + 0.0000001 WHERE id = 7", "public.orders has other contents"),
        ("DROP TABLE days", "public.days_2026 is only in the source"),
    ],
)
def test_every_difference_is_seen(full: Shop, change: Any, said: str) -> None:
    from workers.postgres.connection import opened
    from workers.postgres.contents import contents

    with opened(full.step()) as database:
        before = contents(database, ["public", "Billing"])
        full.owner.execute(change)
        after = contents(database, ["public", "Billing"])
    assert differences(before, after) == [said]


def test_without_a_server_to_restore_to_it_is_a_backup_that_is_not_proven(full: Shop, tmp_path: Path) -> None:
    found = act("dump", step(full, tmp_path, settings={"scratch_url": ""}))
    assert (found["verified"], found["bytes"] > 0) == (False, True)
    assert "POSTGRES_SCRATCH_URL" in found["why"]


def test_a_backup_that_cannot_be_restored_is_not_proven_and_says_why(full: Shop, tmp_path: Path) -> None:
    full.owner.execute(f"ALTER ROLE {TOCSIN} NOCREATEDB")
    found = act("dump", step(full, tmp_path))
    assert (found["verified"], "permission denied to create database" in found["why"]) == (False, True)
    assert act("newest_dump", step(full, tmp_path))["newest"]["verified"] is False


def test_what_runs_that_died_left_behind_is_cleared_away(full: Shop, tmp_path: Path) -> None:
    dumps = tmp_path / "dumps"
    dumps.mkdir()
    old, young = dumps / "20260101T000000Z.partial", dumps / "20260102T000000Z.partial"
    old.touch()
    young.touch()
    os.utime(old, (0, 0))
    full.owner.execute(f"CREATE DATABASE restored_by_tocsin_1700000000000 OWNER {TOCSIN}")
    act("dump", step(full, tmp_path))
    assert databases(full) == []
    assert (old.exists(), young.exists()) == (False, True)


def test_the_password_is_on_no_command_line_and_in_no_audit(full: Shop, tmp_path: Path) -> None:
    spy = tmp_path / "programs"
    spy.mkdir()
    for name in ("pg_dump", "pg_restore"):
        (spy / name).write_text(
            f'#!/bin/sh\nprintf "%s\\n" "$@" >> {tmp_path}/arguments\nexec {full.server.programs}/{name} "$@"\n'
        )
        (spy / name).chmod(0o755)
    with journal() as lines:
        found = act("dump", step(full, tmp_path, settings={"programs": str(spy)}))
    assert found["verified"] is True
    said = (tmp_path / "arguments").read_text() + json.dumps(found) + "".join(lines)
    assert "--format=custom" in said
    assert "s3cret" not in said


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"programs": "/nowhere"}, "postgres.programs"),
        ({"dumps": ""}, "POSTGRES_DUMPS"),
        ({"dumps": "/proc/nowhere"}, "cannot be used"),
    ],
)
def test_what_is_not_set_up_is_permanent_and_says_what_to_set(
    full: Shop, tmp_path: Path, settings: dict[str, str], said: str
) -> None:
    failed = failure("dump", step(full, tmp_path, settings=settings))
    assert (failed.outcome, said in str(failed)) == (Outcome.PERMANENT, True)


def test_a_table_that_may_not_be_read_fails_the_backup_and_leaves_no_file(full: Shop, tmp_path: Path) -> None:
    full.owner.execute("REVOKE SELECT ON orders FROM tocsin_role")
    failed = failure("dump", step(full, tmp_path))
    assert (failed.outcome, "permission denied" in str(failed)) == (Outcome.PERMANENT, True)
    assert list((tmp_path / "dumps").iterdir()) == []


def test_a_backup_that_takes_too_long_is_ended_and_leaves_no_file(full: Shop, tmp_path: Path) -> None:
    slow = tmp_path / "programs"
    slow.mkdir()
    (slow / "pg_dump").write_text("#!/bin/sh\nexec sleep 60\n")
    (slow / "pg_dump").chmod(0o755)
    failed = failure("dump", step(full, tmp_path, timeout_s=1, settings={"programs": str(slow)}))
    assert (failed.outcome, "timeout" in str(failed)) == (Outcome.TEMPORARY, True)
    assert list((tmp_path / "dumps").iterdir()) == []


def test_stopped_before_it_begins_it_is_refused(full: Shop, tmp_path: Path) -> None:
    assert failure("dump", step(full, tmp_path, allowed=lambda: False)).outcome is Outcome.REFUSED


def test_a_backup_is_restored_on_another_server(full: Shop, tmp_path: Path) -> None:
    with running_postgres() as scratch:
        at = step(full, tmp_path, settings={"scratch_url": scratch.url(database="postgres")})
        assert act("dump", at)["verified"] is True
