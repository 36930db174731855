"""Text from outside, in every place of a report, stays within its line."""

from __future__ import annotations

import json

import pytest

from flowwarden.enforcer.reporting import plan_output
from flowwarden.enforcer.reporting.notification import render
from flowwarden.printable import as_json
from tests.enforcer.reporting.examples import EXAMPLES
from tests.hostile import is_visible, places, poisoned
from tests.monitor.render.test_hostile_text import check


@pytest.mark.matrix(8)
@pytest.mark.parametrize("name", EXAMPLES)
def test_hostile_text_anywhere_in_a_report_adds_no_line(name: str) -> None:
    """Each text of the report in turn: VPCs, reasons, the caller, tags and names in the plan."""
    report = EXAMPLES[name]()
    paths = list(places(report))
    for path in paths:
        bad, harmless = poisoned(report, path), poisoned(report, path, "x")
        check(render(bad), render(harmless))
        plan = plan_output.as_text(bad)
        assert plan.count("\n") == plan_output.as_text(harmless).count("\n")
        assert is_visible(plan)
    assert paths


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_plan_as_json_is_visible_and_keeps_every_text(name: str) -> None:
    """Programs read each text unchanged, but a terminal gets it escaped."""
    report = EXAMPLES[name]()
    for path in places(report):
        bad = poisoned(report, path)
        encoded = as_json(plan_output.as_document(bad), indent=2)
        assert is_visible(encoded)
        assert json.loads(encoded) == json.loads(json.dumps(plan_output.as_document(bad)))
