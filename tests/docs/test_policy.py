"""docs/policy.md: every setting of the policy, with its default."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from flowwarden.detection.thresholds import Thresholds
from flowwarden.policy import Policy

TEXT = (Path(__file__).parents[2] / "docs" / "policy.md").read_text()


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
    examples = re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL)
    assert examples
    for example in examples:
        assert Policy.from_json(example) != Policy(), json.loads(example)
