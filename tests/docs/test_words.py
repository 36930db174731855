"""Plain English: code, docs and texts say who or what acts, and do not personify hosts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("layers", "cli", "functions", "local", "benchmarks", "tests", "docs", "events", "requirements")
SUFFIXES = {".py", ".md", ".yaml", ".toml", ".json", ".txt", ".in"}
AVOIDED = re.compile(r"\b(somebody|nobody|anybody|everybody|whoever|he|him|his)\b")


def texts() -> Iterator[Path]:
    """Every file that a person reads."""
    yield from (each for each in ROOT.iterdir() if each.suffix in SUFFIXES or each.name == "Makefile")
    for folder in FOLDERS:
        yield from (each for each in (ROOT / folder).rglob("*") if each.suffix in SUFFIXES)


def avoided(text: str) -> list[str]:
    """The avoided words of a text."""
    return [match[0] for match in AVOIDED.finditer(text.lower())]


def test_no_text_contains_an_avoided_word() -> None:
    """Write who or what acts: on-call, the operator, an attacker, another process, the host."""
    read = [each for each in texts() if each != Path(__file__)]
    found = {str(each.relative_to(ROOT)): words for each in read if (words := avoided(each.read_text()))}
    assert len(read) > 500
    assert found == {}


@pytest.mark.parametrize("text", ["Tell somebody.", "Whoever asks", "if he asks", "his host"])
def test_an_avoided_word_is_found(text: str) -> None:
    """In any case, also at the beginning of a sentence."""
    assert len(avoided(text)) == 1


@pytest.mark.parametrize("text", ["the", "this", "history", "shell", "other"])
def test_words_that_contain_an_avoided_word_are_accepted(text: str) -> None:
    """Only whole words count."""
    assert avoided(text) == []
