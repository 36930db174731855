"""internet-to-admin-port: the internet reached an administration or database port for the first time.

What: an answered connection of an internet host to an administration port (SSH, RDP, SMB, WinRM and similar)
    or a database port of a host whose role the internet does not usually reach on that port. The subnet may
    be declared private or not.
Why: such a port is opened to the internet by mistake more often than on purpose, and is then found within
    minutes. Ransomware groups and miners begin with exposed RDP, SSH and databases.
False positives: a new bastion, SFTP server or database for a partner: list the partner's networks in
    `partner_cidrs`, or add the host to `exempt`. A port that the internet reaches on two days counts as usual
    from then on.
Blind: an answer that arrives in a later batch than its request. A long connection is reported from any of its
    records. Exception: if its first records are missing and the client's port is below 32,768 (1,024 for SSH
    and other ports below 1,024), as behind some NAT devices, it is not reported.
While a role is being learned, everything is new for it: the finding has the route digest, and does not page.
Events: none alone; see tests/monitor/detectors/test_internet_to_admin_port.py.
ATT&CK: T1133 External Remote Services.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from flowwarden.monitor.caches.state import StateView
from flowwarden.monitor.causes import Shares
from flowwarden.monitor.detectors.base import Detector, Need
from flowwarden.monitor.findings import Severity, SurplusFinding, TrafficFinding
from flowwarden.monitor.text import EXEMPT, Text, evidence, narrowed, short_clients
from flowwarden.monitor.traffic.internet_contacts import InternetService, new_services, opened
from flowwarden.monitor.traffic.selection import without_repeats
from flowwarden.monitor.traffic.tally import sample_of
from flowwarden.monitor.view import BatchView
from flowwarden.network.addresses import PeerClass
from flowwarden.network.host_set import host_set
from flowwarden.network.services import ADMIN_PORTS, DATABASE_PORTS, TCP, Service
from flowwarden.notify.alert import Route
from flowwarden.notify.text import plural
from flowwarden.policy.detection import Thresholds
from flowwarden.state.schema import BASELINES

PORTS: Final = ADMIN_PORTS | DATABASE_PORTS


class Facts(Struct, frozen=True):
    """The evidence for the finding."""

    role: str
    learning: bool
    """Whether the role is too young for new behavior to be unusual."""


type InternetToAdminPort = TrafficFinding[Facts]


def detect(
    view: BatchView, _state: StateView, _thresholds: Thresholds
) -> list[InternetToAdminPort | SurplusFinding]:
    """One finding for each host and port, the first of a batch one by one."""
    new = new_services(
        view.contacts,
        view.directions,
        view.new_of_internet,
        opened(view.contacts),
        lambda _, edge: edge.direction == "in" and edge.port in PORTS,
    )
    exempt, texts = host_set(view.policy.exempt), view.records.flows.texts
    chosen = [each for each in new if not exempt.hold(texts[each.host])]
    found = [_report(view, each, new[each]) for each in chosen[: view.most_findings]]
    beyond = chosen[view.most_findings :]
    quiet = sum(view.profiles[each.place].learning for each in beyond)
    return [*found, *DETECTOR.surplus(len(beyond) - quiet, quiet)]


def _report(view: BatchView, reached: InternetService, contacts: list[int]) -> InternetToAdminPort:
    profile = view.profiles[reached.place]
    rows = without_repeats(view.records.flows, view.contacts.rows_of(contacts))
    finding = DETECTOR.finding(
        subject=str(view.records.flows.texts[reached.host]),
        peer_class=PeerClass.INTERNET,
        service=Service(TCP, reached.port),
        sample=sample_of(view.directions, rows),
        facts=Facts(role=profile.role, learning=profile.learning),
    )
    return replace(finding, severity=Severity.INFO) if profile.learning else finding


def text(finding: InternetToAdminPort) -> Text:
    """The finding in words."""
    server, clients, facts = finding.subject, finding.tally.clients, finding.facts
    initiators = finding.main_client if len(clients) == 1 else plural(len(clients), "internet host")
    new = "the role of the host is still learned" if facts.learning else f"new for its role ({facts.role})"
    return Text(
        summary=f"{initiators} connected from the internet to {finding.service} at {server}.",
        because=(
            f"the initiator is on the internet {evidence(finding.example)} and the host answered; {new}"
        ),
        likely="a security group that was opened to the internet, or a new public service",
        brief=f"internet {short_clients(finding.tally)} reached {finding.main_service.number} at {server}",
        query_terms=narrowed(finding, server, *([finding.main_client] if len(clients) == 1 else [])),
    )


DETECTOR: Final = Detector(
    name="internet-to-admin-port",
    summary=(
        "an internet host opened an answered connection to an administration or database port that the "
        "internet does not usually reach; after two days the connection counts as usual"
    ),
    severity=Severity.HIGH,
    shares=Shares.CLIENTS,
    unpaged=Route.DIGEST,
    technique="T1133",
    needs=frozenset({Need.BASELINE, Need.TCP_FLAGS}),
    state=(BASELINES,),
    inhibits=("internet-brute-force",),
    teaches_baseline=True,
    finds=("exposed-administration", "guessing-from-outside"),
    runbook=(
        "Check which security group rule admits the internet to {service} at {subject}, and who added it.",
        "If it is a mistake, restrict the rule, then check who has logged in to {subject} since.",
        EXEMPT,
    ),
    detect=detect,
    text=text,
)
