"""database-egress: an answered contact that is new for a role that serves a database."""

from __future__ import annotations

from flowwarden.monitor.detectors.database_egress import Facts, inspect
from flowwarden.monitor.findings import Severity, TrafficFinding
from flowwarden.monitor.render.text import describe
from flowwarden.monitor.traffic.contact import Contact, ContactOutcome
from flowwarden.policy.detection import Thresholds
from tests.monitor.suspicion import CLIENT, contact, suspect

WEB = contact("203.0.113.9", 443, ContactOutcome.ANSWERED)


def found(
    *contacts: Contact, serves: frozenset[int] = frozenset({5432}), learning: bool = False
) -> list[TrafficFinding]:
    """The findings about a database's new contacts."""
    return inspect(suspect(*contacts, learning=learning, databases=serves), Thresholds())


def test_a_new_connection_of_a_database_is_found() -> None:
    """To the internet or to an internal host."""
    (finding,) = found(WEB)
    assert (finding.detector, finding.severity, finding.subject) == (
        "database-egress", Severity.HIGH, CLIENT,
    )  # fmt: skip
    assert finding.facts == Facts("tag:Role=web", serves=(5432,))
    assert "serves PostgreSQL (tcp/5432)" in describe(finding).summary
    assert len(found(contact("10.0.9.1", 22, ContactOutcome.ANSWERED))) == 1


def test_replicas_and_unanswered_contacts_are_not_a_finding() -> None:
    """`scan` reports scans from a database."""
    assert found(contact("10.0.9.1", 5432, ContactOutcome.ANSWERED)) == []
    assert found(contact("203.0.113.9", 443)) == []


def test_a_database_port_on_the_internet_is_not_a_replica() -> None:
    """Any host may listen there."""
    assert len(found(contact("203.0.113.9", 5432, ContactOutcome.ANSWERED))) == 1


def test_a_host_that_serves_no_database_is_not_a_finding() -> None:
    """Other detectors report it."""
    assert found(WEB, serves=frozenset()) == []


def test_while_a_role_is_learned_only_unneeded_services_are_found() -> None:
    """Its updates, backups and directory lookups are as new as everything else."""
    needed = [
        WEB, contact("203.0.113.9", 80, ContactOutcome.ANSWERED),
        contact("10.0.9.1", 389, ContactOutcome.ANSWERED),
        contact("10.0.9.1", 443, ContactOutcome.ANSWERED),
    ]  # fmt: skip
    assert found(*needed, learning=True) == []
    for needless in (
        contact("10.0.9.1", 22, ContactOutcome.ANSWERED),
        contact("203.0.113.9", 4444, ContactOutcome.ANSWERED),
    ):
        (finding,) = found(*needed, needless, learning=True)
        assert [server for server, _ in finding.tally.servers] == [needless.server]
    assert found(contact("203.0.113.9", 4444), learning=True) == [], "found, although not answered"
