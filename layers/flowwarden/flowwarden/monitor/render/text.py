"""Asks the finding's detector for its text, and fills in the steps of its runbook. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from string import Formatter
from typing import Final

from msgspec.structs import asdict

from flowwarden.monitor.detectors import BY_NAME
from flowwarden.monitor.findings import Finding, TrafficFinding
from flowwarden.monitor.render.parts import Occasion
from flowwarden.monitor.text import Text

_FORMATTER: Final = Formatter()


def describe(finding: Finding) -> Text:
    """What people read about a finding."""
    return BY_NAME[finding.detector].text(finding)


def steps(finding: Finding, text: Text, occasion: Occasion) -> tuple[str, ...]:
    """What to do about a finding: the runbook of its detector, with what it names filled in.

    A step is left out if a word that it names is None, as it does not apply.

    Raises:
        KeyError: the runbook names a word that the finding does not have.
    """
    return fill(BY_NAME[finding.detector].runbook, _words(finding, text, occasion))


def fill(runbook: Sequence[str], words: Mapping[str, object]) -> tuple[str, ...]:
    """The steps of a runbook with words in place of what stands in braces; see `steps`."""
    applying = (step for step in runbook if all(words[name] is not None for name in placeholders(step)))
    return tuple(step.format_map(words) for step in applying)


def placeholders(step: str) -> list[str]:
    """The words that a step of a runbook names in braces."""
    return [name for _, name, _, _ in _FORMATTER.parse(step) if name is not None]


def _words(finding: Finding, text: Text, occasion: Occasion) -> Mapping[str, object]:
    words: dict[str, object] = {
        "subject": finding.subject,
        "region": occasion.region,
        "log_group": occasion.log_group,
    }
    if isinstance(finding, TrafficFinding):
        words["server"] = finding.main_server
        words["client"] = finding.main_client
        words["service"] = finding.main_service
    facts = asdict(finding.facts) if finding.facts is not None else {}
    return words | facts | dict(text.words)
