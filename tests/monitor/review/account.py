"""An account whose roles are learned for some weeks, for tests of the report on learning."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from functools import cache
from typing import Final

from flowwarden.monitor.pipeline import Invocation, MonitoringService
from flowwarden.network.interface import NetworkInterface
from flowwarden.notify.notification import Notification
from flowwarden.records.model import Flow
from flowwarden.records.subscription import LogBatch
from tests.faults import Faults
from tests.flows import flow, rejected
from tests.monitor.fakes_interfaces import FakeDirectory
from tests.monitor.scenarios import GROUP, Account, line_of
from tests.monitor.weeks import DAY, IN, OUT

FIRST: Final = 20_400
"""The first day of learning; days since 1970."""
NOON: Final = DAY // 2
REGION: Final = "eu-west-1"


def host(number: int, role: str) -> NetworkInterface:
    """A host with a role, in a network of its own."""
    return NetworkInterface(
        interface_id=f"eni-{number}", vpc_id="vpc-1", subnet_id=f"subnet-{number}",
        addresses=(f"10.0.{number}.5",), instance_id=f"i-{number}", tags={"Role": role},
    )  # fmt: skip


def asks(number: int, server: str, port: int, at: int) -> list[Flow]:
    """A host asks a service, and is answered."""
    client, given = f"10.0.{number}.5:40000", {"interface_id": f"eni-{number}", "start": at, "end": at + 9}
    return [
        flow(client, f"{server}:{port}", tcp_flags=2, flow_direction=OUT, **given),
        flow(f"{server}:{port}", client, tcp_flags=18, flow_direction=IN, **given),
    ]


def asked(number: int, client: str, port: int, at: int) -> list[Flow]:
    """A host is asked for a service, and answers."""
    server, given = f"10.0.{number}.5:{port}", {"interface_id": f"eni-{number}", "start": at, "end": at + 9}
    return [
        flow(f"{client}:40000", server, tcp_flags=2, flow_direction=IN, **given),
        flow(server, f"{client}:40000", tcp_flags=18, flow_direction=OUT, **given),
    ]


def refused(number: int, server: str, port: int, at: int) -> list[Flow]:
    """A host is refused a service by its own rules."""
    given = {"interface_id": f"eni-{number}", "start": at, "end": at + 9}
    return [rejected(f"10.0.{number}.5:40000", f"{server}:{port}", tcp_flags=2, flow_direction=OUT, **given)]


def life(number: int, at: int) -> list[Flow]:
    """The traffic of a host on a day: it administers, is administered, uses the internet, and is refused."""
    return [
        *asks(number, "10.0.200.1", 22, at),
        *asks(number, "198.51.100.7", 443, at),
        *asks(number, "198.51.100.8", 4444, at),
        *asked(number, "203.0.113.9", 22, at),
        *refused(number, "192.0.2.9", 25, at),
    ]


def batch(number: int, flows: Sequence[Flow], at: int) -> LogBatch:
    """A batch of one interface."""
    return LogBatch(
        "111122223333", GROUP, f"eni-{number}-all", tuple(map(line_of, flows)), f"{number} at {at}"
    )


def account(*roles: str) -> Account:
    """An account with a host for each role, numbered from 1."""
    return Account(directory=FakeDirectory.of(*(host(each, role) for each, role in enumerate(roles, 1))))


def process(
    container: MonitoringService,
    given: LogBatch,
    at: int,
    *,
    attempt: str = "first",
    seconds: float = 40.0,
) -> None:
    """Deliver a batch."""
    invocation = Invocation(f"{given.batch_id} {attempt}", lambda: seconds)
    container.process(given, invocation, at).raise_if_unsent()


def live(one: Account, days: Sequence[int], hosts: Sequence[int] = (1,)) -> None:
    """Process a batch of each host on some days, counted from `FIRST`, with a new container each day."""
    for day in days:
        container = one.container(Faults())
        for number in hosts:
            at = (FIRST + day) * DAY + NOON
            process(container, batch(number, life(number, at), at), at + 60)


@cache
def _learned(roles: tuple[str, ...], days: int) -> Account:
    one = account(*roles)
    live(one, range(days), range(1, len(roles) + 1))
    return one


def learned(*roles: str, days: int = 16) -> Account:
    """An account after some days of this traffic."""
    return deepcopy(_learned(roles, days))


def reports(one: Account) -> list[Notification]:
    """The reports on learning that were sent."""
    return [each for each in one.operations.sent if each.attributes["kind"] == "learning-report"]
