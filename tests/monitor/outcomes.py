"""The outcomes of scenarios.

`python -m tests.monitor.outcomes` prints them as JSON, so that two processes can be compared.
"""

from __future__ import annotations

import json
from typing import Any, Final

from tests.faults import Faults
from tests.monitor.detectors.test_egress_volume_over_time import asked, learned
from tests.monitor.scenarios import Scenario, makers, of_flows
from tests.monitor.weeks import TODAY

SMALL: Final = 500_000
"""Bytes."""


def small_uploads() -> Scenario:
    """300 uploads, of which only a sample counts."""
    ports = range(40_000, 40_300)
    flows = [each for port in ports for each in asked("203.0.113.9:443", TODAY + 3600, SMALL, port)]
    return of_flows("small-uploads", learned, flows, at=TODAY + 3700)


def outcome(scenario: Scenario) -> dict[str, Any]:
    """The notifications, and the items in the state table."""
    account = scenario.run(Faults())
    items = {
        key: {name: sorted(numbers) for name, numbers in sets.items()}
        for key, sets in sorted(account.evidence.items.items())
    }
    sent = [each.document for sink in (account.pages, account.operations) for each in sink.sent]
    return {"sent": sent, "items": items}


def outcomes() -> dict[str, Any]:
    """The outcome of each scenario."""
    every = {**makers(), "small-uploads": small_uploads}
    return {name: outcome(make()) for name, make in every.items()}


if __name__ == "__main__":
    print(json.dumps(outcomes()))  # noqa: T201  the output is the result
