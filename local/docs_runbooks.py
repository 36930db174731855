"""Writes docs/runbooks/: a page for each detector and each alarm, and the index.

Run `make docs` after a change to a detector, to an alarm, or to the parts of a page that are written by hand.
A test compares the pages with the code.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from flowwarden.monitor.detectors import DETECTORS
from flowwarden.monitor.render import rollup
from local import docs_runbook_alarms, docs_runbook_detectors
from local.docs_detectors import ROUTES
from local.docs_runbook_page import FOLDER, HEAD, SHELL, Written, parse_line

INDEX: Final = FOLDER / "README.md"
INTRODUCTION: Final = f"""\
# Runbooks

{HEAD}
A page for each detector and each alarm: what it means, how to check, what to do, how to mute.
Notifications and alarms name their page. To make that a link, set the parameter
[`RunbookUrl`](../parameters.md#parameters) to the address at which you publish this folder.
"""


def index() -> str:
    """docs/runbooks/README.md."""
    written = Written.of(INDEX)
    parts = [
        INTRODUCTION,
        written.block("begin"),
        "\n## The shell\n",
        SHELL,
        "## Queries\n",
        written.block("queries"),
        f"\n```insights\n# flow logs\n{parse_line()}\n| limit 20\n```\n",
        "## Detectors\n",
        *_detectors(),
        "\n## Alarms\n",
        *_alarms(),
        "\n## Other notifications to operations\n",
        written.block("others"),
    ]
    written.check(INDEX)
    return "\n".join(parts) + "\n"


def _detectors() -> Iterator[str]:
    yield "| Detector | What it finds | Severity and route |\n|---|---|---|"
    for each in DETECTORS:
        route = f"{each.severity}: {ROUTES[each.route]}"
        yield f"| [`{each.name}`]({each.name}.md) | {each.summary} | {route} |"
    routes = "; ".join(f"{severity}: {ROUTES[route]}" for route, severity in rollup.SEVERITY.items())
    yield f"| [`{rollup.NAME}`]({rollup.NAME}.md) | {rollup.SUMMARY} | {routes} |"


def _alarms() -> Iterator[str]:
    yield "| Alarm | What it reports |\n|---|---|"
    for each in docs_runbook_alarms.alarms():
        name = docs_runbook_alarms.name_of(each)
        yield f"| [`<stack>/{name}`](alarms/{name}.md) | {docs_runbook_alarms.description_of(each)} |"


def pages() -> dict[Path, str]:
    """The text of every page, by path."""
    return {
        INDEX: index(),
        **dict(docs_runbook_detectors.pages()),
        **dict(docs_runbook_alarms.pages()),
    }


def main() -> None:
    """Write the pages."""
    for path, text in pages().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


if __name__ == "__main__":
    main()
