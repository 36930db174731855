"""lateral-movement and brute-force over days: remote administration that is new for a role."""

from __future__ import annotations

from tests.monitor.weeks import CLIENT, DAY, TODAY, got, learned, look, paged, tried


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


def test_usual_administration_is_not_lateral_movement() -> None:
    """A bastion only administers, also in networks that are new for it."""
    evidence = learned(*got("10.0.9.200", 22))
    assert [look(got(f"10.0.{net}.1", 22), evidence) for net in (9, 11, 12, 13)] == [[]] * 4
    smb = [look(got(f"10.0.{net}.1", 445), evidence) for net in (9, 11, 12, 13)]
    assert [bool(found) for found in smb] == [False, False, True, True]


def test_sessions_with_the_internet_are_not_lateral_movement() -> None:
    """Code is fetched over SSH."""
    evidence = learned()
    assert paged([each for host in (3, 4, 5) for each in got(f"140.82.121.{host}", 22)], evidence) == []


def test_two_logins_are_not_usual_administration() -> None:
    """An intruder's preparation must not count as usual; a bastion logs in on most days."""
    moves = [each for host in range(1, 9) for each in got(f"10.0.9.{host}", 22)]
    evidence = learned()
    for ago in (2, 1):
        assert look(got("10.0.200.1", 22, TODAY - ago * DAY + 3600), evidence, TODAY - ago * DAY + 3600) == []
    assert [found.detector for found in look(moves, evidence)] == ["lateral-movement"]
    assert look(moves, learned(*got("10.0.200.1", 22))) == []
