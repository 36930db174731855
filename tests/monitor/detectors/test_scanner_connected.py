"""scanner-connected: the text; `test_scanner_connected_over_time.py` tests when it is found."""

from __future__ import annotations

from flowwarden.monitor.detectors.scanner_connected import Facts, report
from flowwarden.monitor.findings import Severity
from flowwarden.monitor.render.text import describe
from flowwarden.network.services import Service
from tests.flows import directed, flow


def test_the_finding_is_about_the_server_and_its_service() -> None:
    """The visitor is part of the finding but not its subject: there are too many visitors."""
    hits = directed(
        flow("203.0.113.9:40000", "10.0.1.5:8081", tcp_flags=2),
        flow("10.0.1.5:8081", "203.0.113.9:40000", tcp_flags=18),
    )
    finding = report("tag:Role=web", hits, 10, Service(6, 8081))
    assert (finding.detector, finding.severity, finding.subject) == (
        "scanner-connected",
        Severity.HIGH,
        "10.0.1.5",
    )
    assert str(finding.service) == "tcp/8081"
    assert finding.facts == Facts("tag:Role=web", limit=10)
    assert "203.0.113.9" in describe(finding).summary
    assert "tag:Role=web" in describe(finding).because
