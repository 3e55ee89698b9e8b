"""Every section and every command of the operational document has a row that says what runs now, and that it does.

What a fault of the page looks like is shown by spoiling it once for each.
"""

import document
import pages
import pytest
import shipped
from document import Facts, Row

TEXT = document.PAGE.read_text()


def faults(text: str, facts: Facts | None = None) -> list[str]:
    """Everything that is wrong with a page."""
    facts = facts or document.facts()
    rows = document.rows(text)
    keys = [row.key for row in rows]
    found = [f"no row for {key}" for key in sorted(facts.keys - set(keys))]
    found += [f"{key} is not of the document" for key in sorted(set(keys) - facts.keys)]
    found += [f"{key} has {keys.count(key)} rows" for key in sorted(set(keys)) if keys.count(key) > 1]
    found += [f"no heading for {chapter}" for chapter in facts.chapters if f"\n## {chapter}\n" not in text]
    found += [f"{row.key}: {each}" for row in rows for each in _of_row(row, facts)]
    missing = {row.key for row in rows if row.is_missing}
    if (told := _told_missing(text)) != missing:
        found.append(
            f"What is missing tells {sorted(told - missing)} too much, {sorted(missing - told)} too little"
        )
    return found


def _of_row(row: Row, facts: Facts) -> list[str]:
    found = [*_runbooks(row), *_commands(row), *_probes(row)]
    if row.is_missing:
        return found
    if not row.runbooks and not row.commands:
        found.append("it names neither a runbook nor a command")
    return found + (_person(row, facts) if row.is_human else [])


def _runbooks(row: Row) -> list[str]:
    found = []
    for name, steps in row.runbooks:
        shown = document.steps_shown().get(name)
        if shown is None:
            found.append(f"no runbook {name} ships")
        elif not steps:
            found.append(f"runbook {name} without the steps that are meant")
        else:
            found += [f"no test of {name} carries {step} out" for step in steps if step not in shown]
    return found


def _commands(row: Row) -> list[str]:
    run = document.commands_run()
    return [
        f"tocsin {' '.join(path)} is run by no test" if path else "a command of ours that does not exist"
        for path in row.commands
        if not path or path not in run
    ]


def _probes(row: Row) -> list[str]:
    known = {probe.name for probe in shipped.policy().probes}
    return [f"no probe {name} ships" for name in row.probes if name not in known]


def _person(row: Row, facts: Facts) -> list[str]:
    tasks = {each.id for each in shipped.policy().runbooks if each.task is not None}
    found = [] if row.key in facts.human else ["a person, and the process does not leave it to one"]
    if not row.runbooks or any(name not in tasks for name, _ in row.runbooks):
        found.append("a person, and no runbook that hands evidence over")
    return found


def _told_missing(text: str) -> set[str]:
    _, _, end = text.partition("\n## What is missing\n")
    return {line[2:].partition(" (")[0].strip("`") for line in end.splitlines() if line.startswith("- ")}


def test_every_section_and_every_command_has_what_runs_now() -> None:
    assert faults(TEXT) == []


def test_the_list_is_of_the_size_that_was_counted() -> None:
    """52 sections in 13 chapters, and 124 commands of which 68 were scripts of the application."""
    facts = document.facts()
    sections = {section for each in facts.chapters.values() for section in each}
    commands = facts.keys - sections
    assert (len(facts.chapters), len(sections), len(commands)) == (13, 52, 124)
    assert sum(each.startswith("npm run ") for each in commands) == 68
    assert facts.human <= commands


def test_the_page_on_runbooks_leads_there_and_sums_it_up() -> None:
    """Chapter by chapter: what it says runs is in that chapter's table."""
    summary = document.SUMMARY.read_text()
    assert "(document.md)" in summary
    facts, found = document.facts(), {row.key: row for row in document.rows(summary)}
    for chapter in facts.chapters:
        _, _, rest = TEXT.partition(f"\n## {chapter}\n")
        mine = document.rows(rest.partition("\n## ")[0])
        named = {name for row in mine for name, _ in row.runbooks} | {
            path for row in mine for path in row.commands
        }
        told = found[chapter]
        assert {name for name, _ in told.runbooks} | set(told.commands) <= named, chapter
        assert told.runbooks or told.commands, chapter


SPOILT = [
    ("| `nslookup` |", "| `nsupdate` |", "no row for nslookup"),
    ("| `nslookup` |", "| `nsupdate` |", "nsupdate is not of the document"),
    ("| `nslookup` |", "| `dig` |", "dig has 2 rows"),
    ("## Database Issues\n", "## Databases\n", "no heading for Database Issues"),
    ("| Severity Levels |", "| Severities |", "no row for Severity Levels"),
    ("`runbook rollback: rollback` |", "`runbook rollforward: rollback` |", "no runbook rollforward ships"),
    ("`runbook rollback: rollback` |", "`runbook rollback: roll_forward` |", "no test of rollback carries roll_forward out"),
    ("`runbook rollback: rollback` |", "`runbook rollback` |", "runbook rollback without the steps"),
    ("`runbook rollback: rollback` |", "it is rolled back |", "vercel rollback: it names neither a runbook nor a command"),
    ("`probe site-name`, `tocsin probes list` |", "`probe site-nam`, `tocsin probes list` |", "no probe site-nam ships"),
    ("`probe api-in-time`, `tocsin probes list` |", "`probe api-in-time` |", "performance:monitor: it names neither a runbook"),
    ("`tocsin probes list`, `tocsin status` |", "`tocsin probes look` |", "a command of ours that does not exist"),
    ("`tocsin probes list`, `tocsin status` |", "`tocsin probes` |", "a command of ours that does not exist"),
    ("`tocsin probes list`, `tocsin status` |", "`tocsin watchdog` |", "tocsin watchdog is run by no test"),
    ("| `runbook rollback: rollback` |", "| person, `runbook error-sources: new` |", "the process does not leave it to one"),
    ("person, `runbook public-statement: health, vendor` |", "person |", "no runbook that hands evidence over"),
    ("person, `runbook public-statement: health, vendor` |", "person, `runbook rollback: health` |", "hands evidence over"),
    ("| `runbook rollback: rollback` |", "| missing: nothing does it |", "['vercel rollback'] too little"),
    ("\n## What is missing\n", "\n## What is missing\n\n- `dig` (it is not there)\n", "['dig'] too much"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "says"), SPOILT, ids=[says for _, _, says in SPOILT])
def test_each_fault_of_the_page_is_found(old: str, new: str, says: str) -> None:
    assert old in TEXT
    assert says in "\n".join(faults(TEXT.replace(old, new, 1)))


def test_it_is_reached_from_the_index() -> None:
    assert "(document.md)" in (pages.ROOT / "docs/index.md").read_text()
