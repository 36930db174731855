"""SECURITY.md lists every permission of the stack's roles."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.template import stack

PAGE = (Path(__file__).parents[2] / "SECURITY.md").read_text()


def missing(page: str, names: set[str]) -> set[str]:
    """The IAM actions that a page does not list, with or without the prefix of their service."""
    return {each for each in names if not {f"`{each}`", f"`{each.partition(':')[2]}`"} & set(quoted(page))}


def quoted(page: str) -> list[str]:
    """The texts in backticks on a page."""
    return [f"`{each}`" for each in page.split("`")[1::2]]


@pytest.mark.parametrize("role", sorted(stack.of_type("AWS::IAM::Role")))
def test_every_action_of_a_role_is_listed(role: str) -> None:
    """In the section whose heading names the role."""
    section = PAGE.partition(f"(`{role}`)\n")[2].partition("\n### ")[0]
    assert missing(section, stack.actions(stack.role_statements(role))) == set()


def listed(section: str) -> set[str]:
    """The actions in the first column of a section's table; a name without a service has that before it."""
    found: set[str] = set()
    for row in re.findall(r"^\| (`[^|]+) \|", section, re.MULTILINE):
        service = ""
        for name in re.findall(r"`([A-Za-z0-9:*]+)`", row):
            service, action = name.split(":") if ":" in name else (service, name)
            found.add(f"{service}:{action}")
    return found


@pytest.mark.parametrize("role", sorted(stack.of_type("AWS::IAM::Role")))
def test_every_listed_action_is_one_of_the_role(role: str) -> None:
    """A permission that was removed is removed from the page, too."""
    section = PAGE.partition(f"(`{role}`)\n")[2].partition("\n### ")[0]
    assert listed(section) == stack.actions(stack.role_statements(role))


def test_the_listed_actions_are_read_from_the_first_column() -> None:
    """An action without a service has that of the action before it."""
    section = (
        "| Action | On |\n|---|---|\n| `ec2:DescribeVpcs`, `DescribeSubnets`; `kms:Decrypt` | `s3:X` |\n"
    )
    assert listed(section) == {"ec2:DescribeVpcs", "ec2:DescribeSubnets", "kms:Decrypt"}


@pytest.mark.parametrize("policy", ["EnforcerElsewherePolicy", "EnforcerTagFieldsPolicy"])
def test_every_action_of_an_optional_policy_is_listed(policy: str) -> None:
    """A parameter of the stack adds it to the enforcer's role."""
    statements = stack.properties(policy)["PolicyDocument"]["Statement"]
    assert missing(PAGE, stack.actions(statements)) == set()


def test_a_missing_action_is_detected() -> None:
    """An action may be listed with or without its service."""
    page = "`ec2:DescribeVpcs`, `DescribeSubnets`"
    assert missing(page, {"ec2:DescribeVpcs", "ec2:DescribeSubnets", "s3:GetObject"}) == {"s3:GetObject"}
