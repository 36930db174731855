"""The rules for the initiator, one by one, lead to the verdict of all rules together."""

from __future__ import annotations

from random import Random

import pytest

from flowwarden.network.initiator import UNKNOWN, InitiatorVerdicts, steps
from flowwarden.network.traffic import Traffic
from flowwarden.records.columnar.flow_table import FlowTable
from flowwarden.records.model import Action
from tests.flows import make_flow


def traffic(seed: int) -> Traffic:
    """Random flows between a few hosts and ports, so that many have a reverse flow."""
    random = Random(seed)  # noqa: S311
    hosts, ports = ("10.0.0.1", "10.0.0.2", "10.0.0.3"), (22, 443, 5000, 40_000, 40_001)
    return Traffic(
        FlowTable.of(
            [
                make_flow(
                    srcaddr=random.choice(hosts),
                    dstaddr=random.choice(hosts),
                    srcport=random.choice(ports),
                    dstport=random.choice(ports),
                    protocol=random.choice((1, 6, 6, 6, 17)),
                    action=random.choice([*Action]),
                    tcp_flags=random.choice((None, 1, 2, 4, 18, 19)),
                )
                for _ in range(60)
            ]
        )
    )


@pytest.mark.parametrize("seed", range(10))
def test_the_first_rule_that_decides_gives_the_verdict(seed: int) -> None:
    """`steps` and `InitiatorVerdicts` apply the same rules."""
    flows = traffic(seed)
    verdicts = InitiatorVerdicts(flows)
    for row in range(len(flows.flows)):
        *before, last = steps(flows, row)
        assert all(each.verdict is None for each in before)
        assert (last.verdict or UNKNOWN) == verdicts[row]
