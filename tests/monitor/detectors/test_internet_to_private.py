"""internet-to-private: accepted connections from the internet to private subnets."""

from flowwarden.monitor.detectors import internet_to_private
from flowwarden.monitor.findings import Severity
from flowwarden.monitor.render.text import describe
from flowwarden.policy.policy import Policy
from tests.flows import flow, rejected
from tests.monitor.batches import batch, finding_with

inspect = finding_with(internet_to_private.DETECTOR)

BY_ID = Policy(private_subnets=("subnet-1",))
BY_CIDR = Policy(private_subnets=("10.0.2.0/24",))
VISIT = ("203.0.113.9:51000", "10.0.2.40:22")
ANSWER = VISIT[::-1]


def test_a_subnet_is_declared_by_id_or_by_cidr() -> None:
    """The id requires the field `subnet-id`; the CIDR works with every format."""
    with_id = batch(flow(*VISIT, subnet_id="subnet-1"), flow(*ANSWER, subnet_id="subnet-1"))
    without = batch(flow(*VISIT), flow(*ANSWER))
    (by_id,) = inspect(with_id, BY_ID)
    (by_cidr,) = inspect(without, BY_CIDR)
    assert describe(by_id).summary == describe(by_cidr).summary
    assert describe(by_id).summary == (
        "203.0.113.9 connected to SSH (tcp/22) at 10.0.2.40, in a subnet declared private."
    )
    assert by_id.severity is Severity.HIGH


def test_both_directions_of_one_connection_are_one_finding() -> None:
    """The answer belongs to the connection."""
    flows = batch(flow(*VISIT), flow(*ANSWER))
    (finding,) = inspect(flows, BY_CIDR)
    assert (finding.tally.records, finding.tally.connections) == (2, 1)


def test_many_visitors_of_one_service_are_one_finding() -> None:
    """The subject is the internal host, not one of many peers."""
    visits = [(f"203.0.113.{i}:51000", VISIT[1]) for i in range(9)]
    answers = [flow(server, client) for client, server in visits]
    unanswered = flow("203.0.113.99:51000", VISIT[1])
    flows = batch(*(flow(*visit) for visit in visits), *answers, unanswered)
    (finding,) = inspect(flows, BY_CIDR)
    assert finding.subject == "10.0.2.40"
    assert describe(finding).summary.startswith("9 internet hosts connected")


def test_an_unanswered_accept_is_not_a_connection() -> None:
    """The rules allow it, but no host answers; a reset is no answer either."""
    assert inspect(batch(flow(*VISIT)), BY_CIDR) == []
    assert inspect(batch(flow(*VISIT, tcp_flags=2), flow(*ANSWER, tcp_flags=4)), BY_CIDR) == []


def test_traffic_not_accepted_from_the_internet_is_not_a_finding() -> None:
    """Rejected, internal, replies to internal requests, other subnets, and guesses."""
    flows = batch(
        rejected(*VISIT, subnet_id="subnet-1"),
        flow("10.0.1.5:51000", "10.0.2.40:22", subnet_id="subnet-1"),
        flow("203.0.113.9:443", "10.0.2.40:51000", subnet_id="subnet-1"),
        flow("203.0.113.9:51000", "10.0.3.40:22", subnet_id="subnet-2"),
        flow("203.0.113.9:51000", "10.0.2.41:52000", subnet_id="subnet-1"),
    )
    both = Policy(private_subnets=("subnet-1", "10.0.2.0/24"))
    assert inspect(flows, both) == []


def test_without_declared_subnets_nothing_is_found() -> None:
    """The policy declares no private subnets."""
    visit = batch(flow(*VISIT, subnet_id="subnet-1"), flow(*ANSWER, subnet_id="subnet-1"))
    assert inspect(visit, Policy()) == []
