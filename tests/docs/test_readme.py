"""The README is true: what it names is there, and what is there is named."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import monitor
from flowwarden.monitor.detectors import DETECTORS
from flowwarden.monitor.render import rollup
from flowwarden.policy.policy import Policy

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
MAKEFILE = (ROOT / "Makefile").read_text()
PAGES = sorted(ROOT.glob("*.md")) + sorted((ROOT / "docs").rglob("*.md"))


def test_every_detector_is_in_the_table_and_no_other() -> None:
    """A new detector has to be told."""
    section = README.partition("## What it finds")[2].partition("\n## ")[0]
    named = set(re.findall(r"^\| `([a-z-]+)` \|", section, re.MULTILINE))
    assert named == {*(each.name for each in DETECTORS), rollup.NAME}


def test_every_metric_is_named() -> None:
    """Also those of the enforcer."""
    enforcer = re.findall(r'"([A-Z]\w+)": len\(', (ROOT / "functions/enforcer/enforcer.py").read_text())
    assert enforcer
    for name in (*monitor.METRICS, "Batches", *enforcer):
        assert f"`{name}`" in README, name


def test_no_table_names_a_thing_twice() -> None:
    """Two descriptions of one metric will differ one day."""
    rows = re.findall(r"^\| (`.*?`) \|", README, re.MULTILINE)
    names = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
    assert sorted(set(names)) == sorted(names)


def test_every_task_that_the_docs_name_exists() -> None:
    """`make something` works, wherever it is written."""
    tasks = set(re.findall(r"^([a-z-]+):.*## ", MAKEFILE, re.MULTILINE))
    for page in PAGES:
        named = set(re.findall(r"(?:^|`)make ([a-z-]+)", page.read_text(), re.MULTILINE))
        assert named <= tasks, page.name


def test_the_policy_in_the_readme_is_one() -> None:
    """It is valid, and none of its settings is as without it; docs/policy.md has all of them."""
    (text,) = re.findall(r"```json\n(.*?)```", README, re.DOTALL)
    policy, default = Policy.from_json(text), Policy()
    assert all(getattr(policy, name) != getattr(default, name) for name in json.loads(text))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_to_a_file_leads_somewhere(page: Path) -> None:
    """No page points at what is not there."""
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), target


def test_the_event_in_the_readme_is_there() -> None:
    """The first thing that somebody tries."""
    for event in re.findall(r"EVENT=(\S+)", README):
        assert (ROOT / event).exists(), event
