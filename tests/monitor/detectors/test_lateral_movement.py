"""lateral-movement: remote administration of several hosts, from one that never did."""

from __future__ import annotations

from flowwarden.monitor.detectors.lateral_movement import DETECTOR, Facts, inspect
from flowwarden.monitor.findings import Severity
from flowwarden.monitor.render.text import describe
from flowwarden.monitor.traffic.contacts import Contact, ContactOutcome
from flowwarden.network.services import TCP
from flowwarden.policy.detection import Thresholds
from tests.monitor.suspicion import CLIENT, contact, suspect


def found(*contacts: Contact, learning: bool = False) -> list[str]:
    """The detectors that find something."""
    one = suspect(*contacts, learning=learning)
    return [finding.detector for finding in inspect(one, Thresholds())]


SSH = [contact(f"10.0.9.{host}", 22, ContactOutcome.ANSWERED) for host in (1, 2, 3)]


def test_three_hosts_are_found_on_any_of_the_ports() -> None:
    """Answered or not."""
    assert found(*SSH) == ["lateral-movement"]
    assert found(SSH[0], contact("10.0.9.2", 3389), contact("10.0.9.3", 5986)) == ["lateral-movement"]


def test_fewer_hosts_and_other_ports_are_not() -> None:
    """A host asked on two ports is one; a pool of databases is none."""
    assert found(*SSH[:2], contact("10.0.9.2", 3389)) == []
    assert found(*(contact(f"10.0.9.{host}", 5432) for host in range(1, 9))) == []


def test_a_role_that_is_learned_moves_nowhere() -> None:
    """Administration is new wherever it goes then."""
    assert found(*SSH, learning=True) == []


def test_what_the_role_asks_for_elsewhere_is_no_movement() -> None:
    """A bastion opens SSH wherever it goes; remote desktops are another matter."""
    one = suspect(*SSH, asks=frozenset({(TCP, 22)}))
    assert inspect(one, Thresholds()) == []
    desktops = [contact(f"10.0.9.{host}", 3389, ContactOutcome.ANSWERED) for host in (1, 2, 3)]
    other = suspect(*desktops, asks=frozenset({(TCP, 22)}))
    assert len(inspect(other, Thresholds())) == 1


def test_the_finding_is_about_the_host_that_moves() -> None:
    """Whoever it reached."""
    one = suspect(*SSH)
    (finding,) = inspect(one, Thresholds())
    assert (finding.severity, finding.subject) == (Severity.MEDIUM, CLIENT)
    assert DETECTOR.technique == "T1021"
    assert finding.facts == Facts("tag:Role=web", servers=3, limit=3)
    assert "SSH" in describe(finding).summary
