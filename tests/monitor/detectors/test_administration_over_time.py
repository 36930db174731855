"""lateral-movement and brute-force over days: remote administration that is new for a role."""

from __future__ import annotations

import pytest

from flowwarden.network.services import ADMIN_PORTS, FILE_AND_RPC
from tests.monitor.fakes_state import MemoryEvidence
from tests.monitor.weeks import CLIENT, DAY, TODAY, got, learned, look, moved, paged, tried


def test_administration_of_three_hosts_is_lateral_movement() -> None:
    """Answered or not, over several batches."""
    evidence = learned()
    moves = [got("10.0.9.1", 22), [tried("10.0.9.2", 3389)], got("10.0.9.3", 5985)]
    *before, last = [look(move, evidence) for move in moves]
    assert before == [[], []]
    assert [(found.detector, found.subject) for found in last] == [("lateral-movement", CLIENT)]


def test_repeated_sessions_on_one_host_are_brute_force() -> None:
    """Over several batches, none of which contains enough sessions."""
    evidence = learned()
    batches = [
        [each for port in range(begin, begin + 11) for each in got("10.0.9.1", 22, client_port=port)]
        for begin in (41_000, 41_011, 41_022, 41_033)
    ]
    *before, last = [look(batch, evidence) for batch in batches]
    assert before == [[], [], []]
    assert [(found.detector, found.subject) for found in last] == [("brute-force", CLIENT)]
    bastion = learned(*got("10.0.9.200", 22))
    assert [look(batch, bastion) for batch in batches] == [[]] * 4


NETWORKS = [f"10.0.{net}.200" for net in range(101, 106)]
BASTION = [each for server in NETWORKS for each in got(server, 22)]


@pytest.mark.parametrize("networks", [2, 5])
def test_a_role_that_administers_several_networks_may_administer_others(networks: int) -> None:
    """A bastion also administers networks that are new for it, by the service that is usual."""
    evidence = learned(*BASTION[: 2 * networks])
    assert [look(got(f"10.0.{net}.1", 22), evidence) for net in (9, 11, 12, 13)] == [[]] * 4
    smb = [look(got(f"10.0.{net}.1", 445), evidence) for net in (9, 11, 12, 13)]
    assert [bool(found) for found in smb] == [False, False, True, True]


@pytest.mark.parametrize("port", sorted(ADMIN_PORTS))
def test_the_servers_that_a_role_uses_do_not_let_it_administer_others(port: int) -> None:
    """One server, or file servers in several zones, used each day, say nothing about other networks."""
    used = NETWORKS[:4] if port in FILE_AND_RPC else NETWORKS[:1]
    usual = [each for server in used for each in got(server, port)]
    evidence = learned(*usual)
    assert look([each for host in range(1, 9) for each in got(f"10.0.101.{host}", port)], evidence) == []
    elsewhere = [look(got(f"10.0.{net}.1", port), evidence) for net in (9, 11, 12)]
    assert [[each.detector for each in found] for found in elsewhere] == [[], [], ["lateral-movement"]]


def test_sessions_with_the_internet_are_not_lateral_movement() -> None:
    """Code is fetched over SSH."""
    evidence = learned()
    assert paged([each for host in (3, 4, 5) for each in got(f"140.82.121.{host}", 22)], evidence) == []


@pytest.mark.parametrize("days", [2, 4])
def test_few_logins_are_not_usual_administration(days: int) -> None:
    """An intruder's preparation must not count as usual, not even in the network where it took place."""
    for network in "10.0.9", "10.0.200":
        evidence = learned()
        for ago in range(days, 0, -1):
            at = TODAY - ago * DAY + 3600
            assert look(got(f"{network}.1", 22, at), evidence, at) == []
        moves = [each for host in range(1, 9) for each in got(f"10.0.9.{host}", 22)]
        assert [found.detector for found in look(moves, evidence)] == ["lateral-movement"]


def test_lateral_movement_does_not_become_usual() -> None:
    """The network is known from two log-ins; what is reported there on further days is not learned."""
    moves = [each for host in range(1, 4) for each in got(f"10.0.9.{host}", 22)]
    evidence = learned()
    for day in range(2):
        at = TODAY + day * DAY + 3600
        assert look(got("10.0.9.1", 22, at), evidence, at) == []
    for day in range(2, 9):
        at = TODAY + day * DAY + 3600
        (found,) = look([moved(each, at) for each in moves], evidence, at)
        assert found.detector == "lateral-movement"


def test_a_weekly_job_becomes_usual() -> None:
    """It ran twice while the role was learned, and is reported once more at most."""
    run = [each for host in range(1, 5) for each in got(f"10.0.9.{host}", 22)]
    evidence = MemoryEvidence()
    pages = []
    for day in range(50):
        at = TODAY + day * DAY + 3600
        flows = [*got("10.0.3.1", 5432, at), *(moved(each, at) for each in run if day % 7 == 0)]
        pages += [(day, found.detector) for found in paged(flows, evidence, at)]
    assert pages == [(14, "lateral-movement")]


def test_administration_on_most_days_is_usual_in_its_network() -> None:
    """A deployment tool logs in on most days; guessing on few days blinds no detector."""
    moves = [each for host in range(1, 9) for each in got(f"10.0.200.{host}", 22)]
    assert look(moves, learned(*got("10.0.200.1", 22))) == []
    guesses = [each for port in range(45) for each in got("10.0.200.9", 22, client_port=41_000 + port)]
    assert look(guesses, learned(*got("10.0.200.1", 22))) == []
    evidence = learned()
    for ago in (2, 1):
        at = TODAY - ago * DAY + 3600
        look(got("10.0.200.1", 22, at), evidence, at)
    assert [found.detector for found in look(guesses, evidence)] == ["brute-force"]
