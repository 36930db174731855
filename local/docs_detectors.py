"""Writes what the documentation says about detectors: the README's table and docs/detectors.md.

Run `make docs` after a change to a detector. A test compares both with the code.
"""

from __future__ import annotations

import importlib
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Final

from flowwarden.monitor.detectors import DETECTORS
from flowwarden.monitor.detectors.base import Detector, Need
from flowwarden.monitor.render import rollup
from flowwarden.notify.alert import Route
from flowwarden.policy.detection import Thresholds

ROOT: Final = Path(__file__).parents[1]
WIDTH: Final = 118
SECTION: Final = "## What it finds\n\n"
ROUTES: Final = {
    Route.PAGES: "pages",
    Route.OPERATIONS: "operations topic",
    Route.LOG: "log only",
}
NEEDS: Final = {
    Need.BASELINE: "the learned baseline of the host's role",
    Need.TCP_FLAGS: "`tcp-flags` in the log format",
    Need.SUBNET_ID: "`subnet-id` in the log format",
    Need.HEARTBEATS: "the state table, which holds when interfaces wrote",
}
SHOWN: Final = ("What", "Why", "False positives", "Blind")
"""Headings of a detector's docstring that the page takes."""
HIDDEN: Final = ("Events", "ATT&CK")
"""Headings for developers, and those that the page has from elsewhere."""
INTRODUCTION: Final = """\
# Detectors

`make docs` writes this page from the detectors' own files. Change those instead.

Each section says what one detector finds, where the finding goes, and what the detector depends on. A
threshold stands with its default; [policy.md](policy.md) says how to change it. Without a need, the detector
finds less or nothing. A finding silences the findings of the detectors that it inhibits, in the same batch
and about the same subject.

What to do stands in notifications, too, with the finding's values in place of the words in braces. A step
whose word has no value there is left out.

A batch with too many alerts sends some of them together: that notification has the name `alert-rollup`.
"""


def table() -> str:
    """The README's table."""
    rows = [(each.name, each.summary, f"{each.severity}: {ROUTES[each.route]}") for each in DETECTORS]
    routes = "; ".join(f"{severity}: {ROUTES[route]}" for route, severity in rollup.SEVERITY.items())
    rows.append((rollup.NAME, rollup.SUMMARY, routes))
    lines = (f"| `{name}` | {summary} | {severity} |" for name, summary, severity in rows)
    return "\n".join(["| Detector | What it means | Severity |", "|---|---|---|", *lines])


def with_table(readme: str) -> str:
    """The README with the table as it should be."""
    before, heading, rest = readme.partition(SECTION)
    _, blank, after = rest.partition("\n\n")
    return before + heading + table() + blank + after


def page() -> str:
    """docs/detectors.md."""
    return "\n".join([INTRODUCTION, *(_section(each) for each in DETECTORS)])


def _section(detector: Detector) -> str:
    facts = "\n".join(f"- **{name}:** {value}" for name, value in _facts(detector))
    paragraphs = "\n\n".join(_wrapped(each) for each in paragraphs_of(_module(detector)))
    summary = _wrapped(f"{detector.summary[:1].upper()}{detector.summary[1:]}.")
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
    yield "ATT&CK technique", detector.technique or "none"
    thresholds = [f"`{name}` ({getattr(defaults, name)})" for name in detector.thresholds]
    yield "Thresholds", ", ".join(thresholds) or "none"
    yield "Needs", ", ".join(NEEDS[each] for each in Need if each in detector.needs) or "nothing more"
    yield "Inhibits", ", ".join(f"`{name}`" for name in detector.inhibits) or "nothing"
    if detector.teaches:
        yield "Learning", "the baseline learns what it finds, so that it becomes usual"


def _module(detector: Detector) -> ModuleType:
    name = detector.name.replace("-", "_")
    return importlib.import_module(f"flowwarden.monitor.detectors.{name}")


def paragraphs_of(module: ModuleType) -> list[str]:
    """What the module's docstring says under the shown headings, and on what it does while it learns.

    A line that is not indented begins a paragraph. The first blank line after the headings ends them.
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
    """The text, with the value of each number that the module names behind the name."""

    def valued(match: re.Match[str]) -> str:
        value = getattr(module, match[1], None)
        return f"{match[0]} ({value:,})" if isinstance(value, int | float) else match[0]

    return re.sub(r"`([A-Z][A-Z_]+)`", valued, text)


def _wrapped(text: str) -> str:
    return textwrap.fill(text, WIDTH, break_long_words=False, break_on_hyphens=False)


def main() -> None:
    """Write both files."""
    readme = ROOT / "README.md"
    readme.write_text(with_table(readme.read_text()))
    (ROOT / "docs" / "detectors.md").write_text(page())


if __name__ == "__main__":
    main()
