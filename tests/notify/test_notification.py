"""Texts of strangers in lines of ours."""

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
def test_a_stranger_s_text_becomes_a_part_of_a_line(text: str, expected: str) -> None:
    """Scripts of all languages stay; what would break, hide or turn the line does not; a cut is marked."""
    assert one_line(text) == expected


@given(st.text(st.characters()), st.integers(3, 40))
def test_any_text_fits_into_a_line(text: str, limit: int) -> None:
    """Printable, encodable, within the limit, and the same when it is done twice."""
    line = one_line(text, limit)
    assert len(line) <= limit
    assert line.isprintable()
    assert len(line.splitlines()) <= 1
    assert line.encode().decode() == line
    assert one_line(line, limit) == line
