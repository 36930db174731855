"""A stream of JSON values: found at any block boundary; an invalid value affects one line."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowwarden.errors import DamagedSource
from flowwarden.sources import json_stream
from flowwarden.sources.chunks import Unreadable
from flowwarden.sources.json_stream import Document, documents
from tests.sources.held import blocks_of


def found(text: str | bytes, *sizes: int) -> list[Any]:
    """Line number and content of each object; line number and text of anything else."""
    data = text.encode() if isinstance(text, str) else text
    return [
        (each.number, each.content if isinstance(each, Document) else each.text)
        for each in documents(blocks_of(data, sizes), "held")
        if each is not None
    ]


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ('{"a": 1}\n{"a": 2}\n', [1, 2]),
        ('{"a": 1}{"a": 2}', [1, 1]),
        ('{"a": 1} {"a": 2}\n\n', [1, 1]),
        ('[{"a": 1}, {"a": 2}]', [1, 1]),
        ('[\n  {"a": 1},\n  {"a": 2}\n]\n', [2, 3]),
        ('{\n "a": 1\n}\n{\n "a": 2\n}', [1, 4]),
        ('\n\n{"a": 1}\r\n{"a": 2}', [3, 4]),
    ],
    ids=[
        "one per line",
        "concatenated",
        "space between",
        "array",
        "multi-line array",
        "pretty",
        "blank lines",
    ],
)
def test_objects_are_found_with_any_separator(text: str, numbers: list[int]) -> None:
    """Each has the number of its first line."""
    assert found(text) == [(numbers[0], {"a": 1}), (numbers[1], {"a": 2})]


@pytest.mark.parametrize("text", ["", " \n", "[]", "[\n]\n"])
def test_an_empty_source_has_no_objects(text: str) -> None:
    """Neither has an empty array."""
    assert found(text) == []


@pytest.mark.parametrize(
    "line",
    ['{"a": tru}', '{"a": 1', "2 111122223333 eni-0a", '"text"', '{"a" 1}', "[1]", '{"a": "x', "}", "NaN"],
)
def test_an_invalid_line_affects_only_that_line(line: str) -> None:
    """The objects around it are found."""
    assert found(f'{{"a": 1}}\n{line}\n{{"a": 2}}\n') == [(1, {"a": 1}), (2, line.lstrip("[")), (3, {"a": 2})]


def test_an_invalid_value_between_concatenated_objects_affects_one_object() -> None:
    """There are no lines in this case."""
    assert found('{"a": 1}{"b": oops}{"a": 2}') == [(1, {"a": 1}), (1, '{"b": oops}'), (1, {"a": 2})]


@pytest.mark.parametrize("text", ['{"a": ' + "9" * 5000 + "}", '{"a": ' + "[" * 100_000])
def test_numbers_and_nesting_beyond_the_decoder_are_unreadable(text: str) -> None:
    """They are reported, shortened, and raise no error."""
    ((number, shown), last) = found(f'{text}\n{{"a": 2}}\n')
    assert (number, last) == (1, (2, {"a": 2}))
    assert len(shown) < 1000


def test_the_reason_for_a_number_beyond_the_decoder_is_in_words() -> None:
    """Not that of Python, which is about its own settings."""
    found = documents([b'{"a": ' + b"9" * 5000 + b"}\n"], "held")
    (bad,) = [each for each in found if isinstance(each, Unreadable)]
    assert bad.reason == "a number with too many digits"


@pytest.mark.parametrize(
    "text", ['{"\\e": "x", "events": []}', '{"a": "\\u12", "events": []}', '{"events": [{"a": "\\x"}]}']
)
def test_an_escape_that_json_does_not_have_is_not_valid(text: str) -> None:
    """In a key, in a value, and within a list that is streamed."""
    assert found(f'{text}\n{{"b": 2}}\n')[-1] == (2, {"b": 2})
    assert any(isinstance(each, Unreadable) for each in documents([text.encode() + b"\n"], "held"))


def test_a_reason_says_what_is_wrong() -> None:
    """It contains the first token that does not belong there."""
    (bad,) = [each for each in documents([b'{"a" 1}\n'], "held") if isinstance(each, Unreadable)]
    assert bad.reason == "not valid JSON: unexpected 1"


@pytest.mark.parametrize("text", ['{"a": 1', '{"a": "x', '{"a": 1}\n{', '{"a":'])
def test_the_end_of_the_source_within_a_value_is_an_error_with_sizes(text: str) -> None:
    """The source is truncated; the values before are returned."""
    before: list[object] = []
    with pytest.raises(DamagedSource, match=r"held: ends in the middle .* line \d, after \d characters"):
        before.extend(documents([text.encode()], "held"))
    assert len([each for each in before if each is not None]) == text.count("}")


def test_a_value_that_never_ends_is_an_error_before_it_fills_the_memory() -> None:
    """The message contains the line where it begins, and the limit."""

    def endless() -> Any:
        yield b'{"a": 1}\n{"a": "'
        while True:
            yield b"x" * 2**24

    with pytest.raises(DamagedSource, match=rf"line 2 does not end within {json_stream.LARGEST_VALUE} "):
        list(documents(endless(), "held"))


_TEXT = st.text(st.characters(codec="utf-8"))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | _TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=5,
)


@given(
    st.lists(st.dictionaries(_TEXT, VALUES, max_size=4), max_size=6),
    st.sampled_from(["", "\n", " ", ",\n"]),
    st.sampled_from([None, 1]),
    st.lists(st.integers(1, 30), max_size=30),
)
def test_all_objects_are_found_at_any_block_boundary(
    objects: list[dict[str, Any]], between: str, indent: int | None, sizes: list[int]
) -> None:
    """Blocks can split numbers, names, escapes and UTF-8 characters."""
    text = between.join(json.dumps(each, indent=indent, ensure_ascii=False) for each in objects)
    assert [content for _, content in found(text, *sizes)] == objects
