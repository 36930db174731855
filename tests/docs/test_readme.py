"""The README and the docs are true: every link, task, metric and policy in them is checked."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import dispatcher
import monitor
from flowwarden.policy.policy import Policy
from flowwarden_cli.commands import COMMANDS
from tests.examples import PROFILES

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
OPERATING = (ROOT / "docs" / "operating.md").read_text()
INSTALLING = (ROOT / "docs" / "installing.md").read_text()
MAKEFILE = (ROOT / "Makefile").read_text()
PAGES = sorted(ROOT.glob("*.md")) + sorted((ROOT / "docs").rglob("*.md"))
LONGEST_README = 120
"""The maximum number of lines."""


def test_the_readme_is_short() -> None:
    """It introduces the project; details belong in docs/."""
    assert len(README.splitlines()) <= LONGEST_README


def test_every_metric_is_documented() -> None:
    """In docs/operating.md, for all functions."""
    source = (ROOT / "functions/enforcer/enforcer.py").read_text()
    enforcer = re.findall(r'^ +"([A-Z]\w+)": ', source, re.MULTILINE)
    assert enforcer
    for name in (*monitor.METRICS, "Batches", *enforcer, *dispatcher.METRICS):
        assert f"`{name}`" in OPERATING, name


def test_no_table_describes_a_metric_twice() -> None:
    """Two descriptions of one metric would diverge."""
    rows = re.findall(r"^\| (`.*?`) \|", OPERATING, re.MULTILINE)
    names = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
    assert names
    assert sorted(set(names)) == sorted(names)


def test_every_command_is_documented() -> None:
    """In its own section of docs/command-line.md."""
    page = (ROOT / "docs" / "command-line.md").read_text()
    assert re.findall(r"^## flowwarden ([\w-]+)$", page, re.MULTILINE) == [each.name for each in COMMANDS]


def test_the_number_of_examples_of_property_tests_is_that_of_the_profiles() -> None:
    """Wherever a text for readers states it; the profiles are in tests/examples.py."""
    stated = [
        (path.name, int(number.replace(",", "")))
        for path in (ROOT / "Makefile", ROOT / "benchmarks" / "README.md", *PAGES)
        for number in re.findall(r"(?:with|runs) ([\d,]+) (?:examples|of each)", path.read_text())
    ]
    assert len(stated) > 2
    assert {number for _, number in stated} == {PROFILES["deep"]}
    assert f"{PROFILES['deep']:,} examples instead of {PROFILES['ci']}" in MAKEFILE


def test_every_task_that_the_docs_name_exists() -> None:
    """Each `make something` on a page is a task of the Makefile."""
    tasks = set(re.findall(r"^([a-z-]+):.*## ", MAKEFILE, re.MULTILINE))
    for page in PAGES:
        named = set(re.findall(r"(?:^|`)make ([a-z-]+)", page.read_text(), re.MULTILINE))
        assert named <= tasks, page.name


def test_the_example_policy_is_valid() -> None:
    """Each of its settings differs from the default; docs/policy.md has all settings."""
    (text,) = re.findall(r"```json\n(.*?)```", INSTALLING, re.DOTALL)
    policy, default = Policy.from_json(text), Policy()
    assert all(getattr(policy, name) != getattr(default, name) for name in json.loads(text))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_to_a_file_or_section_resolves(page: Path) -> None:
    """Links within the project; a fragment is a heading of the page."""
    for target, fragment in re.findall(r"\]\(([^)#]*)(?:#([^)]*))?\)", page.read_text()):
        if target.startswith("http"):
            continue
        path = page.parent / target if target else page
        assert path.exists(), target
        assert not fragment or fragment in sections(path), f"{target}#{fragment}"


def sections(page: Path) -> set[str]:
    """The fragments of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in headings}


def test_every_page_is_in_the_index() -> None:
    """docs/README.md links each page of docs/, and the index of each of its folders."""
    docs = ROOT / "docs"
    index = (docs / "README.md").read_text()
    for page in (*docs.glob("*.md"), *docs.glob("*/README.md")):
        name = str(page.relative_to(docs))
        assert name == "README.md" or f"]({name})" in index, name


def test_every_event_that_the_docs_name_exists() -> None:
    """`make invoke EVENT=...` works as shown."""
    named = [event for page in PAGES for event in re.findall(r"EVENT=(\S+json)", page.read_text())]
    assert named
    for event in named:
        assert (ROOT / event).exists(), event
