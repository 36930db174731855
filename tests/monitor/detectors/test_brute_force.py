"""brute-force: repeated sessions from a host whose role never opened any."""

from __future__ import annotations

import pytest

from flowwarden.monitor.detectors.brute_force import DETECTOR, Facts, inspect
from flowwarden.monitor.findings import Severity
from flowwarden.monitor.render.text import describe
from flowwarden.monitor.traffic.contact import Contact, ContactOutcome
from flowwarden.monitor.traffic.host_activity import HostActivity, sets
from flowwarden.network.services import TCP
from flowwarden.policy.detection import Thresholds
from flowwarden.state.sets import merged
from tests.monitor.suspicion import CLIENT, contact, suspect

OK = ContactOutcome.ANSWERED


def logins(
    server: str, count: int, port: int = 22, outcome: ContactOutcome = OK, peer: str = "10.0.9.0/24"
) -> Contact:
    """This number of connections."""
    return contact(server, port, outcome, peer, range(40_000, 40_000 + count))


def found(one: HostActivity, limits: Thresholds | None = None) -> list[str]:
    """The detectors with a finding."""
    return [finding.detector for finding in inspect(one, limits or Thresholds())]


@pytest.mark.parametrize(
    ("contacts", "expected"),
    [
        ([logins("10.0.9.1", 60)], True),
        ([logins("10.0.9.1", 60, port=3389)], True),
        ([logins(f"10.0.9.{host}", 25) for host in range(1, 5)], True),  # one password, many hosts
        ([logins("10.0.9.1", 30)], False),
        ([logins(f"10.0.9.{host}", 4) for host in range(1, 30)], False),  # initial fleet setup
        ([logins("10.0.9.1", 60, outcome=ContactOutcome.REFUSED)], False),  # reported by other detectors
        ([logins("10.0.9.1", 60, port=8080)], False),
        ([logins("203.0.113.9", 60, peer="internet")], False),  # pushes to a code host
    ],
)
def test_many_sessions_on_few_hosts_are_found(contacts: list[Contact], *, expected: bool) -> None:
    """On any remote administration port."""
    assert bool(found(suspect(*contacts))) is expected


def test_sessions_add_up_over_batches_and_windows() -> None:
    """Each batch contains some of them, partly repeated."""
    parts = [
        contact("10.0.9.1", 22, OK, client_ports=range(begin, begin + 20))
        for begin in (40_000, 40_010, 40_050)
    ]
    together = merged(merged(sets(parts[:1]), sets(parts[1:2])), sets(parts[2:]))
    assert found(suspect(*parts[:2])) == []
    assert found(suspect(parts[2], before=together)) == ["brute-force"]


def test_learning_roles_and_usual_administration_are_not_a_finding() -> None:
    """A bastion, and a role that is not learned yet."""
    assert found(suspect(logins("10.0.9.1", 60), learning=True)) == []
    assert found(suspect(logins("10.0.9.1", 60), asks=frozenset({(TCP, 22)}))) == []


def test_the_policy_sets_the_session_limit() -> None:
    """Environments with much automation need a higher limit."""
    loose = Thresholds(brute_force_sessions=100)
    assert found(suspect(logins("10.0.9.1", 60)), loose) == []
    assert found(suspect(logins("10.0.9.1", 200)), loose) == ["brute-force"]


def test_the_finding_names_client_and_server() -> None:
    """It also contains the runbook steps."""
    one = suspect(logins("10.0.9.1", 60))
    (finding,) = inspect(one, Thresholds())
    assert (finding.severity, finding.subject) == (Severity.HIGH, CLIENT)
    assert DETECTOR.technique == "T1110"
    assert finding.facts == Facts("tag:Role=web", sessions=63, limit=40)
    assert "10.0.9.1" in describe(finding).summary
    assert "SSH" in describe(finding).summary
    many = suspect(*(logins(f"10.0.9.{host}", 25) for host in range(1, 5)))
    assert "and other hosts" in describe(inspect(many, Thresholds())[0]).summary
