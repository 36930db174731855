"""Subjects that SNS takes."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowwarden.alerting.notification import fit_subject


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("as it is", "as it is"),
        ("two\nlines\tand  blanks ", "two lines and blanks"),
        ("Grüße \x00", "Gr??e ?"),
        ("", "(no subject)"),
        ("x" * 99, "x" * 99),
        ("x" * 100, "x" * 96 + "..."),
    ],
)
def test_a_subject_is_printable_ascii_of_one_line(text: str, expected: str) -> None:
    """What SNS would refuse is replaced, and a cut is marked."""
    assert fit_subject(text) == expected


@given(st.text())
def test_any_text_gives_a_subject_that_sns_takes(text: str) -> None:
    """At most 99 printable ASCII characters, never none."""
    assert re.fullmatch(r"[ -~]{1,99}", fit_subject(text))
