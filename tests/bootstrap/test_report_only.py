"""A policy whose `report_only` has no effect is refused before a deployment."""

from __future__ import annotations

import json
import re

import pytest

from flowwarden.bootstrap.deployment import check
from flowwarden.bootstrap.report_only import NEVER_NOTIFY
from flowwarden.errors import PolicyError
from flowwarden.monitor.detectors import DETECTORS
from flowwarden.policy.policy import Policy

NOTIFYING = [each.name for each in DETECTORS if each.severity.pages]


@pytest.mark.parametrize("detector", NOTIFYING)
def test_each_detector_that_notifies_can_be_report_only(detector: str) -> None:
    """Those that page, and those that notify operations."""
    check({"Policy": json.dumps({"report_only": [detector]})})


def test_all_of_them_can_be_at_once() -> None:
    """Nothing would notify then, as the doctor says."""
    check({"Policy": json.dumps({"report_only": NOTIFYING})})


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("scna", "'scna' is not a detector; write one of blocked-connection, "),
        ("", "'' is not a detector"),
        ("alert-rollup", "'alert-rollup' is not a detector"),
        *((name, f"'{name}' never notifies; write one of ") for name in sorted(NEVER_NOTIFY)),
    ],
)
def test_a_name_without_effect_is_refused(name: str, problem: str) -> None:
    """Before the deployment; a running monitor reads such a policy."""
    document = json.dumps({"report_only": ["scan", name]})
    with pytest.raises(PolicyError, match=re.escape(f"policy: report_only[1]: {problem}")):
        check({"Policy": document})
    assert Policy.from_json(document).report_only == ("scan", name)


def test_a_detector_is_named_once() -> None:
    """The second one would do nothing."""
    with pytest.raises(PolicyError, match=r"policy: report_only\[1\]: 'scan' occurs twice; write it once"):
        Policy.from_json('{"report_only": ["scan", "scan"]}')


def test_the_detectors_that_never_notify_are_known() -> None:
    """As they declare it themselves."""
    assert {each.name for each in DETECTORS if not each.severity.pages} == NEVER_NOTIFY
