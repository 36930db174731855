"""Untrusted text, made safe for a line of a page, a log or a terminal."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowwarden.printable import LONGEST_LINE, as_json, one_line, printable, safe
from tests.hostile import is_visible, texts


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("arn:aws:iam::111122223333:user/maria", "arn:aws:iam::111122223333:user/maria"),
        ("Grüße 東京 🙂 नमस्ते שלום", "Grüße 東京 🙂 नमस्ते שלום"),
        ("Vie\u0323\u0302t", "Vie\u0323\u0302t"),
        ("x\r\n\nNOT COVERED\u2028(1)\u2029\x85\x0b2", "x NOT COVERED (1) 2"),
        ("\x1b[31m\x00\x7f\x9b", r"\x1b[31m\x00\x7f\x9b"),
        ("\u202eevil\u2066\u200b\u200d\ufeff\ud800", r"\u202eevil\u2066\u200b\u200d\ufeff\ud800"),
        ("role\u3164\u2800\ufe0f\U000e0041\U000e0101", r"role\u3164\u2800\ufe0f\U000e0041\U000e0101"),
        ("a" + "\u0301" * 6, "a" + "\u0301" * 4 + r"\u0301\u0301"),
        ("", ""),
        (" \n ", ""),
        ("x" * 256, "x" * 256),
        ("x" * 257, "x" * 253 + "..."),
        ("\x00" * 256, r"\x00" * 63 + r"\..."),
    ],
)
def test_text_from_outside_becomes_a_safe_part_of_a_line(text: str, expected: str) -> None:
    """All scripts are kept; line breaks and characters that are not visible are not; cuts are marked."""
    assert one_line(text) == expected


@given(st.text(st.characters()), st.integers(3, 40))
def test_any_text_fits_into_a_line(text: str, limit: int) -> None:
    """The result is printable, encodable and within the limit, and a second pass does not change it."""
    line = one_line(text, limit)
    assert len(line) <= limit
    assert line.isprintable()
    assert len(line.splitlines()) <= 1
    assert line.encode().decode() == line
    assert one_line(line, limit) == line
    assert printable(line, limit) == line


def test_a_whole_line_keeps_its_alignment() -> None:
    """Only line breaks and invisible characters are replaced; the length is limited."""
    assert printable("  Source       10.0.0.1\n  Forged") == "  Source       10.0.0.1   Forged"
    assert len(printable("x" * 10_000_000)) == LONGEST_LINE


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters()), inner, max_size=3),
    max_leaves=6,
)


@given(JSON, st.sampled_from([None, 2]))
def test_json_is_visible_and_alters_no_text(value: object, indent: int | None) -> None:
    """Everything that is not visible is escaped, lone surrogates and U+007F too."""
    encoded = as_json(value, indent)
    assert is_visible(encoded)
    assert indent is not None or "\n" not in encoded
    assert json.loads(encoded) == json.loads(json.dumps(value))


@given(JSON)
def test_each_text_of_a_safe_value_is_one_line_of_bounded_length(value: object) -> None:
    """Including the names of members."""
    assert all(each.isprintable() and len(each) <= LONGEST_LINE for each in texts(safe(value)))
