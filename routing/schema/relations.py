"""What must hold between parts of the configuration: no cycles, no name twice."""

from collections.abc import Iterable
from typing import Any

from routing.schema.yaml_marks import Document, Path


def no_cycles(document: Document) -> None:
    """Policies that go on with each other for ever would never reach the last resort."""
    policies = document.data.get("policies") if isinstance(document.data, dict) else None
    if not isinstance(policies, dict):
        return
    leads = {name: _leads(part) for name, part in policies.items()}
    graph = {name: [following for following, _ in found] for name, found in leads.items()}
    told: set[str] = set()
    for name in policies:
        cycle = _cycle(graph, name)
        if cycle and not told & set(cycle):
            told |= set(cycle)
            following = (*cycle, name)[1]
            at: Path = ("policies", name, *next(path for to, path in leads[name] if to == following))
            found = f"a cycle: {' then '.join((*cycle, name))}"
            document.refuse(document.value_mark(at), at, found, "end one of them without then")


def _leads(policy: Any) -> list[tuple[str, Path]]:
    """The policies one goes on with, and where it says so."""
    if not isinstance(policy, dict):
        return []
    branches = policy.get("branches")
    parts: list[tuple[Any, Path]] = [(policy, ())]
    for number, branch in enumerate(branches if isinstance(branches, list) else ()):
        parts.append((branch, ("branches", number)))
    found = [(part.get("then"), (*path, "then")) for part, path in parts if isinstance(part, dict)]
    return [(name, path) for name, path in found if isinstance(name, str)]


def no_mutual_needs(document: Document) -> None:
    """Services that need each other could not say which of them broke first."""
    services = document.data.get("services") if isinstance(document.data, dict) else None
    if not isinstance(services, dict):
        return
    needs = {name: _needs(part) for name, part in services.items()}
    told: set[str] = set()
    for name in needs:
        cycle = _cycle(needs, name)
        if cycle and not told & set(cycle):
            told |= set(cycle)
            at: Path = ("services", name, "depends_on")
            found = f"a cycle: {' needs '.join((*cycle, name))}"
            document.refuse(document.value_mark(at), at, found, "take out the dependency that is not one")


def _needs(part: Any) -> list[str]:
    found = part.get("depends_on") if isinstance(part, dict) else None
    return [each for each in found if isinstance(each, str)] if isinstance(found, list) else []


def _cycle(needs: dict[str, list[str]], start: str) -> list[str]:
    """The names along a graph from one back to itself; none when it never comes back."""
    came_from: dict[str, str] = {}
    ahead = [start]
    while ahead:
        at = ahead.pop()
        for need in needs.get(at, ()):
            if need == start:
                path = [at]
                while path[-1] != start:
                    path.append(came_from[path[-1]])
                return path[::-1]
            if need not in came_from:
                came_from[need] = at
                ahead.append(need)
    return []


def sprints_known(site: Document, calendar: Document | None) -> None:
    """A promise to resolve by the end of a sprint needs to know when sprints end."""
    if calendar is not None and isinstance(calendar.data, dict) and calendar.data.get("sprints"):
        return
    levels = site.data.get("levels") if isinstance(site.data, dict) else None
    for name, level in levels.items() if isinstance(levels, dict) else ():
        resolve = level.get("resolve") if isinstance(level, dict) else None
        if isinstance(resolve, str) and resolve.endswith("sprint"):
            at: Path = ("levels", name, "resolve")
            fix = "write sprints: in calendar.yaml, like {start: 2026-01-05, every: 2w, timezone: Europe/Warsaw}"
            site.refuse(site.value_mark(at), at, f'"{resolve}", and nobody knows when sprints end', fix)


def unique_runbooks(documents: Iterable[Document]) -> None:
    """Two runbooks of one id would share cooldown, budget and breaker."""
    first: dict[str, Document] = {}
    for document in documents:
        key = document.data.get("id") if isinstance(document.data, dict) else None
        if not isinstance(key, str):
            continue
        if key in first:
            found = f'a second runbook "{key}", the first is in {first[key].file}'
            document.refuse(document.value_mark(("id",)), ("id",), found, "give it another id")
        first.setdefault(key, document)


def no_endless_runbooks(documents: Iterable[Document], most: int) -> None:
    """Runbooks that go on with each other for ever, or for longer than anybody would wait, would hide the failure."""
    read = [book for book in documents if isinstance(book.data, dict)]
    books = {book.data["id"]: book for book in read if isinstance(book.data.get("id"), str)}
    leads = {name: _next_of(book) for name, book in books.items()}
    told: set[str] = set()
    for name in leads:
        cycle = _cycle(leads, name)
        chain = [name]
        while len(chain) <= len(leads) and (following := leads.get(chain[-1])):
            chain += following
        if cycle and not told & set(cycle):
            told |= set(cycle)
            fix = "end one of them without on_failure"
            _refuse_next(books[name], f"a cycle: {' then '.join((*cycle, name))}", fix)
        elif most < len(chain) <= len(leads):
            found = f"{len(chain)} runbooks in a row: {' then '.join(chain)}"
            _refuse_next(books[name], found, f"at most {most} may follow each other: end one of them before")


def _next_of(book: Document) -> list[str]:
    part = book.data.get("on_failure")
    name = part.get("next") if isinstance(part, dict) else None
    return [name] if isinstance(name, str) else []


def _refuse_next(book: Document, found: str, fix: str) -> None:
    at: Path = ("on_failure", "next")
    book.refuse(book.value_mark(at), at, found, fix)


def unique_names(document: Document, key: str, noun: str) -> None:
    """Rules are told apart by name in every reason; thresholds keep their count by it."""
    items = document.data.get(key) if isinstance(document.data, dict) else None
    seen: set[str] = set()
    for number, item in enumerate(items if isinstance(items, list) else ()):
        name = item.get("name") if isinstance(item, dict) else None
        if not isinstance(name, str):
            continue
        if name in seen:
            at: Path = (key, number, "name")
            document.refuse(document.value_mark(at), at, f'a second {noun} "{name}"', "give it another name")
        seen.add(name)


def unique_routes(document: Document) -> None:
    """Reasons and incidents name their route; two of one name could not be told apart."""
    root = document.data.get("route") if isinstance(document.data, dict) else None
    if isinstance(root, dict):
        _unique_routes(document, root, ("route",), {str(root.get("name", "root"))})


def _unique_routes(document: Document, route: dict[str, Any], path: Path, seen: set[str]) -> None:
    children = route.get("routes")
    for number, child in enumerate(children if isinstance(children, list) else ()):
        if not isinstance(child, dict):
            continue
        name, at = child.get("name"), (*path, "routes", number)
        if isinstance(name, str) and name in seen:
            mark = document.value_mark((*at, "name"))
            document.refuse(mark, (*at, "name"), f'a second route "{name}"', "give it another name")
        seen.add(str(name))
        _unique_routes(document, child, at, seen)
