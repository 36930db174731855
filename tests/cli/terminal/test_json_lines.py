"""JSON lines keep the text, but contain no character that controls a terminal."""

from __future__ import annotations

import json

import pytest

from flowwarden.records.model import Malformed
from flowwarden_cli.terminal.json_lines import malformed_as_json

RAW = "\x00\x07\x1b[31m\x7f\x85\x9b2J\u061c\u200b\u202e\u2028\u2066\ufeff\U000e0041"


@pytest.mark.parametrize("text", [RAW, "caf\u00e9 \u65e5\u672c \U0001f600", "plain", "\u05eb", f"é{RAW}é"])
def test_the_text_survives_and_invisible_characters_are_escaped(text: str) -> None:
    """Letters of all scripts are printed as they are."""
    (line,) = malformed_as_json("x", [(1, Malformed(text, "odd"))]).decode().splitlines()
    assert json.loads(line)["text"] == text
    assert not set(line) & set(RAW) - set("[31m2J")
    assert all(char in line for char in text if char.isprintable() and char not in "[31m2J")


def test_a_lone_surrogate_is_shown_as_an_escape() -> None:
    """It cannot be encoded as UTF-8; neither can arbitrary bytes in the name of a file."""
    (line,) = malformed_as_json("a\udcff", [(1, Malformed("\ud800x", "is '\ud800'"))]).decode().splitlines()
    shown = json.loads(line)
    assert (shown["source"], shown["text"], shown["reason"]) == ("a\\xff", "\\ud800x", "is '\\ud800'")
