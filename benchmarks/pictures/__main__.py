"""Makes docs/pictures: `python -m benchmarks.pictures`, with a Chromium. Takes a few minutes."""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from msgspec import Struct

from benchmarks.pictures.archive import make
from flowwarden_cli.main import main as flowwarden
from tests.browser import MISSING, Browser, browser, found

FOLDER: Final = Path(__file__).parents[2] / "docs" / "pictures"
SUCCEEDED: Final = (0, 3)
"""The exit codes of a replay without errors."""


class Picture(Struct, frozen=True):
    """A part of the report."""

    name: str
    begins: str
    """The element with which it begins."""
    width: int = 1100
    height: int = 760
    dark: bool = False


PICTURES: Final = (
    Picture("report", "body", height=1180),
    Picture("report-conversations", "#conversations"),
    Picture("report-scans", "#scans", height=1000),
    Picture("report-coverage", "#coverage", height=680),
    Picture("report-dark", "body", height=1180, dark=True),
    Picture("report-phone", "body", width=390, height=1100),
)


def main() -> int:
    """Replay a generated archive, and make the pictures of its report."""
    if found() is None:
        print(MISSING, file=sys.stderr)
        return 1
    with TemporaryDirectory() as name:
        folder = Path(name)
        print("generating the archive")
        arguments = make(folder)
        print("replaying it")
        report = folder / "report.html"
        code = flowwarden(["replay", *arguments, "--report", str(report)])
        if code not in SUCCEEDED:
            return code
        print(f"the report has {report.stat().st_size / 1e6:.2f} MB")
        with browser(folder) as one:
            take(one, report)
    return 0


def take(one: Browser, report: Path) -> None:
    """Make the pictures of a report."""
    FOLDER.mkdir(exist_ok=True)
    for each in PICTURES:
        one.show(each.width, dark=each.dark)
        one.open(report)
        top = one.run("return document.querySelector(arguments[0]).getBoundingClientRect().top", each.begins)
        data = one.picture(max(0, round(top)), each.height)
        (FOLDER / f"{each.name}.png").write_bytes(data)
        print(f"docs/pictures/{each.name}.png: {len(data) / 1000:.0f} kB")


if __name__ == "__main__":
    sys.exit(main())
