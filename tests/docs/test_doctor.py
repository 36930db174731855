"""docs/doctor.md matches the checks, and docs/command-line.md lists the permissions of the command."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from msgspec.structs import replace

from flowwarden.aws import iam, removal
from flowwarden.aws.doctor import (
    functions,
    groups,
    metrics,
    notifying,
    rules,
    secrets,
    services,
    stack,
    table,
    trails,
)
from flowwarden.doctor.check import Check
from flowwarden.doctor.checks import CHECKS
from local import docs_doctor

COMMANDS = (Path(__file__).parents[2] / "docs" / "command-line.md").read_text()
OTHERS = (
    "ec2:DescribeFlowLogs", "ec2:DescribeVpcs", "ec2:DescribeSubnets", "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeInstances", "ec2:DescribeTransitGateways",
    "appconfig:StartConfigurationSession", "appconfig:GetLatestConfiguration",
)  # fmt: skip
"""Actions of adapters that other commands and the functions use for more."""
MODULES = (functions, groups, metrics, notifying, rules, secrets, services, stack, table, trails)


def test_the_page_is_up_to_date() -> None:
    """If this fails, run `make docs`."""
    assert docs_doctor.page() == docs_doctor.PAGE.read_text()


@pytest.mark.parametrize(
    "changed",
    [
        replace(CHECKS[0], verifies="nothing"),
        replace(CHECKS[0], name="other"),
        replace(CHECKS[0], problems=CHECKS[0].problems[1:]),
        replace(CHECKS[0], problems=(replace(CHECKS[0].problems[0], fix="Wait."), *CHECKS[0].problems[1:])),
    ],
)
def test_a_change_to_a_check_makes_the_page_stale(changed: Check) -> None:
    """The page shows each part of a check."""
    assert docs_doctor.page((changed, *CHECKS[1:])) != docs_doctor.page()


def listed(command: str = "doctor") -> set[str]:
    """The actions that the section about a command lists."""
    section = COMMANDS.partition(f"\n## flowwarden {command}\n")[2].partition("\n## ")[0]
    return set(re.findall(r"`([a-z0-9-]+:[A-Z]\w+)`", section))


def test_the_section_about_the_command_lists_each_permission_and_no_other() -> None:
    """As the adapters declare them."""
    assert listed() == {action for module in MODULES for action in module.CALLER_ACTIONS} | {
        *iam.ACTIONS,
        *OTHERS,
    }


def test_the_section_about_the_removal_lists_each_permission_and_no_other() -> None:
    """Those of a policy that is a profile, or not valid, are added."""
    of_policy = {each for each in OTHERS if each.startswith("appconfig:")} | {"dynamodb:BatchGetItem"}
    assert listed("uninstall") == {*removal.CALLER_ACTIONS} | of_policy


def test_no_listed_permission_changes_anything() -> None:
    """The command only reads."""
    verbs = {re.match(r"[a-z0-9-]+:([A-Z][a-z]+)", each)[1] for each in listed()}  # type: ignore[index]
    assert verbs == {"Batch", "Describe", "Get", "List", "Query", "Start"}
    assert [each for each in listed() if ":Batch" in each or ":Start" in each] != []
    assert "dynamodb:BatchWriteItem" not in listed()
