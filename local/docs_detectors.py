"""Writes docs/detectors.md from the detectors' own files.

Run `make docs` after a change to a detector. A test compares the page with the code.
"""

from __future__ import annotations

import importlib
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Final

from flowwarden.monitor.causes import Shares
from flowwarden.monitor.detectors import DETECTORS
from flowwarden.monitor.detectors.base import Detector, Need
from flowwarden.monitor.render import rollup
from flowwarden.notify.alert import Route
from flowwarden.policy.detection import Thresholds

ROOT: Final = Path(__file__).parents[1]
WIDTH: Final = 118
PAGE: Final = ROOT / "docs" / "detectors.md"
ROUTES: Final = {
    Route.PAGES: "pages",
    Route.OPERATIONS: "operations topic",
    Route.DIGEST: "digest",
    Route.LOG: "log only",
}
NEEDS: Final = {
    Need.BASELINE: "the learned baseline of the host's role",
    Need.TCP_FLAGS: "`tcp-flags` in the log format",
    Need.SUBNET_ID: "`subnet-id` in the log format",
    Need.HEARTBEATS: "the state table, which stores when interfaces last wrote",
}
SHOWN: Final = ("What", "Why", "False positives", "Blind")
"""Headings of a detector's docstring that the page shows."""
HIDDEN: Final = ("Events", "ATT&CK")
"""Headings for developers, and headings whose content the page takes from elsewhere."""
INTRODUCTION: Final = """\
# Detectors

`make docs` writes this page from the detectors' own files. Change those instead.
"""
EXPLANATION: Final = """\
Flow Warden learns for each role (a group of hosts with the same purpose) what is usual. Learning takes two
weeks. Until then, `scan` needs more failures, and detectors of new behavior report only the most severe cases
or nothing: see [the table](decisions/host-history-is-sets.md#new-and-usual).
[The evaluation](../benchmarks/detection.md) (`make eval`) measures how often each detector finds incidents,
and how often it pages without one. [limits.md](limits.md) lists what flow logs do not show.

An *internal* host is one of yours: it has a private address, an address of a VPC of the account, or one in
`own_cidrs` of the policy. A *batch* is what CloudWatch Logs delivers to the monitor at once: the latest
records of one log stream, usually of one interface.

Each section below describes one detector. Thresholds are listed with their defaults; [policy.md](policy.md)
describes how to change them. A detector can be [report-only](policy.md#report-only-detectors) at first.
If something under "Needs" is missing, the detector finds less or nothing.
"Inhibits" lists detectors whose findings about the same subject do not page while repeats are suppressed.
"Joins an incident by" lists what a finding must have in common with an earlier page to
[join its incident](decisions/one-cause-is-one-incident.md) without a page. "Incident" is given for detectors
of [what one host does](decisions/what-one-host-does-is-one-incident.md): their findings about a host are one
incident, of severity critical if they show different behavior and one of them is of severity high.

Notifications contain the steps of "What to do", with the values of the finding in place of the words in
braces. A step whose word has no value is omitted.

If a batch has more than 25 alerts for a sink (a notification channel), or more than 16 pages while pages have
[a budget](notifications.md#budget), one notification named `alert-rollup` replaces the less severe ones.
"""


def table() -> str:
    """One row for each detector, and one for the roll-up."""
    rows = [(each.name, each.summary, f"{each.severity}: {ROUTES[each.route]}") for each in DETECTORS]
    routes = "; ".join(f"{severity}: {ROUTES[route]}" for route, severity in rollup.SEVERITY.items())
    rows.append((rollup.NAME, rollup.SUMMARY, routes))
    lines = (f"| `{name}` | {summary} | {severity} |" for name, summary, severity in rows)
    return "\n".join(["| Detector | What it finds | Severity and route |", "|---|---|---|", *lines])


def page() -> str:
    """docs/detectors.md."""
    return "\n".join([INTRODUCTION, table(), "", EXPLANATION, *(_section(each) for each in DETECTORS)])


def _section(detector: Detector) -> str:
    facts = "\n".join(f"- **{name}:** {value}" for name, value in _facts(detector))
    paragraphs = "\n\n".join(wrapped(each) for each in paragraphs_of(module_of(detector)))
    summary = wrapped(f"{detector.summary[:1].upper()}{detector.summary[1:]}.")
    return f"## `{detector.name}`\n\n{summary}\n\n{facts}\n\n{paragraphs}\n\n{_runbook(detector)}\n"


def _runbook(detector: Detector) -> str:
    if not detector.runbook:
        return "**What to do:** nothing."
    steps = "\n".join(f"{number}. {step}" for number, step in enumerate(detector.runbook, start=1))
    return f"**What to do:**\n\n{steps}"


def _facts(detector: Detector) -> Iterator[tuple[str, str]]:
    defaults = Thresholds()
    yield "Severity", detector.severity
    yield "Route", ROUTES[detector.route]
    if detector.unpaged is not Route.LOG:
        yield "Route of findings that do not page", ROUTES[detector.unpaged]
    yield "ATT&CK technique", detector.technique or "none"
    thresholds = [f"`{name}` ({getattr(defaults, name)})" for name in detector.thresholds]
    yield "Thresholds", ", ".join(thresholds) or "none"
    yield "Needs", ", ".join(NEEDS[each] for each in Need if each in detector.needs) or "nothing more"
    yield "Inhibits", ", ".join(f"`{name}`" for name in detector.inhibits) or "nothing"
    if detector.behavior is not None:
        yield "Incident", "that of the host that acts, with the findings of other detectors about it"
    if detector.shares is not Shares.NOTHING:
        yield "Joins an incident by", detector.shares.value
    yield "Runbook", f"[runbooks/{detector.name}.md](runbooks/{detector.name}.md)"
    if detector.teaches_baseline:
        yield "Learning", "the baseline learns what it finds, so that it becomes usual"


def module_of(detector: Detector) -> ModuleType:
    """The module that declares a detector."""
    name = detector.name.replace("-", "_")
    return importlib.import_module(f"flowwarden.monitor.detectors.{name}")


def paragraphs_of(module: ModuleType) -> list[str]:
    """The paragraphs of a detector's docstring that the page shows: those without a heading of `HIDDEN`.

    They are the block of lines after the summary; a line that is not indented begins a paragraph.
    """
    _, _, text = (module.__doc__ or "").partition("\n\n")
    head, _, _ = text.partition("\n\n")
    found = [" ".join(each.split()) for each in re.split(r"\n(?! )", head)]
    shown = [each for each in found if each and not each.startswith(tuple(f"{name}:" for name in HIDDEN))]
    return [_with_values(_bold(each), module) for each in shown]


def _bold(paragraph: str) -> str:
    heading, colon, text = paragraph.partition(": ")
    return f"**{heading}:** {text}" if colon and heading in SHOWN else paragraph


def _with_values(text: str, module: ModuleType) -> str:
    """The text, with the value added after the name of each numeric constant of the module."""

    def valued(match: re.Match[str]) -> str:
        value = getattr(module, match[1], None)
        return f"{match[0]} ({value:,})" if isinstance(value, int | float) else match[0]

    return re.sub(r"`([A-Z][A-Z_]+)`", valued, text)


def wrapped(text: str) -> str:
    """The text in lines of at most `WIDTH` characters."""
    return textwrap.fill(text, WIDTH, break_long_words=False, break_on_hyphens=False)


def main() -> None:
    """Write the page."""
    PAGE.write_text(page())


if __name__ == "__main__":
    main()
