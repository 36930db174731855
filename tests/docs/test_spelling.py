"""American spelling, as in the documentation of AWS: one spelling for prose, names and files."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from tests.docs.test_words import FOLDERS, ROOT, texts

SOURCES_OWN = "tests/outside.py"
"""Names a folder of published data in the spelling of its source."""
STEMS = (
    "author", "categor", "central", "character", "custom", "emphas", "general", "harmon", "initial", "local",
    "maxim", "memor", "minim", "normal", "optim", "organ", "penal", "priorit", "random", "real", "recogn",
    "sanit", "serial", "special", "standard", "summar", "synchron", "token", "util", "visual",
)  # fmt: skip
BRITISH = re.compile(
    "|".join(
        (
            r"behaviour|colour|favour|flavour|harbour|honour|(?<![a-z])labour|neighbour|rumour",
            rf"(?:{'|'.join(STEMS)})is(?:e[drs]?|ing|ation|ations)(?![a-z])",
            r"(?:anal|paral)ys(?:e[drs]?|ing)(?![a-z])",
            r"(?:cancel|dial|fuel|label|level|model|signal|total|travel|tunnel)l(?:ed|ing|er|ers)(?![a-z])",
            r"(?:learn|burn|spel)t(?![a-z])",
            r"(?:after|back|in|to|up|down)wards(?![a-z])",
            r"artefact|licence|defence|offence|catalogue|dialogue|programme(?![a-z])|grey|cheque|whilst|amongst",
            r"(?<![a-z])(?:centre|fibre|litre|metre)s?(?![a-z])|(?<![a-z])(?:fulfil|enrol|instal)(?![a-z])",
            r"judgement|acknowledgement|ageing|queueing",
        )
    )
)


WORD = re.compile("[a-z]+")


def british(text: str) -> list[str]:
    """The British forms in the words of a text, also within names such as `_COLOUR` and `NeighbourCount`."""
    return [form for word in dict.fromkeys(WORD.findall(text.lower())) for form in _british(word)]


@cache
def _british(word: str) -> tuple[str, ...]:
    return tuple(match[0] for match in BRITISH.finditer(word))


def test_no_text_contains_a_british_form() -> None:
    """Neither prose nor a name in the code."""
    other = {Path(__file__), ROOT / SOURCES_OWN}
    read = [each for each in texts() if each not in other]
    found = {str(each.relative_to(ROOT)): words for each in read if (words := british(each.read_text()))}
    assert len(read) > 500
    assert found == {}


def test_no_file_has_a_british_name() -> None:
    """Events, golden files and modules."""
    files = [each for folder in FOLDERS for each in (ROOT / folder).rglob("*")]
    names = [str(each.relative_to(ROOT)) for each in files if each.suffix != ".pyc"]
    assert [each for each in names if british(each)] == []


@pytest.mark.parametrize(
    "text",
    ["Behaviour", "_COLOUR", "of_neighbours", "Recognised.", "is_normalised", "analyse", "labelled",
     "misspelt", "afterwards", "licence checks", "the data centre", "acknowledgement", "queueing"],
)  # fmt: skip
def test_a_british_form_is_found(text: str) -> None:
    """In any case, and as a part of a name."""
    assert len(british(text)) == 1


@pytest.mark.parametrize(
    "text",
    ["behavior", "four hours", "otherwise", "precise", "noise", "analysis", "labeled", "called", "promised",
     "centralized", "forward", "rolled", "signal lost", "raised", "metrics", "parameter", "program"],
)  # fmt: skip
def test_american_and_common_forms_are_accepted(text: str) -> None:
    """Even words that only look like a British form."""
    assert british(text) == []
