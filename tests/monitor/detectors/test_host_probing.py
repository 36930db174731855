"""host-probing: an internal host that is rejected at many places."""

from flowwarden.monitor.detectors import host_probing
from flowwarden.monitor.findings import Severity
from flowwarden.monitor.render.text import describe
from flowwarden.policy.detection import Thresholds
from flowwarden.policy.policy import Policy
from tests.flows import rejected
from tests.monitor.batches import batch, finding_with

inspect = finding_with(host_probing.DETECTOR)

PLACES = Thresholds().probing_destinations


def test_many_ports_of_one_host_are_probing() -> None:
    """A vertical scan."""
    flows = [rejected("10.0.1.66:50000", f"10.0.2.30:{port}", packets=1) for port in range(1, PLACES + 1)]
    (finding,) = inspect(batch(*flows), Policy())
    assert (finding.subject, finding.severity) == ("10.0.1.66", Severity.HIGH)
    assert finding.facts == host_probing.Facts(pairs=PLACES, limit=PLACES)
    assert f"{PLACES} host/port pairs (1 host, {PLACES} services)" in describe(finding).summary


def test_one_port_of_many_hosts_is_probing() -> None:
    """A horizontal scan."""
    flows = [rejected("10.0.1.66:50000", f"10.0.2.{i}:22") for i in range(PLACES)]
    assert len(inspect(batch(*flows), Policy())) == 1


def test_few_pairs_are_not_probing() -> None:
    """Regardless of repeats: an application that retries, and several hosts that each miss one service."""
    retries = [rejected(f"10.0.1.20:{50000 + i}", "10.0.2.30:5432") for i in range(50)]
    others = [rejected(f"10.0.1.{i}:50000", "10.0.2.30:5432") for i in range(21, 60)]
    few = [rejected("10.0.1.20:50000", f"10.0.2.{i}:6379") for i in range(PLACES - 2)]
    assert inspect(batch(*retries, *others, *few), Policy()) == []


def test_internet_hosts_are_not_probers() -> None:
    """Their scans are noise, counted by another detector."""
    flows = [rejected("203.0.113.6:50000", f"10.0.2.30:{port}") for port in range(1, 50)]
    assert inspect(batch(*flows), Policy()) == []


def test_a_servers_late_answers_are_not_probing() -> None:
    """They go to many ports of many clients, and initiate nothing."""
    flows = [rejected("10.0.0.2:53", f"10.0.1.{i}:{41000 + i}", protocol=17) for i in range(30)]
    assert inspect(batch(*flows), Policy()) == []
