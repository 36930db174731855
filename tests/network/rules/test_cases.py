"""The verdict on a rejected packet is right in each case of `cases.py`."""

from __future__ import annotations

import pytest

from flowwarden.network.rules.check import Check
from flowwarden.network.rules.model import Entry, Rule
from flowwarden.network.rules.verdict import Verdict, judge
from tests.network.rules.cases import CASES, Case


@pytest.mark.parametrize("case", CASES, ids=lambda each: each.name)
def test_verdict_is_right(case: Case) -> None:
    """Component, explanation code, direction, rule, closest rule, reasons, and further obstacles."""
    assert summary(judge(case.rejected, case.rules)) == case.verdict


def test_there_are_enough_cases_and_each_has_its_own_name() -> None:
    """The table has at least 40 cases."""
    assert len({each.name for each in CASES}) == len(CASES) >= 40


def summary(verdict: Verdict) -> str:
    """The verdict in the words of the cases."""
    reasons = ", ".join(f"{each.doubt} {each.about}".strip() for each in verdict.doubts)
    also = ", ".join(("reply " if each.is_reply else "") + place(each) for each in verdict.also)
    words = [f"{verdict.outcome}"]
    if check := verdict.by:
        words += [f" {check.code} by {place(check)}"]
        words += [f" rule {named(check.rule)}"] if check.rule else []
        words += [f", closest {named(check.closest)}"] if check.closest else []
    return "".join([*words, f": {reasons}" if reasons else "", f"; also {also}" if also else ""])


def place(check: Check) -> str:
    """Component, ids and direction."""
    return f"{check.component} {' '.join(check.ids)} {check.direction}"


def named(rule: Rule | Entry) -> str:
    """A rule as it is written in the cases."""
    if isinstance(rule, Rule):
        return rule.rule_id.removeprefix("sgr-")
    return "*" if rule.is_default else str(rule.number)
