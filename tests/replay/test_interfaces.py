"""What lines show of an interface."""

from __future__ import annotations

import pytest

from flowwarden.network.interface import NetworkInterface
from flowwarden.records.log_format import DEFAULT_LOG_FORMAT, STACK_LOG_FORMAT, LogFormat
from flowwarden.replay.interfaces import LearnedInterfaces
from tests.replay.archives import LAYOUT, line

ENI = "eni-00000000000000005"
HOST = "10.0.0.5"


def learned(*lines: str, layout: LogFormat = LAYOUT) -> NetworkInterface | None:
    """The interface `ENI` as the lines show it."""
    directory = LearnedInterfaces({})
    directory.begin((layout,), lines)
    return directory.describe([ENI]).get(ENI)


def default(source: str, target: str, eni: str = ENI) -> str:
    """A line of AWS's default format, which does not contain the direction."""
    return f"2 111122223333 {eni} {source} {target} 40000 443 6 3 180 1700000000 1700000060 ACCEPT OK"


def test_the_direction_shows_the_own_address() -> None:
    found = learned(
        line(1_700_000_060, HOST, HOST, "10.0.0.9", (40_000, 443)),
        line(1_700_000_060, HOST, "10.0.0.9", HOST, (443, 40_000), direction="ingress"),
    )
    assert found is not None
    assert found.addresses == (HOST,)


def test_without_the_direction_the_address_in_all_records_is_the_own_one() -> None:
    lines = [default(HOST, "10.0.0.9"), default("10.0.0.9", HOST), default("198.51.100.7", HOST)]
    found = learned(*lines, layout=DEFAULT_LOG_FORMAT)
    assert found is not None
    assert found.addresses == (HOST,)


def test_several_own_addresses_are_found() -> None:
    peers = [f"10.0.9.{number}" for number in range(20)]
    lines = [default(own, peer) for own in (HOST, "10.0.0.6") for peer in peers] + [default(HOST, "10.0.8.1")]
    found = learned(*lines, layout=DEFAULT_LOG_FORMAT)
    assert found is not None
    assert set(found.addresses) == {HOST, "10.0.0.6"}


@pytest.mark.parametrize(
    "lines",
    [
        [default(HOST, "10.0.0.9"), default("10.0.0.9", HOST)],
        [default(f"10.0.1.{number}", f"10.0.2.{number}") for number in range(20)],
        [default(HOST, "10.0.0.9", eni="eni-1")],
        ["odd"],
    ],
    ids=["two hosts alone", "a gateway", "another interface", "malformed"],
)
def test_an_address_that_is_not_certain_is_not_guessed(lines: list[str]) -> None:
    assert learned(*lines, layout=DEFAULT_LOG_FORMAT) is None


def test_subnet_instance_and_vpc_are_known_where_the_lines_name_them() -> None:
    values = {
        "version": "5", "account-id": "111122223333", "interface-id": ENI, "srcaddr": HOST,
        "dstaddr": "10.0.0.9", "vpc-id": "vpc-1", "subnet-id": "subnet-1", "instance-id": "i-1",
        "flow-direction": "egress", "log-status": "OK", "action": "ACCEPT", "start": "1700000000",
        "end": "1700000060",
    }  # fmt: skip
    text = " ".join(values.get(name, "-") for name in STACK_LOG_FORMAT.names)
    found = learned(text, layout=STACK_LOG_FORMAT)
    assert found is not None
    assert (found.vpc_id, found.subnet_id, found.instance_id) == ("vpc-1", "subnet-1", "i-1")
    assert not found.at_work


def test_an_interface_of_the_file_is_not_learned() -> None:
    described = NetworkInterface(interface_id=ENI, addresses=(HOST,), tags={"Role": "web"})
    directory = LearnedInterfaces({ENI: described})
    directory.begin((DEFAULT_LOG_FORMAT,), [default("10.0.0.9", "10.0.0.8")])
    assert directory.describe([ENI]) == {ENI: described}
    assert directory.learned == 0


def test_what_was_learned_stays() -> None:
    directory = LearnedInterfaces({})
    directory.begin((DEFAULT_LOG_FORMAT,), [default(HOST, f"10.0.0.{number}") for number in (8, 9)])
    first = directory.describe([ENI])
    directory.begin((DEFAULT_LOG_FORMAT,), [default("10.0.1.1", "10.0.1.2")])
    assert directory.describe([ENI]) == first
    assert directory.learned == 1
