"""Every `$ tocsin …` of the documentation is a command that exists, with options and arguments it takes."""

import shlex
from collections.abc import Iterator

import click
import pages
import pytest

from console.main import tocsin


def examples() -> Iterator[tuple[str, str]]:
    """(place, command line), also of blocks for the shell."""
    for language in ("console", "sh"):
        for block in pages.blocks(language):
            for offset, line in enumerate(block.text.splitlines(), 1):
                prompt = "$ " if language == "console" else ""
                words = line.removeprefix(prompt) if line.startswith(prompt) else ""
                if words.startswith("tocsin "):
                    yield f"{block.page.relative_to(pages.ROOT)}:{block.line + offset}", words


def parse(command: click.Command, name: str, args: list[str], parent: click.Context | None) -> None:
    """Read the command line as click would, and run nothing. Raises click.UsageError."""
    with command.make_context(name, list(args), parent=parent) as context:
        if isinstance(command, click.Group):
            rest = [*context._protected_args, *context.args]
            if not rest and command.invoke_without_command:
                return
            found, inner, remaining = command.resolve_command(context, rest)
            assert found
            assert inner
            parse(inner, found, remaining, context)


@pytest.mark.parametrize(("place", "line"), list(examples()), ids=lambda value: value)
def test_a_documented_command_exists_as_written(place: str, line: str) -> None:
    words = shlex.split(line, comments=True)
    until = next((i for i, word in enumerate(words) if word in {"|", ">", "&&", "&"}), len(words))
    try:
        parse(tocsin, "tocsin", words[1:until], None)
    except click.UsageError as error:
        pytest.fail(f"{place}: {line}: {error.format_message()}")
