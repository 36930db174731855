"""Untrusted texts in lines of a notification."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowwarden.notify.notification import one_line


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("arn:aws:iam::111122223333:user/maria", "arn:aws:iam::111122223333:user/maria"),
        ("Grüße 東京 🙂", "Grüße 東京 🙂"),
        ("x\r\n\nNOT COVERED\u2028(1)", "x NOT COVERED (1)"),
        ("\x1b[31m\x00", "?[31m?"),
        ("\u202eevil\u200b\ud800", "?evil??"),
        ("", ""),
        (" \n ", ""),
        ("x" * 256, "x" * 256),
        ("x" * 257, "x" * 253 + "..."),
    ],
)
def test_untrusted_text_becomes_a_safe_part_of_a_line(text: str, expected: str) -> None:
    """All scripts are kept; line breaks, invisible and bidirectional characters are not; cuts are marked."""
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
