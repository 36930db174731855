"""The golden files: the exact text of each kind of enforcer notification and of the plan, in `golden/`.

`make golden` rewrites them. A changed file is a changed text for operators.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from flowwarden.enforcer.reporting.notification import render
from flowwarden.enforcer.reporting.plan_output import as_text
from tests.enforcer.reporting.examples import EXAMPLES

FOLDER: Final = Path(__file__).parent / "golden"


def path_of(name: str) -> Path:
    """The golden file of an example."""
    return FOLDER / f"{name}.txt"


def page_of(name: str) -> str:
    """The text of an example: the plan of a dry run, otherwise subject and text of the notification."""
    report = EXAMPLES[name]()
    if report.plans:
        return as_text(report)
    sent = render(report)
    return f"{sent.subject}\n\n{sent.text}"


def main() -> None:
    """Write all golden files."""
    for name in EXAMPLES:
        path_of(name).write_text(page_of(name))


if __name__ == "__main__":
    main()
