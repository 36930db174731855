"""Names of services and protocols."""

import pytest

from flowwarden.network.ports import describe_service, is_client_port


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


@pytest.mark.parametrize(("port", "expected"), [(1024, True), (65535, True), (1023, False), (5432, False)])
def test_a_client_port_is_unprivileged_and_no_servers(port: int, *, expected: bool) -> None:
    """A NAT gateway takes ports from 1024 upwards."""
    assert is_client_port(port) is expected
