"""SECURITY.md lists every permission of the stack's roles."""

from __future__ import annotations

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


@pytest.mark.parametrize("policy", ["EnforcerElsewherePolicy", "EnforcerTagFieldsPolicy"])
def test_every_action_of_an_optional_policy_is_listed(policy: str) -> None:
    """A parameter of the stack adds it to the enforcer's role."""
    statements = stack.properties(policy)["PolicyDocument"]["Statement"]
    assert missing(PAGE, stack.actions(statements)) == set()


def test_a_missing_action_is_detected() -> None:
    """By its name after the service's prefix."""
    page = "`ec2:DescribeVpcs`, `DescribeSubnets`"
    assert missing(page, {"ec2:DescribeVpcs", "ec2:DescribeSubnets", "s3:GetObject"}) == {"s3:GetObject"}
