"""Runbook pages: what is written by hand in them is kept when the rest is generated."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from flowwarden.parameters import LOG_FORMAT, PARAMETERS
from flowwarden.records.log_format import LogFormat

ROOT: Final = Path(__file__).parents[1]
FOLDER: Final = ROOT / "docs" / "runbooks"
STACK: Final = "flow-warden"
"""The name of the stack in commands."""
HEAD: Final = """\
<!-- `make docs` writes this page. Write between a mark "by hand" and the next mark "end" only. -->
"""
_BLOCK: Final = re.compile(r"<!-- by hand: ([a-z]+) -->\n(.*?)<!-- end -->", re.DOTALL)
_PARSE: Final = re.compile(r"^parse @message .*$", re.MULTILINE)
SHELL: Final = f"""\
```sh
# The stack's outputs and resources by name; for AWS CloudShell, or Bash with AWS CLI version 2.
output() {{ aws cloudformation describe-stacks --stack-name {STACK} --output text \\
  --query "Stacks[0].Outputs[?OutputKey=='$1'].OutputValue"; }}
resource() {{ aws cloudformation describe-stack-resource --stack-name {STACK} --output text \\
  --logical-resource-id "$1" --query StackResourceDetail.PhysicalResourceId; }}
```
"""


def columns() -> list[str]:
    """The names of the fields of a flow record in queries, in the template's order."""
    return [name.replace("-", "_") for name in LogFormat.parse(PARAMETERS[LOG_FORMAT].default).names]


def parse_line() -> str:
    """The first command of a query about flow records: gives each field its name."""
    names = columns()
    return f'parse @message "{" ".join("*" * len(names))}" as {", ".join(names)}'


class Written:
    """The parts of a page that are written by hand, by name."""

    def __init__(self, page: str) -> None:
        self._parts: Mapping[str, str] = dict(_BLOCK.findall(page))
        self._used: set[str] = set()

    @classmethod
    def of(cls, path: Path) -> Written:
        """Those of a page; none if the page does not exist."""
        return cls(path.read_text() if path.exists() else "")

    def block(self, name: str) -> str:
        """A part between its marks, with the log format of today in its queries."""
        self._used.add(name)
        # A function, because the text of a replacement would interpret backslashes.
        text = _PARSE.sub(lambda _: parse_line(), self._parts.get(name, ""))
        return f"<!-- by hand: {name} -->\n{text}<!-- end -->"

    def is_empty(self, name: str) -> bool:
        """Whether nothing is written in a part."""
        return not self._parts.get(name, "").strip()

    def uses(self, function: str) -> bool:
        """Whether a command calls a function of `SHELL`."""
        return any(f"$({function} " in text for text in self._parts.values())

    def check(self, path: Path) -> None:
        """Raise ValueError if the page has a part that no section shows: it would be lost."""
        if lost := self._parts.keys() - self._used:
            raise ValueError(f"{path}: no section has the part {', '.join(sorted(lost))}")


def table(rows: Iterable[tuple[str, str]]) -> str:
    """A table of properties."""
    return "\n".join(["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows)])


def sections(title: str, summary: str, facts: str, parts: Mapping[str, Iterable[str]]) -> str:
    """A page; paragraphs that are empty are left out."""
    text = [f"# {title}", HEAD.rstrip(), summary, facts]
    for heading, paragraphs in parts.items():
        text += [f"## {heading}", *(each.rstrip() for each in paragraphs if each.strip())]
    return "\n\n".join(text) + "\n"
