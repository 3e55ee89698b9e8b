"""What the sources' modules say of themselves, as docs/sources.md shows it: so the page cannot be older than they."""

from collections.abc import Iterator

from ledger import catalogue


def table() -> str:
    """A row for each vendor: what verifies it, what a repeat is."""
    rows = ["| vendor | | verified by | a repeat is |", "|---|---|---|---|"]
    for vendor in catalogue.sources():
        module = catalogue.source(vendor)
        rows.append(f"| `{vendor}` | {module.TITLE} | {module.VERIFIED} | {module.REPEAT} |")
    return "\n".join(rows)


def sections() -> str:
    """How each is set up, and what it takes from `settings`."""
    return "\n\n".join("\n\n".join(_section(vendor)) for vendor in catalogue.sources())


def _section(vendor: str) -> Iterator[str]:
    module = catalogue.source(vendor)
    yield f"### {module.TITLE}"
    yield module.SETUP.strip()
    settings = getattr(module, "SETTINGS", {})
    if settings:
        rows = [f"| `{name}` | {what} |" for name, what in settings.items()]
        yield "\n".join(["| setting | is |", "|---|---|", *rows])


def page(text: str) -> str:
    """The page with its generated parts written anew. Raises ValueError when it has no place for one."""
    for name, part in (("table", table()), ("setup", sections())):
        begin, end = f"<!-- from the modules: {name} -->", "<!-- until here -->"
        before, found, rest = text.partition(begin)
        if not found or end not in rest:
            raise ValueError(f"the page has no place for the {name}: {begin} ... {end}")
        text = f"{before}{begin}\n\n{part}\n\n{end}{rest.partition(end)[2]}"
    return text
