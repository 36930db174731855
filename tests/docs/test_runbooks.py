"""docs/runbooks/: every detector and every alarm has a page, and what the pages say to run exists."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Final

import pytest

from flowwarden.monitor.detectors import DETECTORS
from flowwarden.monitor.render import rollup
from flowwarden.notify.alert import Route
from flowwarden.parameters import RUNBOOKS
from flowwarden.policy.policy import Policy
from local import docs_runbook_alarms, docs_runbook_detectors, docs_runbook_page, docs_runbooks
from tests.cli.fakes_console import flowwarden
from tests.docs import runbook_pages
from tests.monitor.render.golden import CONTEXT
from tests.template import stack

PAGES: Final = docs_runbooks.pages()
OF_DETECTORS: Final = [
    docs_runbook_detectors.path_of(name) for name in (*(each.name for each in DETECTORS), rollup.NAME)
]
OF_ALARMS: Final = [
    docs_runbook_alarms.ALARMS / f"{docs_runbook_alarms.name_of(each)}.md"
    for each in docs_runbook_alarms.alarms()
]
MOST_CHARACTERS: Final = 1024
"""Of an alarm's description (API reference of CloudWatch, PutMetricAlarm)."""


def titles(paths: list[Path]) -> list[str]:
    """Ids of the tests."""
    return [each.stem for each in paths]


every_page = pytest.mark.parametrize("path", [*PAGES], ids=titles([*PAGES]))


@every_page
def test_a_page_is_up_to_date(path: Path) -> None:
    """If this fails, run `make docs`."""
    assert path.read_text() == PAGES[path]


def test_every_detector_and_every_alarm_has_a_page_and_there_is_no_other() -> None:
    """The index is the only other page."""
    there = sorted(docs_runbook_page.FOLDER.rglob("*.md"))
    assert there == sorted([docs_runbooks.INDEX, *OF_DETECTORS, *OF_ALARMS])


def test_the_index_links_every_page_and_the_docs_link_the_index() -> None:
    """By detector and by alarm."""
    links = re.findall(r"\]\(((?:alarms/)?[a-z-]+\.md)\)", docs_runbooks.INDEX.read_text())
    linked = {docs_runbook_page.FOLDER / each for each in links}
    assert {*OF_DETECTORS, *OF_ALARMS} <= linked
    assert "](runbooks/README.md)" in (stack.PROJECT / "docs" / "README.md").read_text()


@pytest.mark.parametrize("path", OF_DETECTORS, ids=titles(OF_DETECTORS))
def test_a_detectors_page_has_its_sections_and_is_written(path: Path) -> None:
    """What it means, how to check, and when to escalate."""
    page = path.read_text()
    assert runbook_pages.sections(page) == ["What it means", "How to check", "What to do", "How to mute"]
    for name in ("meaning", "check", "do"):
        assert runbook_pages.part(page, name).strip(), name
    assert runbook_pages.queries(path)


@pytest.mark.parametrize("path", OF_ALARMS, ids=titles(OF_ALARMS))
def test_an_alarms_page_has_its_sections_and_is_written(path: Path) -> None:
    """An alarm about a loss is not silenced."""
    page = path.read_text()
    assert runbook_pages.sections(page) == ["What it means", "How to check", "What to do", "How to silence"]
    for name in ("meaning", "check", "do"):
        assert runbook_pages.part(page, name).strip(), name
    assert "**Escalate**" in page
    assert [*runbook_pages.commands(path)]


def test_every_page_of_a_detector_that_notifies_says_when_to_escalate() -> None:
    """Those that page, and those that notify operations."""
    for each in DETECTORS:
        if each.route in {Route.PAGES, Route.OPERATIONS}:
            page = docs_runbook_detectors.path_of(each.name).read_text()
            assert "**Escalate**" in runbook_pages.part(page, "do"), each.name


@every_page
def test_the_queries_of_a_page_use_fields_that_exist(path: Path) -> None:
    """Of the template's log format, or of the log of a function."""
    assert [each for query in runbook_pages.queries(path) for each in runbook_pages.problems_of(query)] == []


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ('# flow logs\nPARSE\n| filter source = "HOST"', "unknown: source"),
        ("# flow logs\nPARSE\n| stats total(bytes) as all_bytes by srcaddr", "unknown: total"),
        ("# flow logs\nPARSE\n| stats sum(bytes) as sent by dst_addr", "unknown: dst_addr"),
        ("# log of the monitor\nfields @timestamp, finding", "unknown: finding"),
        ("# flow logs\nlimit 1", "it does not begin with the fields of the log format: limit 1"),
        ("fields @message", "it does not say in which log group it runs: fields @message"),
    ],
)  # fmt: skip
def test_a_query_that_would_not_work_is_found(query: str, problem: str) -> None:
    """A field, a function, a missing or wrong beginning."""
    assert runbook_pages.problems_of(query.replace("PARSE", docs_runbook_page.parse_line())) == [problem]


def test_the_parsed_fields_are_those_of_the_default_log_format_in_order() -> None:
    """A star for each."""
    stars, names = docs_runbook_page.parse_line().split('"')[1:]
    declared = re.findall(r"\$\{([a-z-]+)\}", stack.PARAMETERS["LogFormat"]["Default"])
    assert names.removeprefix(" as ").replace("_", "-").split(", ") == declared
    assert stars.split() == ["*"] * len(declared)


@every_page
def test_the_commands_of_a_page_exist_with_their_options(path: Path) -> None:
    """As the SDK describes the services; the expressions of `--query` are valid and begin with a member."""
    found = {
        " ".join(words[:3]): problems
        for words in runbook_pages.commands(path)
        if (problems := runbook_pages.problems_with(words))
    }
    assert found == {}


@pytest.mark.parametrize(
    ("command", "problem"),
    [
        ("aws ec2 describe-flowlogs", "no operation describe-flowlogs"),
        ("aws ec2 describe-flow-logs --filters Name=a,Values=b", "no option --filters"),
        ("aws ec2 describe-flow-logs --query 'Flows[].FlowLogId'", "no member Flows in the answer"),
    ],
)
def test_a_command_that_would_not_work_is_found(command: str, problem: str) -> None:
    """Its operation, an option, or what it takes from the answer."""
    assert runbook_pages.problems_with(shlex.split(command)) == [problem]


@every_page
def test_the_flowwarden_commands_of_a_page_are_parsed(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In blocks and inline; `--help` at the end checks all words before it."""
    text = path.read_text()
    inline = re.findall(r"`(flowwarden [^`]+)`", text)
    shown = [line for line in text.splitlines() if line.startswith("flowwarden ")]
    for line in (*inline, *shown):
        with pytest.raises(SystemExit) as ended:
            flowwarden([*shlex.split(line)[1:], "--help"])
        assert ended.value.code == 0, line
    assert capsys.readouterr().err == ""


@every_page
def test_the_resources_that_commands_name_are_in_the_template(path: Path) -> None:
    """Outputs and logical ids; the functions that read them are defined on the page."""
    text = path.read_text()
    outputs, resources = (
        set(re.findall(r"\$\(output (\w+)", text)),
        set(re.findall(r"\$\(resource (\w+)", text)),
    )
    assert outputs <= stack.OUTPUTS.keys()
    assert resources <= stack.RESOURCES.keys()
    if outputs | resources:
        assert docs_runbook_page.SHELL in text


def test_a_page_of_a_detector_that_notifies_shows_a_mute_that_the_policy_accepts() -> None:
    """The one of its example notification; the other detectors have nothing to mute."""
    for each in DETECTORS:
        page = docs_runbook_detectors.path_of(each.name).read_text()
        shown = re.findall(r"```json\n(.*)\n```", page)
        assert len(shown) == (each.route in {Route.PAGES, Route.OPERATIONS}), each.name
        for mute in shown:
            (read,) = Policy.from_json(json.dumps({"mutes": [json.loads(mute)]})).mutes
            assert read.detector == each.name


def test_notifications_and_alarms_name_pages_that_exist() -> None:
    """By their path in the project, unless the stack has another address."""
    assert stack.PARAMETERS["RunbookUrl"]["Default"] == CONTEXT.runbooks == RUNBOOKS
    for name in (*(each.name for each in DETECTORS), rollup.NAME):
        assert stack.PROJECT / CONTEXT.runbook(name) == docs_runbook_detectors.path_of(name)
    for alarm, path in zip(docs_runbook_alarms.alarms(), OF_ALARMS, strict=True):
        _, named = alarm["AlarmDescription"]["Fn::Sub"].split(" Runbook: ")
        assert stack.PROJECT / named.replace("${RunbookUrl}", RUNBOOKS) == path


def test_an_alarms_description_fits_with_the_longest_address() -> None:
    """CloudFormation would refuse the stack."""
    longest = stack.PARAMETERS["RunbookUrl"]["MaxLength"]
    for alarm in docs_runbook_alarms.alarms():
        text = alarm["AlarmDescription"]["Fn::Sub"].replace("${RunbookUrl}", "x" * longest)
        assert len(text) <= MOST_CHARACTERS


def test_the_parts_written_by_hand_are_kept_with_the_log_format_of_today() -> None:
    """Everything between the marks, except the line that names the fields."""
    text = 'Read this.\n\n```insights\n# flow logs\nparse @message "* *" as old, format\n| limit 1\n```\n'
    written = docs_runbook_page.Written(f"x\n<!-- by hand: check -->\n{text}<!-- end -->\ny\n")
    expected = text.replace('parse @message "* *" as old, format', docs_runbook_page.parse_line())
    assert written.block("check") == f"<!-- by hand: check -->\n{expected}<!-- end -->"
    assert written.block("do") == "<!-- by hand: do -->\n<!-- end -->"
    written.check(Path("x.md"))


def test_a_part_that_no_section_shows_is_not_lost_silently() -> None:
    """Such as one whose name is misspelled."""
    written = docs_runbook_page.Written("<!-- by hand: chek -->\ntext\n<!-- end -->\n")
    written.block("check")
    with pytest.raises(ValueError, match=r"x\.md: no section has the part chek"):
        written.check(Path("x.md"))
