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
    describe_service,
    look_like_answers,
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
def test_a_service_is_named_as_people_know_it(protocol: int | None, port: int | None, expected: str) -> None:
    """By name where there is one, by number always."""
    assert describe_service(protocol, port) == expected


@pytest.mark.parametrize(
    ("port", "other", "expected"),
    [
        (443, 50000, True),
        (443, 1024, True),  # a NAT gateway takes client ports from here
        (5432, 50000, True),
        (5432, 2000, False),  # either may be the port of a client behind a NAT gateway
        (443, 8443, False),
        (443, 80, False),
        (50051, 50000, False),
        (31337, 50000, False),
        (443, ABSENT, False),
        (ABSENT, 50000, False),
    ],
)
def test_a_service_port_tells_the_server_only_against_a_port_of_a_client(
    port: int, other: int, *, expected: bool
) -> None:
    """And never both ways at once."""
    ports, others = np.array([port, other]), np.array([other, port])
    assert WELL_KNOWN.tell_servers(ports, others).tolist() == [expected, False]


PORTS = st.integers(ABSENT, 65_535) | st.sampled_from(sorted(SERVICE_NAMES))


@given(st.lists(st.tuples(PORTS, PORTS), min_size=1))
def test_many_ports_tell_what_each_pair_tells(pairs: list[tuple[int, int]]) -> None:
    """A port with a name against one without, from 1024 for a privileged service, else from 32768."""

    def tells(port: int, other: int) -> bool:
        known = 0 <= port < EPHEMERAL and port in SERVICE_NAMES and other not in SERVICE_NAMES
        return known and other >= (UNPRIVILEGED if port < UNPRIVILEGED else EPHEMERAL)

    ports, others = (np.array(each) for each in zip(*pairs, strict=True))
    assert WELL_KNOWN.tell_servers(ports, others).tolist() == [tells(*pair) for pair in pairs]


def test_the_user_knows_ports_of_servers_that_nobody_else_does() -> None:
    """A service of his own that listens on 7777."""
    ports, others = np.array([7777]), np.array([50_000])
    assert not WELL_KNOWN.tell_servers(ports, others).any()
    assert ServicePorts([7777]).tell_servers(ports, others).all()


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
def test_an_answer_goes_to_an_ephemeral_port(srcport: int, dstport: int, *, expected: bool) -> None:
    """From one that is not."""
    assert look_like_answers(np.array([srcport]), np.array([dstport])).tolist() == [expected]
