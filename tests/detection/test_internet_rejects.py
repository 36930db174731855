"""internet-rejects counts the noise and wakes nobody."""

from flowwarden.detection.findings import Severity
from flowwarden.detection.internet_rejects import inspect
from flowwarden.policy import Policy
from tests.flows import directed, flow, rejected


def test_refused_internet_hosts_are_one_report_for_the_host_they_knocked_at() -> None:
    """Many sources, many ports, one finding."""
    noise = [rejected(f"198.51.100.{i}:40000", f"10.0.0.9:{port}") for i in range(3) for port in (22, 23)]
    (finding,) = inspect(directed(*noise), Policy())
    assert finding.subject == "10.0.0.9"
    assert finding.severity is Severity.INFO
    assert not finding.severity.pages
    assert (finding.tally.records, len(finding.tally.clients)) == (6, 3)


def test_refused_pings_count_for_who_sent_them() -> None:
    """ICMP has no ports that would tell the initiator; the noise is counted all the same."""
    (finding,) = inspect(directed(rejected("198.51.100.1:0", "10.0.0.9:0", protocol=1)), Policy())
    assert finding.tally.records == 1


def test_accepted_visits_and_own_attempts_are_not_noise() -> None:
    """Only REJECTs that the internet started."""
    flows = directed(
        flow("198.51.100.1:40000", "10.0.0.9:443"),
        rejected("10.0.0.9:40000", "198.51.100.1:443"),
        rejected("10.0.0.8:40000", "10.0.0.9:443"),
        rejected("198.51.100.1:443", "10.0.0.9:40000"),  # a late answer to our own request
    )
    assert inspect(flows, Policy()) == []
