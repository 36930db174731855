"""A cost is named if it is at least a cent; an estimate of 0.00 would read like a price."""

from __future__ import annotations

import pytest

from flowwarden.enforcer.decide.cost import about


@pytest.mark.parametrize(
    ("dollars", "text"),
    [
        (0, ""),
        (0.004, ""),
        (0.01, ", about 0.01 USD a month"),
        (12.5, ", about 12.50 USD a month"),
    ],
)
def test_a_cost_of_less_than_a_cent_is_left_out(dollars: float, text: str) -> None:
    """The text is the end of a sentence."""
    assert about(dollars) == text
