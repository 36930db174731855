"""Active hosts: a batch inspects a bounded number of contacts and hosts, and a flood hides no attack."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

import pytest

from flowwarden.monitor.traffic.contacts import MOST_CONTACTS, MOST_FLOWS
from flowwarden.records.model import Flow
from flowwarden.state.schema import MOST_HOSTS
from tests.flows import flow, rejected
from tests.monitor.weeks import CLIENT, IN, OUT, TODAY, learned, paged

TIMES = {"start": TODAY + 3600, "end": TODAY + 3609}


def connected(client: str, server: str, port: int, client_port: int = 40_000) -> list[Flow]:
    """A request with its answer."""
    here, there = f"{client}:{client_port}", f"{server}:{port}"
    return [
        flow(here, there, tcp_flags=2, flow_direction=OUT, **TIMES),
        flow(there, here, tcp_flags=18, flow_direction=IN, **TIMES),
    ]


def guesses(port: int) -> list[Flow]:
    """Sixty sessions of the same small size with a server that is new for the role."""
    return [each for at in range(60) for each in connected(CLIENT, "10.0.77.9", port, 41_000 + at)]


@cache
def outside() -> list[Flow]:
    """More new services on the internet answer than a batch inspects."""
    ports = range(1024, 1024 + MOST_CONTACTS + 50)
    return [each for port in ports for each in connected(CLIENT, "203.0.113.9", port)]


@cache
def failures() -> list[Flow]:
    """Administration of more hosts fails than a finding has flows."""
    hosts = [f"10.0.{net}.{host}" for net in (80, 81) for host in range(1, MOST_FLOWS // 2 + 50)]
    return [
        rejected(f"{CLIENT}:40000", f"{host}:22", tcp_flags=2, flow_direction=OUT, **TIMES) for host in hosts
    ]


@cache
def pods() -> list[Flow]:
    """More pods at the interface than a batch inspects have more new contacts."""
    return [
        each
        for pod in range(1, MOST_HOSTS + 20)
        for server in range(1, 5)
        for each in connected(f"10.0.5.{pod}", f"10.0.90.{server}", 8080)
    ]


@pytest.mark.matrix(4)
@pytest.mark.parametrize("port", [22, 3306])
@pytest.mark.parametrize("flood", [outside, failures, pods])
@pytest.mark.parametrize("flood_first", [True, False])
def test_guesses_do_not_hide_behind_a_flood_of_other_contacts(
    flood: Callable[[], Sequence[Flow]], port: int, *, flood_first: bool
) -> None:
    """Of the same host or of others, in whichever order the records come; without guesses there is none."""
    attack = guesses(port)
    flows = [*flood(), *attack] if flood_first else [*attack, *flood()]
    found = {(each.detector, each.subject) for each in paged(flows, learned())}
    assert ("brute-force", CLIENT) in found
    assert "brute-force" not in alone(flood)


@cache
def alone(flood: Callable[[], Sequence[Flow]]) -> frozenset[str]:
    """The detectors that find something in a flood without guesses."""
    return frozenset(each.detector for each in paged(flood(), learned()))
