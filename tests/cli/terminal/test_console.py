"""What the console prints."""

from __future__ import annotations

import ast
import json
from io import BytesIO, StringIO
from pathlib import Path

import pytest

from flowwarden.printable import LONGEST_LINE
from flowwarden_cli.terminal.console import Console

COMMANDS = Path(__file__).parents[3] / "cli" / "flowwarden_cli"


def printed(document: object, indent: int | None) -> str:
    """What `print_document` writes."""
    out = BytesIO()
    console = Console(BytesIO(), out, StringIO(), shows_progress=False, clock=lambda: 0.0)
    console.print_document(document, indent)
    return out.getvalue().decode()


@pytest.mark.parametrize("indent", [None, 2])
def test_a_document_is_never_shortened(indent: int | None) -> None:
    """Unlike a line of text: a JSON document without its end is not JSON."""
    document = {"long": "x" * 3 * LONGEST_LINE, "forged": "a\nb\x1b[31m"}
    text = printed(document, indent)
    assert json.loads(text) == document
    assert "\x1b" not in text


def test_no_command_prints_json_as_lines_of_text() -> None:
    """`Console.print` shortens a long line; `print_document` does not."""
    found = [
        f"{path.name}:{call.lineno}"
        for path in sorted(COMMANDS.rglob("*.py"))
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "print"
        if any(isinstance(each, ast.Name) and each.id == "as_json" for each in ast.walk(call))
    ]
    assert not found
