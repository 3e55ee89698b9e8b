"""Write into docs/sources.md what the sources' modules say of themselves: `make docs`."""

from pathlib import Path

from receiver import setups

PAGE = Path(__file__).parents[1] / "docs/sources.md"

if __name__ == "__main__":
    PAGE.write_text(setups.page(PAGE.read_text()))
