"""Writes the list of modules in CONTRIBUTING.md, each with the first sentence of its docstring.

Run `make docs` after a change to such a sentence. A test compares the list with the files.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
PAGE: Final = ROOT / "CONTRIBUTING.md"
SECTION: Final = "## Every module\n\n"
FOLDERS: Final = "layers/flowwarden/flowwarden", "cli/flowwarden_cli", "functions"
"""Top folders of the product."""
INTRODUCTION: Final = """\
The first sentence of each module. `make docs` writes this section.
"""


def page(before: str) -> str:
    """CONTRIBUTING.md with the list as its last section; `before` is the current page."""
    head, _, _ = before.partition(SECTION)
    lines = [line for each in FOLDERS for line in _list(ROOT / each)]
    return "\n".join([f"{head.rstrip()}\n\n{SECTION}{INTRODUCTION}", *lines])


def _list(top: Path) -> Iterator[str]:
    """The lines of a folder and its subfolders, each under its path from the project folder."""
    for folder in (top, *sorted(each for each in top.rglob("*") if each.is_dir())):
        modules = {path.name: first_sentence(path) for path in sorted(folder.glob("*.py"))}
        package = modules.pop("__init__.py", "")
        if modules:
            yield f"**`{folder.relative_to(ROOT)}/`** {package}".rstrip() + "\n"
            yield from (f"- `{name}`: {sentence}" for name, sentence in modules.items())
            yield ""


@cache
def first_sentence(path: Path) -> str:
    """The first sentence of a module's docstring, without the module's name; empty if there is none."""
    docstring = ast.get_docstring(ast.parse(path.read_text())) or ""
    sentence = re.split(r"(?<=[.?!])\s", " ".join(docstring.split("\n\n")[0].split()))[0]
    name = path.stem.replace("_", "-")
    return sentence.removeprefix(f"{name}: ")


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(PAGE.read_text()))


if __name__ == "__main__":
    main()
