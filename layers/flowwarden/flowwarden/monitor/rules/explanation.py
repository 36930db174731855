"""The explanation of a rejected connection: the verdict by the rules, and their latest changes."""

from __future__ import annotations

from msgspec import Struct

from flowwarden.monitor.rules.question import Question
from flowwarden.network.rules.verdict import Verdict
from flowwarden.state.rule_changes import RuleChange


class Explanation(Struct, frozen=True, kw_only=True):
    """What the rules say about a rejected connection."""

    verdict: Verdict | None = None
    """None if the rules could not be evaluated."""
    question: Question | None = None
    """The packet that was evaluated."""
    reasons: tuple[str, ...] = ()
    """Why there is no verdict, or why a part of the rules is not known, in words."""
    at: int
    """When the rules were read (Unix seconds)."""
    changes: tuple[RuleChange, ...] = ()
    """Changes of the rules in the last day, the latest first."""
    changes_missing: str = ""
    """Why changes are not known, in words; '' if they are."""
