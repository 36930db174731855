"""Runs tests by their node ids in a separate process, and reads their results."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final
from xml.etree import ElementTree as ET

from msgspec import Struct

PROJECT: Final = Path(__file__).parents[2]


class Results(Struct, frozen=True):
    """The results of tests, by node id without parameters."""

    passes: Mapping[str, int]
    others: Mapping[str, tuple[str, ...]]
    """The tests that did not pass, with their parameters and the reason."""

    def passed(self, node_id: str) -> int:
        """The number of tests of this id that passed: one for each set of parameters."""
        return self.passes.get(node_id, 0)

    def failures(self, node_id: str) -> list[str]:
        """The tests of this id that failed, were skipped or do not exist."""
        found = list(self.others.get(node_id, ()))
        return found if found or self.passed(node_id) else [f"{node_id}: no such test has run"]


def run(node_ids: Iterable[str], profile: str) -> Results:
    """Run these tests with a profile of Hypothesis, such as `ci`."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "results.xml"
        subprocess.run(
            [
                *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--no-header"),
                *("-m", "not container", f"--hypothesis-profile={profile}", f"--junitxml={report}"),
                *dict.fromkeys(node_ids),
            ],
            cwd=PROJECT,
            env={**os.environ},
            stdout=sys.stderr,
            check=False,
        )
        return results(report.read_text() if report.exists() else "<testsuites/>")


def results(report: str) -> Results:
    """The results in a report of pytest in JUnit's XML format."""
    passes, others = dict[str, int](), dict[str, tuple[str, ...]]()
    for case in ET.fromstring(report).iter("testcase"):  # noqa: S314 - written by the run above
        name = case.get("name", "")
        node_id = f"{case.get('classname', '').replace('.', '/')}.py::{name.partition('[')[0]}"
        bad = [each for kind in ("failure", "error", "skipped") if (each := case.find(kind)) is not None]
        if bad:
            why = f"{node_id} {name}: {bad[0].tag}, {bad[0].get('message', '')[:200]}"
            others[node_id] = (*others.get(node_id, ()), why)
        else:
            passes[node_id] = passes.get(node_id, 0) + 1
    return Results(passes, others)
