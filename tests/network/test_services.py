"""Names of services and protocols."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowwarden.network.services import (
    EPHEMERAL,
    SERVICE_NAMES,
    UNPRIVILEGED,
    WELL_KNOWN,
    ServicePorts,
    are_reply_ports,
    describe_service,
)
from flowwarden.records.columnar.tokenizer import ABSENT


@pytest.mark.parametrize(
    ("protocol", "port", "expected"),
    [
        (6, 5432, "PostgreSQL (tcp/5432)"),
        (17, 31337, "udp/31337"),
        (1, 0, "icmp"),
        (253, None, "protocol 253"),
        (None, None, "ip"),
    ],
)
def test_a_service_has_a_display_name(protocol: int | None, port: int | None, expected: str) -> None:
    """The name if there is one, and always the number."""
    assert describe_service(protocol, port) == expected


@pytest.mark.parametrize(
    ("port", "other", "expected"),
    [
        (443, 50000, True),
        (443, 1024, True),  # NAT gateways assign client ports from here
        (5432, 50000, True),
        (5432, 2000, False),  # either can be the port of a client behind a NAT gateway
        (443, 8443, False),
        (443, 80, False),
        (50051, 50000, False),
        (31337, 50000, False),
        (443, ABSENT, False),
        (ABSENT, 50000, False),
    ],
)
def test_a_service_port_decides_only_against_a_client_port(port: int, other: int, *, expected: bool) -> None:
    """Never in both directions."""
    ports, others = np.array([port, other]), np.array([other, port])
    assert WELL_KNOWN.are_servers(ports, others).tolist() == [expected, False]


PORTS = st.integers(ABSENT, 65_535) | st.sampled_from(sorted(SERVICE_NAMES))


@given(st.lists(st.tuples(PORTS, PORTS), min_size=1))
def test_the_batch_decision_matches_the_rule_for_each_pair(pairs: list[tuple[int, int]]) -> None:
    """A port with a name against one without, from 1024 for a privileged service, else from 32768."""

    def decides(port: int, other: int) -> bool:
        known = 0 <= port < EPHEMERAL and port in SERVICE_NAMES and other not in SERVICE_NAMES
        return known and other >= (UNPRIVILEGED if port < UNPRIVILEGED else EPHEMERAL)

    ports, others = (np.array(each) for each in zip(*pairs, strict=True))
    assert WELL_KNOWN.are_servers(ports, others).tolist() == [decides(*pair) for pair in pairs]


def test_the_policy_adds_service_ports() -> None:
    """A custom service listens on 7777."""
    ports, others = np.array([7777]), np.array([50_000])
    assert not WELL_KNOWN.are_servers(ports, others).any()
    assert ServicePorts([7777]).are_servers(ports, others).all()


@pytest.mark.parametrize(
    ("srcport", "dstport", "expected"),
    [
        (8081, 40000, True),
        (1812, 32768, True),
        (40000, 8081, False),
        (40000, 50000, False),
        (ABSENT, 40000, False),
        (8081, ABSENT, False),
    ],
)
def test_a_reply_goes_from_a_non_ephemeral_to_an_ephemeral_port(
    srcport: int, dstport: int, *, expected: bool
) -> None:
    """Other combinations are not replies."""
    assert are_reply_ports(np.array([srcport]), np.array([dstport])).tolist() == [expected]
