"""Files of the configuration as somebody would have them: typed, or uploaded, several at once. Nothing is kept."""

import re
from collections.abc import Iterator, Mapping

from starlette.datastructures import UploadFile

from console.serving.view import NotFound, View

MOST = 40
"""Files at once."""
LONGEST = 200_000
"""Characters of one."""
FIRST = "config/routes.yaml"
_NEW = re.compile(r"config/(?:runbooks/|templates/)?[a-z0-9][a-z0-9_.-]{0,80}\.yaml")


def changed(view: View, files: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Name -> text of those that are to be others than in force; and what could not be taken, in words.

    Raises NotFound for a name that is none.
    """
    if not view.form:
        name = _name(view.query.get("file") or FIRST, files)
        return {name: files.get(name, "")}, []
    left_out = set(view.form.getlist("drop"))
    found = {name: text for name, text in _typed(view, files) if name not in left_out}
    unread = []
    for name, text in _uploaded(view):
        there = _place(name, files)
        if text is None or not there:
            unread.append(
                f"{name[:80]}: {'no text in UTF-8' if there else 'no such file; add a new one by its whole name'}"
            )
        else:
            found[there] = text[:LONGEST]
    if more := view.sent("new") or view.sent("add"):
        name = _name(more, files)
        found.setdefault(name, files.get(name, ""))
    return dict(list(found.items())[:MOST]), unread


def _typed(view: View, files: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name, text in zip(view.form.getlist("file"), view.form.getlist("text"), strict=False):
        if isinstance(name, str) and isinstance(text, str):
            yield _name(name, files), text.replace("\r\n", "\n").strip()[:LONGEST] + "\n"


def _uploaded(view: View) -> Iterator[tuple[str, str | None]]:
    """None where it is no text."""
    for each in view.form.getlist("upload"):
        if isinstance(each, UploadFile) and each.filename:
            try:
                yield each.filename, each.file.read(4 * LONGEST).decode()
            except UnicodeDecodeError:
                yield each.filename, None


def _place(name: str, files: Mapping[str, str]) -> str:
    """Which of ours an uploaded file is, by its name with or without folders; "" for none, or more than one."""
    whole = [each for each in files if each in {name, f"config/{name}"}]
    alike = whole or [each for each in files if each.rpartition("/")[2] == name.rpartition("/")[2]]
    return alike[0] if len(alike) == 1 else ""


def _name(name: str, files: Mapping[str, str]) -> str:
    if name in files or _NEW.fullmatch(name):
        return name
    raise NotFound(f"no file {name[:60]!r}")
