"""What a run of the enforcer does for every kind of AWS response."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import pytest
from msgspec.structs import replace

from flowwarden.aws.errors import classify
from flowwarden.enforcer.decide.plan import Wait
from flowwarden.enforcer.reporting import plan_output
from flowwarden.enforcer.reporting.report import Result
from flowwarden.enforcer.state.desired import DesiredFlowLog, resolved
from flowwarden.enforcer.state.inventory import FlowLog, LogGroup, Unread
from flowwarden.enforcer.triggers.cloudtrail import ApiCaller
from flowwarden.enforcer.triggers.trigger import FRESH_SECONDS, RunKind, Trigger
from flowwarden.enforcer.work_queue import FAILED_AFTER_SECONDS, Cursor, WorkItem
from flowwarden.errors import (
    CallFailed,
    EnforcementError,
    EnforcementIncomplete,
    NotFound,
    PublishFailed,
    VpcGone,
)
from flowwarden.network.interface import NetworkInterface
from flowwarden.policy.flow_logs import Exemption, FlowLogSpec, FlowLogsPolicy, Selection
from flowwarden.policy.policy import Policy
from tests.enforcer.fakes import GROUP, STACK, TERMS, FakeRoles, FakeRunClock, Fakes, FakeWorkQueue
from tests.enforcer.fakes_ec2 import FakeEc2, wanted
from tests.enforcer.runs import (
    AT_ONCE,
    BIRTH,
    BORN,
    DESIRED,
    FORBIDDEN,
    RETRY,
    SWEEP,
    THROTTLED,
    deliver,
    enforce,
    existing,
    only,
    own,
    run,
)


def test_uncovered_vpc_gets_its_flow_log_and_is_checked_again() -> None:
    """The token depends on VPC, configuration and event; a scheduled retry verifies delivery."""
    ec2 = FakeEc2(own("vpc-1"))
    fakes = Fakes(ec2=ec2)
    assert only(enforce(fakes)).result is Result.CREATED
    assert ec2.created == [("vpc-1", DESIRED.client_token("vpc-1", SWEEP.idempotency_key))]
    assert fakes.queue.items["vpc-1"].due == BORN + 10 + 1200


def test_new_vpc_is_deferred_for_the_grace_period_and_costs_no_call() -> None:
    """After the grace period, a retry covers it, unless it is covered already."""
    ec2 = FakeEc2(own("vpc-1", "vpc-2"))
    fakes = Fakes(ec2=ec2)
    grace = FlowLogsPolicy()
    assert only(enforce(fakes, BIRTH, policy=grace)).result is Result.PENDING
    assert enforce(fakes, RETRY, BORN + 200, grace).outcomes == ()
    assert ec2.calls == {}
    swept = enforce(fakes, SWEEP, BORN + 250, grace)
    assert [each.result for each in swept.outcomes] == [Result.PENDING, Result.CREATED]
    assert only(enforce(fakes, RETRY, BORN + 300, grace)).result is Result.CREATED
    assert ec2.asked == ["vpc-2", "vpc-1"]


@pytest.mark.parametrize(("age", "result"), [(3, Result.PENDING), (FRESH_SECONDS, Result.GONE)])
def test_a_new_vpc_that_create_flow_logs_does_not_find_is_not_gone(age: int, result: Result) -> None:
    """EC2 is eventually consistent: one API lists the VPC before another one finds it."""
    fakes = Fakes(ec2=FakeEc2(own("vpc-1"), create_faults={"vpc-1": VpcGone("InvalidVpcID.NotFound")}))
    assert only(enforce(fakes, BIRTH, BORN + age)).result is result
    assert (list(fakes.queue.items) == ["vpc-1"]) == (result is Result.PENDING)


def test_an_event_with_a_future_timestamp_does_not_extend_the_grace_period() -> None:
    """The clock of the sender may be wrong, or the event may be forged."""
    fakes, grace = Fakes(ec2=FakeEc2(own("vpc-1"))), FlowLogsPolicy()
    later = replace(BIRTH, happened_at=BORN + 10**9)
    assert only(enforce(fakes, later, policy=grace)).result is Result.PENDING
    assert only(enforce(fakes, RETRY, BORN + 400, grace)).result is Result.CREATED


def test_new_vpc_that_infrastructure_code_covers_seconds_later_is_not_changed() -> None:
    """In the stack's group it is the required flow log; elsewhere it does not count unless it can be read."""
    for policy, log_group, result in (
        (FlowLogsPolicy(), GROUP, Result.COVERED),
        (FlowLogsPolicy(), "theirs", Result.CREATED),
    ):
        ec2 = FakeEc2(own("vpc-1"))
        fakes = Fakes(ec2=ec2)
        enforce(fakes, BIRTH, policy=policy)
        theirs = existing(log_group_name=log_group, tags={}, creation_time=BORN + 5)
        ec2.existing.append(theirs)
        assert only(enforce(fakes, RETRY, BORN + 1300, policy)).result is result
        assert theirs in ec2.existing


def test_event_affects_no_other_vpc() -> None:
    """An event about one VPC does not start a sweep."""
    report = enforce(Fakes(ec2=FakeEc2(own("vpc-1", "vpc-2"))), BIRTH)
    assert [each.vpc_id for each in report.created] == ["vpc-1"]


def test_an_ignored_event_costs_no_call() -> None:
    """The event of a failed call leads to no AWS call."""
    fakes = Fakes(ec2=FakeEc2(list_fault=FORBIDDEN))
    assert enforce(fakes, Trigger(kind=RunKind.IGNORED, reason="failed")).outcomes == ()
    assert fakes.queue.reads == 0


def test_a_retry_with_nothing_pending_costs_one_read() -> None:
    """It runs every five minutes."""
    ec2 = FakeEc2(own("vpc-1"))
    fakes = Fakes(ec2=ec2)
    assert enforce(fakes, RETRY).outcomes == ()
    assert (fakes.queue.reads, fakes.queue.writes, ec2.calls) == (1, 0, {})


def test_exempt_vpc_is_not_covered_until_the_exemption_ends() -> None:
    """The outcome has the reason; the day after the exemption ends, the VPC is covered."""
    text = (
        '{"flow_logs": {"exemptions": [{"where": {"vpcs": ["vpc-1"]}, '
        '"reason": "a lab", "until": "2026-11-02"}]}}'
    )
    policy = Policy.from_json(text).flow_logs
    outcome = only(enforce(Fakes(ec2=FakeEc2(own("vpc-1"))), policy=policy))
    assert (outcome.result, outcome.reason) == (Result.EXEMPT, "exempt: a lab (until 2026-11-02)")
    next_day = BORN + 24 * 3600
    assert (
        only(enforce(Fakes(ec2=FakeEc2(own("vpc-1"))), now=next_day, policy=policy)).result is Result.CREATED
    )


def test_a_transient_failure_is_retried_and_reported_only_if_it_lasts() -> None:
    """It is pending at first and a failure after 15 minutes; the sweep reports it, but no retry does."""
    ec2 = FakeEc2(own("vpc-1"), create_faults={"vpc-1": CallFailed("InternalError")})
    fakes = Fakes(ec2=ec2)
    first = enforce(fakes)
    assert (only(first).result, first.is_news) == (Result.PENDING, False)
    later = enforce(fakes, RETRY, BORN + 10 + FAILED_AFTER_SECONDS)
    assert (only(later).result, later.is_news) == (Result.FAILED, False)
    assert enforce(fakes, SWEEP, BORN + 3600).is_news
    ec2.create_faults = {}
    assert only(enforce(fakes, RETRY, BORN + 7200)).result is Result.CREATED


def test_refusal_is_reported_by_each_sweep() -> None:
    """Without a report, the VPC would seem to be covered."""
    fakes = Fakes(ec2=FakeEc2(own("vpc-1"), create_faults={"vpc-1": FORBIDDEN}))
    for hour in range(2):
        report = enforce(fakes, now=BORN + hour * 3600)
        assert only(report).result is Result.FAILED
        assert report.is_news
    assert fakes.queue.items == {}


def test_flow_log_that_a_concurrent_run_created_counts_as_success() -> None:
    """EC2 reports that it exists, and a second observation finds the required one."""

    class Racing(FakeEc2):
        """The flow log of another run appears after the first listing."""

        def create(self, vpc_id: str, desired: DesiredFlowLog, client_token: str) -> str:
            self.existing.append(existing())
            return super().create(vpc_id, desired, client_token)

    outcome = only(enforce(Fakes(ec2=Racing(own("vpc-1")))))
    assert outcome.result is Result.COVERED
    assert outcome.flow_log_id == "fl-of-vpc-1"


def test_flow_log_that_is_never_listed_eventually_is_a_failure() -> None:
    """It is unknown whether it is the required one."""
    fakes = Fakes(ec2=FakeEc2(own("vpc-1"), late=[existing()]))
    assert only(enforce(fakes)).result is Result.PENDING
    assert only(enforce(fakes, RETRY, BORN + 10 + FAILED_AFTER_SECONDS)).result is Result.FAILED


@pytest.mark.parametrize(
    ("age", "result"),
    [(0, Result.PENDING), (FRESH_SECONDS - 1, Result.PENDING), (FRESH_SECONDS, Result.GONE)],
)
def test_a_named_vpc_that_ec2_does_not_list_is_pending_at_first_and_later_gone(
    age: int, result: Result
) -> None:
    """It is not visible yet, or it is deleted."""
    fakes = Fakes(ec2=FakeEc2())
    assert only(enforce(fakes, BIRTH, BORN + age)).result is result
    assert bool(fakes.queue.items) is (result is Result.PENDING)


def test_deleted_flow_log_that_is_still_listed_does_not_cover() -> None:
    """The event reports its deletion."""
    ec2 = FakeEc2(own("vpc-1"), [existing()], deleted_but_listed={"fl-of-vpc-1"})
    event = replace(SWEEP, deleted=("fl-of-vpc-1",), origin=ApiCaller(event_name="DeleteFlowLogs"))
    assert only(enforce(Fakes(ec2=ec2), event)).result is Result.CREATED


DELETED = replace(
    SWEEP,
    deleted=("fl-of-vpc-1",),
    origin=ApiCaller(
        event_name="DeleteFlowLogs", actor="user/eve", source_ip="203.0.113.9", credentials="key AKIA1"
    ),
)


@pytest.mark.parametrize(
    "ec2",
    [
        FakeEc2(own("vpc-1"), create_faults={"vpc-1": THROTTLED}),
        FakeEc2(own("vpc-1"), create_faults={"vpc-1": CallFailed("InternalError")}),
        # EC2 still lists the deleted flow log, and refuses an equal one.
        FakeEc2(own("vpc-1"), [existing()]),
    ],
)
def test_the_caller_of_a_deletion_is_reported_although_the_repair_is_delayed(ec2: FakeEc2) -> None:
    """The retry that creates the flow log does not know the caller."""
    fakes = Fakes(ec2=ec2)
    report = enforce(fakes, DELETED)
    assert (only(report).result, list(fakes.queue.items)) == (Result.PENDING, ["vpc-1"])
    deliver(fakes.service(AT_ONCE), report)
    (notification,) = fakes.sink.sent
    assert notification.subject.startswith("[WARNING] flow log deleted, vpc-1 not covered yet")
    assert "DeleteFlowLogs by user/eve from 203.0.113.9" in notification.text
    assert "key AKIA1" in notification.text
    assert "retried within minutes" in notification.text


def test_a_deletion_is_reported_if_time_runs_out_before_the_check() -> None:
    """The scheduled run that continues does not know the caller."""
    fakes = Fakes(ec2=FakeEc2(own("vpc-1")), clock=FakeRunClock(left=1))
    report = enforce(fakes, DELETED)
    deliver(fakes.service(AT_ONCE), report)
    (notification,) = fakes.sink.sent
    assert notification.subject.startswith("[WARNING] DeleteFlowLogs: not all VPCs checked yet")
    assert "the next scheduled run continues" in notification.text


def test_a_deletion_is_reported_whatever_follows() -> None:
    """The VPC may be covered or deleted; a sweep without a deletion reports nothing while it waits."""
    covered = enforce(Fakes(ec2=FakeEc2(own("vpc-1"), [existing(flow_log_id="fl-2")])), DELETED)
    gone = enforce(Fakes(ec2=FakeEc2(own("vpc-1"), create_faults={"vpc-1": VpcGone("gone")})), DELETED)
    swept = enforce(Fakes(ec2=FakeEc2(own("vpc-1"), create_faults={"vpc-1": THROTTLED})))
    assert [each.is_news for each in (covered, gone, swept)] == [True, True, False]


def test_failed_listing_is_reported_and_retried() -> None:
    """The state is unknown; the next retry sweeps."""
    fakes = Fakes(ec2=FakeEc2(own("vpc-1"), list_fault=CallFailed("InternalError")))
    outcome = only(enforce(fakes))
    assert (outcome.result, outcome.vpc_id, outcome.retryable) == (Result.FAILED, None, True)
    assert fakes.queue.cursor == Cursor(after="")
    fakes.ec2 = FakeEc2(own("vpc-1"))
    assert only(enforce(fakes, RETRY)).result is Result.CREATED
    assert fakes.queue.cursor is None


def waiting_fakes() -> Fakes:
    """EC2 refuses every describe call while a pending VPC is due."""
    fakes = Fakes(ec2=FakeEc2(own("vpc-1"), list_fault=FORBIDDEN))
    fakes.queue.items["vpc-1"] = WorkItem(vpc_id="vpc-1", due=BORN, reason="x")
    return fakes


def sent(fakes: Fakes, trigger: Trigger, now: int) -> int:
    """One run with its report sent; returns the total number of notifications."""
    run(fakes.service(AT_ONCE), trigger, now)
    return len(fakes.sink.sent)


def test_a_refused_listing_is_reported_once_per_window_by_retries_and_by_each_sweep() -> None:
    """A retry runs every five minutes; the queue keeps the VPC in the meantime."""
    fakes = waiting_fakes()
    assert [sent(fakes, RETRY, BORN + number * 300) for number in range(48)] == [1] * 48
    assert sent(fakes, RETRY, BORN + TERMS.suppression) == 2
    assert sent(fakes, SWEEP, BORN + TERMS.suppression + 60) == 3
    assert sent(fakes, SWEEP, BORN + TERMS.suppression + 3660) == 4
    assert sent(fakes, RETRY, BORN + TERMS.suppression + 3960) == 4
    assert list(fakes.queue.items) == ["vpc-1"]
    assert "UnauthorizedOperation" in fakes.sink.sent[0].text


def test_after_the_report_of_a_sweep_no_retry_reports_it() -> None:
    """They share the suppression window; each run still counts as failed."""
    fakes = waiting_fakes()
    assert sent(fakes, SWEEP, BORN) == 1
    assert sent(fakes, RETRY, BORN + 300) == 1
    report = enforce(fakes, RETRY, BORN + 300)
    assert (only(report).result, len(report.failures)) == (Result.FAILED, 1)


def test_a_failure_that_a_retry_does_not_report_takes_no_claim() -> None:
    """A transient failure is not reported, so a later refusal is new."""
    fakes = waiting_fakes()
    ec2 = fakes.ec2
    assert isinstance(ec2, FakeEc2)
    ec2.list_fault = CallFailed("InternalError")
    assert sent(fakes, RETRY, BORN) == 0
    ec2.list_fault = FORBIDDEN
    assert sent(fakes, RETRY, BORN + 300) == 1


def test_without_the_state_table_a_refused_listing_is_reported_by_each_event() -> None:
    """Earlier reports are unknown; a retry without the queue has nothing to check."""
    fakes = waiting_fakes()
    fakes.queue.broken = True
    assert [sent(fakes, trigger, BORN) for trigger in (BIRTH, BIRTH, RETRY)] == [1, 2, 2]


def test_unreadable_descriptions_are_reported_and_the_rest_is_checked() -> None:
    """Each sweep reports them by call; many are counted."""
    ec2 = FakeEc2(own("vpc-1"))
    ec2.unread_listed = [Unread(call="DescribeFlowLogs", what=f"fl-{number} (?)") for number in range(7)]
    ec2.unread_listed.append(Unread(call="DescribeVpcs", what="one without any id (?)"))
    report = enforce(Fakes(ec2=ec2))
    assert [each.resource for each in report.problems] == ["DescribeFlowLogs", "DescribeVpcs"]
    assert "fl-4 (?) and 2 more" in report.problems[0].summary
    assert only(report).result is Result.CREATED
    assert enforce(Fakes(ec2=FakeEc2(own("vpc-1")))).problems == ()


class Throttling(FakeEc2):
    """Accepts a number of creations, then throttles."""

    most = 2

    def create(self, vpc_id: str, desired: DesiredFlowLog, client_token: str) -> str:
        """Create, or throttle."""
        if len(self.created) >= self.most:
            raise THROTTLED
        return super().create(vpc_id, desired, client_token)


def test_throttled_sweep_continues_where_it_stopped() -> None:
    """It waits while it has time; the next retry does the rest, throttled VPCs last, and nothing twice."""
    ec2 = Throttling(own(*(f"vpc-{number}" for number in range(7))))
    fakes = Fakes(ec2=ec2, clock=FakeRunClock(left=77))
    report = enforce(fakes)
    assert report.continues
    assert [each.vpc_id for each in report.created] == ["vpc-0", "vpc-1"]
    assert [each.vpc_id for each in report.of(Result.PENDING)] == ["vpc-2", "vpc-3"]
    assert fakes.queue.cursor == Cursor(after="vpc-3")
    assert fakes.clock.waited == [1, 2, 4, 8, 16, 1, 2, 4, 8]
    ec2.most, fakes.clock.left = 7, 300
    rest = enforce(fakes, RETRY)
    assert [each.vpc_id for each in rest.created] == ["vpc-4", "vpc-5", "vpc-6", "vpc-2", "vpc-3"]
    assert fakes.queue.cursor is None
    assert len(ec2.created) == 7


def test_a_vpc_that_is_always_throttled_does_not_block_others() -> None:
    """It is requeued, tried last from then on, and reported when the throttling has lasted."""
    ec2 = FakeEc2(own("vpc-1", "vpc-2", "vpc-3"), create_faults={"vpc-1": THROTTLED})
    fakes = Fakes(ec2=ec2)
    report = enforce(fakes)
    assert [each.vpc_id for each in report.created] == ["vpc-2", "vpc-3"]
    assert (report.of(Result.PENDING)[0].vpc_id, report.continues) == ("vpc-1", False)
    assert fakes.clock.waited == [1, 2, 4, 8, 16]
    assert "vpc-1" in fakes.queue.items
    ec2.vpcs_listed += own("vpc-4")
    fakes.clock.left = 300
    again = enforce(fakes, SWEEP, BORN + 3600)
    assert [each.vpc_id for each in again.outcomes][-2:] == ["vpc-4", "vpc-1"]
    assert (again.outcomes[-1].result, again.outcomes[-1].retryable) == (Result.FAILED, True)


@pytest.mark.parametrize(("left", "runs"), [(92, 20), (300, 8)])
def test_a_fully_throttled_sweep_ends_and_the_retries_try_each_vpc_in_turn(left: int, runs: int) -> None:
    """However short a run is, all VPCs are tried before any is retried, and each equally often."""
    ec2 = Throttling(own(*(f"vpc-{number:02}" for number in range(20))))
    ec2.most = 0
    fakes = Fakes(ec2=ec2)
    tried: list[str] = []
    for number in range(runs):
        fakes.clock.left = left
        trigger = RETRY if number else SWEEP
        tried += [each.vpc_id or "" for each in enforce(fakes, trigger, BORN + 10 + number * 300).outcomes]
    assert fakes.clock.left > 0
    assert tried[:20] == [f"vpc-{number:02}" for number in range(20)]
    assert min(Counter(tried).values()) >= len(tried) // 20 // 2
    assert len(tried) >= 60


def test_a_throttled_vpc_that_cannot_be_requeued_is_left_to_lambda() -> None:
    """The other VPCs are still covered."""
    ec2 = FakeEc2(own("vpc-1", "vpc-2"), create_faults={"vpc-1": THROTTLED})
    service = Fakes(ec2=ec2, queue=FakeWorkQueue(broken=True)).service(AT_ONCE)
    report = service.reconcile(SWEEP, BORN)
    assert [each.vpc_id for each in report.created] == ["vpc-2"]
    with pytest.raises(EnforcementIncomplete, match="vpc-1"):
        deliver(service, report)


def test_a_quota_is_not_throttling() -> None:
    """It is tried once per sweep and reported immediately with the remedy; the sweep continues."""
    full = classify("CreateFlowLogs", "FlowLogLimitExceeded", "The maximum number has been reached")
    fakes = Fakes(ec2=FakeEc2(own("vpc-1", "vpc-2"), create_faults={"vpc-1": full}))
    report = enforce(fakes)
    assert [each.result for each in report.outcomes] == [Result.FAILED, Result.CREATED]
    assert (
        "the quota of flow logs per resource is reached: delete duplicate and unused flow logs"
        in report.outcomes[0].reason
    )
    assert report.is_news
    assert (fakes.clock.waited, list(fakes.queue.items)) == ([], ["vpc-2"])


def test_a_log_group_quota_is_reported_and_does_not_block_flow_logs() -> None:
    """The report lists it as requiring action."""
    fakes = Fakes(ec2=FakeEc2(own("vpc-1")))
    fakes.groups.there = {}
    fakes.groups.carry_out_fault = classify("CreateLogGroup", "LimitExceededException", "no more")
    report = enforce(fakes)
    assert "a quota of CloudWatch Logs is reached" in report.problems[0].summary
    assert (fakes.clock.waited, len(report.created)) == ([], 1)


@pytest.mark.parametrize(
    ("fault", "result"),
    [
        (None, Result.ROLLED_BACK),
        (FORBIDDEN, Result.ROLLED_BACK),
        (CallFailed("InternalError"), Result.PENDING),
        (NotFound("InvalidFlowLogId.NotFound"), Result.PENDING),
    ],
)
def test_a_rollback_marks_the_old_flow_log_first(fault: EnforcementError | None, result: Result) -> None:
    """If tagging is refused, the queue stores the hold; if the old one is gone, the new one stays for now."""
    alternate = DESIRED.alternate_destination
    assert alternate is not None
    new = wanted("fl-new", "vpc-1", alternate, BORN - 9999)
    ec2 = FakeEc2(own("vpc-1"), [existing(log_format="${version}"), new], tag_fault=fault)
    ec2.fail("fl-new")
    fakes = Fakes(ec2=ec2)
    assert only(enforce(fakes)).result is result
    rolled_back = result is Result.ROLLED_BACK
    assert ec2.deleted == (["fl-new"] if rolled_back else [])
    assert bool(fakes.queue.items["vpc-1"].backoff_configuration) is rolled_back
    assert [named for named, _ in ec2.tagged] == ([("fl-of-vpc-1",)] if fault is None else [])


def test_one_failed_verification_is_not_a_lasting_failure() -> None:
    """The time spent waiting for verification does not count."""
    alternate = DESIRED.alternate_destination
    assert alternate is not None
    ec2 = FakeEc2(
        own("vpc-1"),
        [existing(log_format="${version}"), wanted("fl-new", "vpc-1", alternate, BORN - 9999)],
        delete_fault=CallFailed("InternalError"),
    )
    fakes = Fakes(ec2=ec2)
    fakes.queue.items["vpc-1"] = WorkItem(vpc_id="vpc-1", due=BORN - 8000, reason="to be verified")
    assert only(enforce(fakes)).result is Result.PENDING
    assert only(enforce(fakes, SWEEP, BORN + 3600)).result is Result.FAILED


def test_a_run_without_time_stops_before_it_is_terminated() -> None:
    """The position is stored: no VPC is completed yet."""
    fakes = Fakes(ec2=FakeEc2(own("vpc-1", "vpc-2")), clock=FakeRunClock(left=10))
    report = enforce(fakes)
    assert (report.outcomes, report.continues) == ((), True)
    assert fakes.queue.cursor == Cursor(after="")


def test_event_without_time_is_deferred() -> None:
    """The next retry covers the VPC."""
    ec2 = Throttling(own("vpc-1"))
    ec2.most = 0
    fakes = Fakes(ec2=ec2)
    assert only(enforce(fakes, BIRTH)).result is Result.PENDING
    ec2.most, fakes.clock.left = 1, 300
    assert only(enforce(fakes, RETRY)).result is Result.CREATED


def test_without_the_state_table_new_vpcs_are_covered_immediately() -> None:
    """No later run would know of them; the rest is left to Lambda's retry."""
    fakes = Fakes(ec2=FakeEc2(own("vpc-1")), queue=FakeWorkQueue(broken=True))
    assert only(enforce(fakes, BIRTH, policy=FlowLogsPolicy())).result is Result.CREATED
    fakes = Fakes(
        ec2=FakeEc2(own("vpc-1"), create_faults={"vpc-1": CallFailed("x")}), queue=FakeWorkQueue(broken=True)
    )
    service = fakes.service(AT_ONCE)
    with pytest.raises(EnforcementIncomplete, match="vpc-1"):
        run(service, BIRTH, BORN)


def test_without_the_state_table_an_unfinished_sweep_is_left_to_lambda() -> None:
    """Lambda's retry skips completed VPCs; a sweep with a stored position needs no such retry."""
    ec2 = FakeEc2(own("vpc-1", "vpc-2"))
    fakes = Fakes(ec2=ec2, queue=FakeWorkQueue(broken=True))
    service = fakes.service(AT_ONCE)
    fakes.clock.left = 20
    report = service.reconcile(SWEEP, BORN)
    with pytest.raises(EnforcementIncomplete, match="time ran out"):
        deliver(service, report)
    fakes.clock.left = 300
    report = service.reconcile(SWEEP, BORN + 60)
    deliver(service, report, BORN + 60)
    assert len(report.created) == 2
    fakes = Fakes(ec2=FakeEc2(own("vpc-1", "vpc-2")))
    fakes.clock.left = 20
    report = fakes.service(AT_ONCE).reconcile(SWEEP, BORN)
    deliver(fakes.service(AT_ONCE), report)
    assert (report.continues, fakes.queue.cursor) == (True, Cursor(after=""))


def test_without_evidence_nothing_is_deleted() -> None:
    """The delivery of the replacement is not verified."""
    old = existing(log_format="${version}", creation_time=BORN - 9999)
    alternate = DESIRED.alternate_destination
    assert alternate is not None
    new = wanted("fl-new", "vpc-1", alternate, BORN - 9999)
    ec2 = FakeEc2(own("vpc-1"), [old, new], [NetworkInterface(interface_id="eni-0a", vpc_id="vpc-1")])
    fakes = Fakes(ec2=ec2)
    fakes.evidence.is_away = True
    assert only(enforce(fakes)).result is Result.PENDING
    assert ec2.deleted == []


def test_compliant_vpcs_cost_no_call_beyond_the_listings() -> None:
    """A thousand of them cost the same as one."""
    for number in (1, 1000):
        vpcs = own(*(f"vpc-{each:08x}" for each in range(number)))
        ec2 = FakeEc2(vpcs, [existing(vpc.vpc_id, creation_time=1) for vpc in vpcs])
        fakes = Fakes(ec2=ec2)
        report = enforce(fakes)
        assert len(report.of(Result.COVERED)) == number
        assert ec2.calls == {"DescribeVpcs": 1, "DescribeFlowLogs": 1, "DescribeNetworkInterfaces": 1}
        assert fakes.queue.writes == 0


def test_the_sweep_repairs_and_reports_log_group_and_subscription() -> None:
    """The retention was too short and the subscription missing; a second sweep finds nothing."""
    fakes = Fakes(ec2=FakeEc2(own("vpc-1"), [existing()]))
    fakes.groups.there = {GROUP: LogGroup(name=GROUP, retention_days=1)}
    report = enforce(fakes)
    assert [each.summary for each in report.remediations] == [
        "retention was 1 day; required: 30 days",
        "subscription filter flow-warden was missing; required: every line to the monitor",
        "the log group was not protected from deletion",
    ]
    assert report.is_news
    assert enforce(fakes).remediations == ()


def test_another_stack_with_the_same_name_prefix_is_not_changed() -> None:
    """Neither its log group nor its flow log counts as managed, and its silence is not reported."""
    theirs = replace(STACK, stack_name="flow-warden-2", log_group_name=f"{GROUP}-2")
    flow_log = wanted("fl-theirs", "vpc-1", resolved(FlowLogSpec(), theirs), 1)
    interface = NetworkInterface(interface_id="eni-0a", vpc_id="vpc-1")
    ec2 = FakeEc2(own("vpc-1"), [flow_log], [interface])
    fakes = Fakes(ec2=ec2)
    fakes.groups.there[theirs.log_group_name] = LogGroup(name=theirs.log_group_name)
    report = enforce(fakes)
    assert (only(report).result, report.remediations, ec2.deleted) == (Result.CREATED, (), [])


def test_log_groups_with_suffixes_of_the_policy_are_maintained() -> None:
    """The service's stack knows them, so events about them count."""
    text = '{"flow_logs": {"default": {"log_group_suffix": "pci"}}}'
    fakes = Fakes(ec2=FakeEc2(own("vpc-1")))
    policy = Policy.from_json(text).flow_logs
    assert fakes.service(policy).stack.keeps(f"{GROUP}-pci")
    assert not fakes.service().stack.keeps(f"{GROUP}-pci")
    enforce(fakes, policy=replace(policy, grace_minutes=0))
    assert f"{GROUP}-pci" in fakes.groups.there


def test_log_group_that_cannot_be_repaired_is_reported_and_does_not_block_flow_logs() -> None:
    """One failure does not block other steps."""
    fakes = Fakes(ec2=FakeEc2(own("vpc-1")))
    fakes.groups.fault = FORBIDDEN
    report = enforce(fakes)
    assert [each.applied for each in report.remediations] == [False]
    assert len(report.created) == 1


def test_the_sweep_reports_a_broken_delivery_role() -> None:
    """The report has the remedy; the enforcer changes no role."""
    fakes = Fakes(ec2=FakeEc2(), roles=FakeRoles(None))
    (trouble,) = enforce(fakes).problems
    assert "does not exist" in trouble.summary
    assert "redeploy the stack flow-warden" in trouble.summary


@pytest.mark.parametrize("fault", [FORBIDDEN, CallFailed("InternalError")])
def test_unreadable_delivery_role_is_reported_and_not_called_broken(fault: EnforcementError) -> None:
    """Its permissions are unknown."""
    fakes = Fakes(ec2=FakeEc2(own("vpc-1")), roles=FakeRoles(fault=fault))
    report = enforce(fakes)
    (trouble,) = report.problems
    assert trouble.summary == f"could not be read: {fault}"
    assert len(report.created) == 1


def test_dry_run_plans_and_changes_nothing() -> None:
    """It neither stores nor sends anything."""
    ec2 = FakeEc2(own("vpc-1"))
    fakes = Fakes(ec2=ec2)
    fakes.groups.there = {}
    service = fakes.service(AT_ONCE, dry_run=True)
    report = service.reconcile(SWEEP, BORN)
    deliver(service, report)
    assert [type(step).__name__ for step in report.plans[0].steps] == ["Create", "Verify"]
    assert [type(step).__name__ for step in report.log_group_steps] == [
        "CreateLogGroup",
        "PutRetentionPolicy",
        "PutSubscriptionFilter",
        "ProtectLogGroup",
    ]
    assert (ec2.asked, fakes.groups.done, fakes.queue.writes, fakes.sink.sent) == ([], [], 0, [])


def test_dry_run_plans_for_a_new_vpc_after_its_grace_period() -> None:
    """No later run would show it; a real run only defers the VPC."""
    ec2 = FakeEc2(own("vpc-1", "vpc-2"))
    fakes = Fakes(ec2=ec2)
    report = fakes.service(FlowLogsPolicy(), dry_run=True).reconcile(BIRTH, BORN + 10)
    (plan,) = report.plans
    (wait,) = plan.steps
    assert isinstance(wait, Wait)
    assert (wait.vpc_id, wait.after) == ("vpc-1", 290)
    assert [type(step).__name__ for step in wait.then] == ["Create", "Verify"]
    text = plan_output.as_text(report)
    assert "  1. wait 4 min: has no flow log; the VPC is new" in text
    assert f"  2. create a flow log for ALL traffic to {GROUP}" in text
    # Without active interfaces, the estimate would be 0.00, which would read like an exact price.
    assert "Added cost: less than 0.01 USD a month" in text
    assert "0.00" not in text
    assert (ec2.asked, fakes.queue.items) == ([], {})
    assert enforce(fakes, BIRTH, BORN + 10, FlowLogsPolicy()).plans == ()


def test_dry_run_does_not_continue_a_real_sweep() -> None:
    """Each dry sweep shows deferred work once; a dry retry shows nothing and costs nothing."""
    ec2 = FakeEc2(own("vpc-1", "vpc-2"))
    fakes = Fakes(ec2=ec2)
    fakes.queue.cursor = Cursor(after="vpc-1")
    fakes.queue.items["vpc-1"] = WorkItem(vpc_id="vpc-1", due=BORN - 999, reason="throttled")
    service = fakes.service(AT_ONCE, dry_run=True)
    for _ in range(2):
        assert service.reconcile(RETRY, BORN).plans == ()
    assert (ec2.calls, fakes.queue.reads) == ({}, 0)
    for _ in range(2):
        swept = service.reconcile(SWEEP, BORN)
        assert [each.verdict.vpc_id for each in swept.plans] == ["vpc-1", "vpc-2"]
    assert fakes.queue.writes == 0


def test_report_that_cannot_be_sent_is_raised() -> None:
    """Lambda retries; the retry finds the flow log created since the event and reports it."""
    ec2 = FakeEc2(own("vpc-1"), clock=BORN + 5)
    fakes = Fakes(ec2=ec2)
    fakes.sink.away = True
    service = fakes.service(AT_ONCE)
    with pytest.raises(PublishFailed):
        deliver(service, service.reconcile(BIRTH, BORN + 10), BORN + 10)
    fakes.sink.away = False
    again = service.reconcile(BIRTH, BORN + 70)
    assert (only(again).result, only(again).earlier) == (Result.CREATED, True)
    deliver(service, again, BORN + 70)
    assert len(fakes.sink.sent) == 1


def test_exemption_by_tag_applies_to_tagged_vpcs() -> None:
    """It applies to no other VPC."""
    policy = FlowLogsPolicy(
        grace_minutes=0, exemptions=(Exemption(where=Selection(tags={"lab": "*"}), reason="a lab"),)
    )
    vpcs = [replace(own("vpc-1")[0], tags={"lab": "x"}), own("vpc-2")[0]]
    report = enforce(Fakes(ec2=FakeEc2(vpcs)), policy=policy)
    assert [each.result for each in report.outcomes] == [Result.EXEMPT, Result.CREATED]


def test_pending_vpc_that_is_deleted_leaves_the_queue() -> None:
    """There is nothing to cover, and this is no error."""
    fakes = Fakes(ec2=FakeEc2())
    fakes.queue.items["vpc-1"] = WorkItem(vpc_id="vpc-1", due=BORN, reason="x")
    assert only(enforce(fakes, RETRY)).result is Result.GONE
    assert fakes.queue.items == {}


def test_a_conflicting_flow_log_is_named() -> None:
    """EC2 refuses the creation, and nothing is deleted."""

    class Refusing(FakeEc2):
        """Another party creates a REJECT flow log into the stack's group just before the enforcer."""

        def flow_logs(self, resource_ids: Sequence[str] | None) -> Iterator[FlowLog]:
            """The second listing finds it."""
            listed = super().flow_logs(resource_ids)
            return listed if resource_ids is not None else iter(())

    ec2 = Refusing(own("vpc-1"), [existing(traffic_type="REJECT", tags={})])
    outcome = only(enforce(Fakes(ec2=ec2)))
    assert outcome.result is Result.CONFLICT
    assert "fl-of-vpc-1 (traffic type REJECT, not ALL)" in outcome.reason
    assert ec2.deleted == []
