"""What a detector measured, against its limit: the detector decides by it, and explanations show it. Pure."""

from __future__ import annotations

from msgspec import Struct


class Measured(Struct, frozen=True, kw_only=True):
    """An amount that a detector compares with a limit."""

    what: str
    """What was counted or summed, and over which time."""
    value: float
    """May be an estimate."""
    limit: float
    threshold: str = ""
    """The threshold of the policy that the limit comes from; empty if it comes from none."""
    must_exceed: bool = False
    """Whether the amount must be above the limit."""
    below: bool = False
    """Whether the amount must be below the limit."""
    needed: bool = False
    """Whether the amount is a condition: all conditions must hold, those whose text ends with `for a page`
    only for a page. Of other amounts, one is enough."""

    @property
    def reached(self) -> bool:
        """Whether the amount reaches the limit; exceeds it, or stays below it, if it must."""
        if self.below:
            return self.value < self.limit
        return self.value > self.limit if self.must_exceed else self.value >= self.limit
