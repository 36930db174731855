"""docs/policy.md describes every setting of the policy, with its default."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from msgspec.structs import replace

from flowwarden.monitor.detectors import DETECTORS
from flowwarden.policy.detection import Thresholds
from flowwarden.policy.flow_logs import SPEC_SETTINGS, FlowLogSpec, FlowLogsPolicy, Selection
from flowwarden.policy.policy import Policy
from flowwarden.policy.setting import Setting
from flowwarden.policy.transit_gateways import GatewaySelection, TransitGateways
from local import docs_policy

LONGEST = 1800
"""Maximum characters of the template's parameter."""
TEXT = docs_policy.PAGE.read_text()
EXAMPLES = re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL)


@pytest.mark.parametrize("name", Policy.__struct_fields__)
def test_every_setting_is_described(name: str) -> None:
    """In its own row."""
    assert re.search(rf"^\| `{name}` \|", TEXT, re.MULTILINE)


@pytest.mark.parametrize("name", Thresholds.__struct_fields__)
def test_every_threshold_is_described_with_its_default(name: str) -> None:
    """The default comes from the code."""
    assert re.search(rf"^\| `{name}` \| {getattr(Thresholds(), name)} \|", TEXT, re.MULTILINE)


def test_the_generated_tables_are_up_to_date() -> None:
    """If this fails, run `make docs`."""
    assert docs_policy.page(TEXT) == TEXT


@pytest.mark.parametrize(
    "changed",
    [
        {"name": "other"}, {"default": "REJECT"}, {"allowed": ("ALL",)}, {"purpose": "Changed."},
        {"destinations": ("s3",)}, {"default": ""},
    ],
)  # fmt: skip
def test_a_change_to_a_setting_makes_the_page_stale(changed: dict[str, Any]) -> None:
    """The page shows each part of a row that concerns users."""
    settings = [replace(each, **changed) if each.name == "traffic_type" else each for each in SPEC_SETTINGS]
    assert docs_policy.flow_log_settings(settings) != docs_policy.flow_log_settings()


def test_every_setting_has_a_row_and_a_new_one_gets_one() -> None:
    """Below the two lines of the heading."""
    assert len(docs_policy.flow_log_settings()) == len(SPEC_SETTINGS) + 2
    added = Setting(name="sampling", default=1, purpose="An example.")
    assert docs_policy.flow_log_settings([*SPEC_SETTINGS, added])[-1] == "| `sampling` | 1 |  | An example. |"


def test_a_threshold_names_the_detectors_that_use_it() -> None:
    """All of them; without one of them the row differs."""
    row = next(each for each in docs_policy.thresholds() if each.startswith("| `blocked_packets`"))
    assert "| `blocked-connection`, `service-blocked`, `egress-denied` |" in row
    without = [each for each in DETECTORS if each.name != "service-blocked"]
    assert row not in docs_policy.thresholds(detectors=without)


def test_a_page_without_the_table_raises() -> None:
    """The table is never added in another place."""
    with pytest.raises(ValueError, match="Threshold"):
        docs_policy.page("# The policy\n")


def test_the_examples_are_policies() -> None:
    """Each example is valid, and differs from the defaults."""
    assert EXAMPLES
    for example in EXAMPLES:
        assert Policy.from_json(example) != Policy(), json.loads(example)


def test_every_setting_of_flow_logs_is_described() -> None:
    """Settings of a flow log, of `where`, of transit gateways, and all others."""
    for part in (FlowLogsPolicy, FlowLogSpec, Selection, TransitGateways, GatewaySelection):
        for name in part.__struct_fields__:
            assert f"`{name}`" in TEXT, name


def test_the_example_of_flow_logs_is_valid() -> None:
    """All of its parts are read, and it fits into the parameter."""
    (text,) = (each for each in EXAMPLES if "flow_logs" in each)
    assert len(text) < LONGEST
    policy = Policy.from_json(text).flow_logs
    assert (len(policy.rules), len(policy.exemptions), policy.unmanaged) == (3, 1, "adopt")
    assert policy.transit_gateways.where
