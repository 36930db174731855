"""Gets a finding's text from its detector and fills in the runbook steps. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from string import Formatter
from typing import Final

from msgspec.structs import asdict, replace

from flowwarden.monitor.detectors import BY_NAME
from flowwarden.monitor.findings import Finding, SurplusFinding, TrafficFinding
from flowwarden.monitor.render.parts import RenderContext
from flowwarden.monitor.text import Text
from flowwarden.notify.text import plural
from flowwarden.printable import LONGEST_LINE, one_line

_FORMATTER: Final = Formatter()


def describe(finding: Finding) -> Text:
    """The finding in words, one line each: a tag, a name or a field in it cannot add another."""
    if isinstance(finding, SurplusFinding):
        return Text(
            summary=f"Up to {plural(finding.count, 'more finding')} of {finding.detector}, not listed."
        )
    text = BY_NAME[finding.detector].text(finding)
    return replace(
        text,
        summary=one_line(text.summary, LONGEST_LINE),
        because=one_line(text.because, LONGEST_LINE),
        likely=one_line(text.likely, LONGEST_LINE),
    )


def steps(finding: Finding, text: Text, context: RenderContext) -> tuple[str, ...]:
    """The detector's runbook steps for a finding, with the placeholders filled in.

    A step with a placeholder whose value is None does not apply and is omitted.

    Raises:
        KeyError: the runbook uses a placeholder that the finding does not define.
    """
    return fill(BY_NAME[finding.detector].runbook, _words(finding, text, context))


def fill(runbook: Sequence[str], words: Mapping[str, object]) -> tuple[str, ...]:
    """The steps of a runbook with the placeholders filled in; see `steps`."""
    applying = (step for step in runbook if all(words[name] is not None for name in placeholders(step)))
    return tuple(one_line(step.format_map(words), LONGEST_LINE) for step in applying)


def placeholders(step: str) -> list[str]:
    """The names in braces in a runbook step."""
    return [name for _, name, _, _ in _FORMATTER.parse(step) if name is not None]


def _words(finding: Finding, text: Text, context: RenderContext) -> Mapping[str, object]:
    words: dict[str, object] = {
        "subject": finding.subject,
        "region": context.region,
        "log_group": context.log_group,
    }
    if isinstance(finding, TrafficFinding):
        words["server"] = finding.main_server
        words["client"] = finding.main_client
        words["service"] = finding.main_service
    facts = asdict(finding.facts) if finding.facts is not None else {}
    return words | facts | dict(text.words)
