"""lateral-movement: remote administration of several hosts that is new for a role."""

from __future__ import annotations

from flowwarden.monitor.detectors.lateral_movement import DETECTOR, Facts, inspect
from flowwarden.monitor.findings import Severity
from flowwarden.monitor.render.text import describe
from flowwarden.monitor.traffic.contact import Contact, ContactOutcome
from flowwarden.network.services import TCP
from flowwarden.policy.detection import Thresholds
from tests.monitor.suspicion import CLIENT, contact, suspect


def found(*contacts: Contact, learning: bool = False) -> list[str]:
    """The detectors with a finding."""
    one = suspect(*contacts, learning=learning)
    return [finding.detector for finding in inspect(one, Thresholds())]


SSH = [contact(f"10.0.9.{host}", 22, ContactOutcome.ANSWERED) for host in (1, 2, 3)]


def test_three_hosts_are_found_on_any_of_the_ports() -> None:
    """Answered or not."""
    assert found(*SSH) == ["lateral-movement"]
    assert found(SSH[0], contact("10.0.9.2", 3389), contact("10.0.9.3", 5986)) == ["lateral-movement"]


def test_fewer_hosts_and_other_ports_are_not_a_finding() -> None:
    """A host contacted on two ports counts once; a pool of databases does not count."""
    assert found(*SSH[:2], contact("10.0.9.2", 3389)) == []
    assert found(*(contact(f"10.0.9.{host}", 5432) for host in range(1, 9))) == []


def test_a_learning_role_is_not_a_finding() -> None:
    """All administration is new then."""
    assert found(*SSH, learning=True) == []


def test_usual_services_on_other_hosts_are_not_a_finding() -> None:
    """A bastion opens SSH to any host; remote desktop is a different service."""
    one = suspect(*SSH, asks=frozenset({(TCP, 22)}))
    assert inspect(one, Thresholds()) == []
    desktops = [contact(f"10.0.9.{host}", 3389, ContactOutcome.ANSWERED) for host in (1, 2, 3)]
    other = suspect(*desktops, asks=frozenset({(TCP, 22)}))
    assert len(inspect(other, Thresholds())) == 1


def test_the_subject_is_the_client() -> None:
    """Regardless of the servers."""
    one = suspect(*SSH)
    (finding,) = inspect(one, Thresholds())
    assert (finding.severity, finding.subject) == (Severity.MEDIUM, CLIENT)
    assert DETECTOR.technique == "T1021"
    assert finding.facts == Facts("tag:Role=web", servers=3, limit=3, answered=3)
    assert "SSH" in describe(finding).summary
