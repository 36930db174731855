"""docs/policy.md: every setting of the policy, with its default."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from flowwarden.policy.detection import Thresholds
from flowwarden.policy.flow_logs import FlowLogSpec, FlowLogsPolicy, Selection
from flowwarden.policy.policy import Policy

LONGEST = 1800
"""Characters of the template's parameter."""
TEXT = (Path(__file__).parents[2] / "docs" / "policy.md").read_text()
EXAMPLES = re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL)


@pytest.mark.parametrize("name", Policy.__struct_fields__)
def test_every_setting_is_described(name: str) -> None:
    """In a row of its own."""
    assert re.search(rf"^\| `{name}` \|", TEXT, re.MULTILINE)


@pytest.mark.parametrize("name", Thresholds.__struct_fields__)
def test_every_threshold_is_described_with_its_default(name: str) -> None:
    """As the code has it."""
    assert re.search(rf"^\| `{name}` \| {getattr(Thresholds(), name)} \|", TEXT, re.MULTILINE)


def test_the_examples_are_policies() -> None:
    """Each can be copied."""
    assert EXAMPLES
    for example in EXAMPLES:
        assert Policy.from_json(example) != Policy(), json.loads(example)


def test_every_setting_of_flow_logs_is_described() -> None:
    """Of the flow log, of who it is for, and of the rest."""
    for part in (FlowLogsPolicy, FlowLogSpec, Selection):
        for name in part.__struct_fields__:
            assert f"`{name}`" in TEXT, name


def test_the_example_of_flow_logs_is_understood() -> None:
    """Each wish in it, and it fits into the parameter."""
    (text,) = (each for each in EXAMPLES if "flow_logs" in each)
    assert len(text) < LONGEST
    policy = Policy.from_json(text).flow_logs
    assert (len(policy.rules), len(policy.exemptions), policy.foreign) == (2, 1, "enough")
