"""What a run of the enforcer does about every way in which AWS can answer."""

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
from flowwarden.enforcer.work_queue import PATIENCE_SECONDS, Cursor, WorkItem
from flowwarden.errors import (
    CallFailed,
    EnforcementError,
    EnforcementIncomplete,
    NotThere,
    PublishFailed,
    VpcGone,
)
from flowwarden.network.interface import NetworkInterface
from flowwarden.policy.flow_logs import Exemption, FlowLogSpec, FlowLogsPolicy, Selection
from flowwarden.policy.policy import Policy
from tests.enforcer.fakes import GROUP, STACK, TERMS, FakePace, FakeRoles, Fakes, FakeWorkQueue
from tests.enforcer.fakes_ec2 import FakeEc2, wanted
from tests.enforcer.runs import (
    AT_ONCE,
    BIRTH,
    BORN,
    DESIRED,
    FORBIDDEN,
    LOOK,
    SWEEP,
    THROTTLED,
    deliver,
    enforce,
    existing,
    only,
    own,
    run,
)


def test_uncovered_vpc_gets_its_flow_log_and_is_looked_at_again() -> None:
    """The token is of VPC, configuration and occasion; delivery is verified by a scheduled look."""
    ec2 = FakeEc2(own("vpc-1"))
    fakes = Fakes(ec2=ec2)
    assert only(enforce(fakes)).result is Result.CREATED
    assert ec2.created == [("vpc-1", DESIRED.client_token("vpc-1", SWEEP.idempotency_key))]
    assert fakes.queue.items["vpc-1"].due == BORN + 10 + 1200


def test_new_vpc_is_left_to_whoever_made_it_and_costs_no_call_meanwhile() -> None:
    """Until the grace is over; then a look covers it, unless somebody did."""
    ec2 = FakeEc2(own("vpc-1", "vpc-2"))
    fakes = Fakes(ec2=ec2)
    grace = FlowLogsPolicy()
    assert only(enforce(fakes, BIRTH, policy=grace)).result is Result.PENDING
    assert enforce(fakes, LOOK, BORN + 200, grace).outcomes == ()
    assert ec2.calls == {}
    swept = enforce(fakes, SWEEP, BORN + 250, grace)
    assert [each.result for each in swept.outcomes] == [Result.PENDING, Result.CREATED]
    assert only(enforce(fakes, LOOK, BORN + 300, grace)).result is Result.CREATED
    assert ec2.asked == ["vpc-2", "vpc-1"]


@pytest.mark.parametrize(("age", "result"), [(3, Result.PENDING), (FRESH_SECONDS, Result.GONE)])
def test_a_newborn_vpc_that_the_creating_call_does_not_know_is_not_gone(age: int, result: Result) -> None:
    """One part of EC2 lists it, another one has not heard of it yet."""
    fakes = Fakes(ec2=FakeEc2(own("vpc-1"), create_faults={"vpc-1": VpcGone("InvalidVpcID.NotFound")}))
    assert only(enforce(fakes, BIRTH, BORN + age)).result is result
    assert (list(fakes.queue.items) == ["vpc-1"]) == (result is Result.PENDING)


def test_an_event_from_the_future_excuses_its_vpc_no_longer_than_any_other() -> None:
    """Whoever's clock is wrong, or who makes one up."""
    fakes, grace = Fakes(ec2=FakeEc2(own("vpc-1"))), FlowLogsPolicy()
    later = replace(BIRTH, happened_at=BORN + 10**9)
    assert only(enforce(fakes, later, policy=grace)).result is Result.PENDING
    assert only(enforce(fakes, LOOK, BORN + 400, grace)).result is Result.CREATED


def test_new_vpc_that_infrastructure_code_covers_five_seconds_later_is_left_alone() -> None:
    """Into our group it is the wanted one; elsewhere it is enough only if policy says so."""
    for policy, log_group, result in (
        (FlowLogsPolicy(), GROUP, Result.COVERED),
        (FlowLogsPolicy(foreign="enough"), "theirs", Result.COVERED),
        (FlowLogsPolicy(), "theirs", Result.CREATED),
    ):
        ec2 = FakeEc2(own("vpc-1"))
        fakes = Fakes(ec2=ec2)
        enforce(fakes, BIRTH, policy=policy)
        theirs = existing(log_group_name=log_group, tags={}, creation_time=BORN + 5)
        ec2.existing.append(theirs)
        assert only(enforce(fakes, LOOK, BORN + 1300, policy)).result is result
        assert theirs in ec2.existing


def test_event_touches_no_other_vpc() -> None:
    """An event about one VPC is no sweep."""
    report = enforce(Fakes(ec2=FakeEc2(own("vpc-1", "vpc-2"))), BIRTH)
    assert [each.vpc_id for each in report.created] == ["vpc-1"]


def test_nothing_is_asked_for_an_event_that_concerns_nothing() -> None:
    """A failed call costs no call to AWS."""
    fakes = Fakes(ec2=FakeEc2(list_fault=FORBIDDEN))
    assert enforce(fakes, Trigger(kind=RunKind.IGNORED, reason="failed")).outcomes == ()
    assert fakes.queue.reads == 0


def test_a_look_with_nothing_pending_is_one_read() -> None:
    """It comes every five minutes."""
    ec2 = FakeEc2(own("vpc-1"))
    fakes = Fakes(ec2=ec2)
    assert enforce(fakes, LOOK).outcomes == ()
    assert (fakes.queue.reads, fakes.queue.writes, ec2.calls) == (1, 0, {})


def test_exempt_vpc_needs_none_until_its_day_is_over() -> None:
    """The reason is told; and the day after, it is covered."""
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


def test_what_may_pass_is_put_off_and_told_only_when_it_lasts() -> None:
    """First pending; a failure after a quarter of an hour; and no look tells it, but the sweep does."""
    ec2 = FakeEc2(own("vpc-1"), create_faults={"vpc-1": CallFailed("InternalError")})
    fakes = Fakes(ec2=ec2)
    first = enforce(fakes)
    assert (only(first).result, first.is_news) == (Result.PENDING, False)
    later = enforce(fakes, LOOK, BORN + 10 + PATIENCE_SECONDS)
    assert (only(later).result, later.is_news) == (Result.FAILED, False)
    assert enforce(fakes, SWEEP, BORN + 3600).is_news
    ec2.create_faults = {}
    assert only(enforce(fakes, LOOK, BORN + 7200)).result is Result.CREATED


def test_refusal_is_told_by_each_sweep() -> None:
    """Silence would look like peace."""
    fakes = Fakes(ec2=FakeEc2(own("vpc-1"), create_faults={"vpc-1": FORBIDDEN}))
    for hour in range(2):
        report = enforce(fakes, now=BORN + hour * 3600)
        assert only(report).result is Result.FAILED
        assert report.is_news
    assert fakes.queue.items == {}


def test_flow_log_that_another_run_made_meanwhile_is_success() -> None:
    """EC2 says it exists, and a second look finds the wanted one."""

    class Racing(FakeEc2):
        """Another run's flow log appears after the first look."""

        def create(self, vpc_id: str, desired: DesiredFlowLog, client_token: str) -> str:
            self.existing.append(existing())
            return super().create(vpc_id, desired, client_token)

    outcome = only(enforce(Fakes(ec2=Racing(own("vpc-1")))))
    assert outcome.result is Result.COVERED
    assert outcome.flow_log_id == "fl-of-vpc-1"


def test_flow_log_that_stays_hidden_is_a_failure_in_the_end() -> None:
    """Nobody can say yet that it is the wanted one."""
    fakes = Fakes(ec2=FakeEc2(own("vpc-1"), late=[existing()]))
    assert only(enforce(fakes)).result is Result.PENDING
    assert only(enforce(fakes, LOOK, BORN + 10 + PATIENCE_SECONDS)).result is Result.FAILED


@pytest.mark.parametrize(
    ("age", "result"),
    [(0, Result.PENDING), (FRESH_SECONDS - 1, Result.PENDING), (FRESH_SECONDS, Result.GONE)],
)
def test_named_vpc_that_ec2_does_not_show(age: int, result: Result) -> None:
    """Not yet, or not any more."""
    fakes = Fakes(ec2=FakeEc2())
    assert only(enforce(fakes, BIRTH, BORN + age)).result is result
    assert bool(fakes.queue.items) is (result is Result.PENDING)


def test_deleted_flow_log_that_is_listed_still_does_not_cover() -> None:
    """The event says that it is gone."""
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
        # EC2 lists what was deleted, and refuses its twin.
        FakeEc2(own("vpc-1"), [existing()]),
    ],
)
def test_who_deleted_a_flow_log_is_told_at_once_though_its_repair_is_put_off(ec2: FakeEc2) -> None:
    """The look that creates it does not know."""
    fakes = Fakes(ec2=ec2)
    report = enforce(fakes, DELETED)
    assert (only(report).result, list(fakes.queue.items)) == (Result.PENDING, ["vpc-1"])
    deliver(fakes.service(AT_ONCE), report)
    (told,) = fakes.sink.sent
    assert told.subject.startswith("[WARNING] flow log deleted, vpc-1 not covered yet")
    assert "DeleteFlowLogs by user/eve from 203.0.113.9" in told.text
    assert "key AKIA1" in told.text
    assert "retried within minutes" in told.text


def test_a_deletion_that_there_was_no_time_to_look_into_is_told() -> None:
    """A scheduled look goes on, and does not know who it was."""
    fakes = Fakes(ec2=FakeEc2(own("vpc-1")), pace=FakePace(left=1))
    report = enforce(fakes, DELETED)
    deliver(fakes.service(AT_ONCE), report)
    (told,) = fakes.sink.sent
    assert told.subject.startswith("[WARNING] DeleteFlowLogs: not all VPCs checked yet")
    assert "the next scheduled run continues" in told.text


def test_a_deletion_after_which_nothing_is_missing_is_no_news() -> None:
    """Neither is one whose VPC is gone, nor a sweep whose creation is put off."""
    covered = enforce(Fakes(ec2=FakeEc2(own("vpc-1"), [existing(flow_log_id="fl-2")])), DELETED)
    gone = enforce(Fakes(ec2=FakeEc2(own("vpc-1"), create_faults={"vpc-1": VpcGone("gone")})), DELETED)
    swept = enforce(Fakes(ec2=FakeEc2(own("vpc-1"), create_faults={"vpc-1": THROTTLED})))
    assert [each.is_news for each in (covered, gone, swept)] == [False] * 3


def test_listing_that_fails_is_told_and_tried_again() -> None:
    """Nothing can be said; the next look sweeps."""
    fakes = Fakes(ec2=FakeEc2(own("vpc-1"), list_fault=CallFailed("InternalError")))
    outcome = only(enforce(fakes))
    assert (outcome.result, outcome.vpc_id, outcome.retryable) == (Result.FAILED, None, True)
    assert fakes.queue.cursor == Cursor(after="")
    fakes.ec2 = FakeEc2(own("vpc-1"))
    assert only(enforce(fakes, LOOK)).result is Result.CREATED
    assert fakes.queue.cursor is None


def waiting_fakes() -> Fakes:
    """EC2 refuses every description while a VPC is pending, and its time has come."""
    fakes = Fakes(ec2=FakeEc2(own("vpc-1"), list_fault=FORBIDDEN))
    fakes.queue.items["vpc-1"] = WorkItem(vpc_id="vpc-1", due=BORN, reason="x")
    return fakes


def sent(fakes: Fakes, trigger: Trigger, now: int) -> int:
    """One run, sent; how many notifications there are then."""
    run(fakes.service(AT_ONCE), trigger, now)
    return len(fakes.sink.sent)


def test_a_refused_description_is_told_once_in_a_window_by_looks_and_by_each_sweep() -> None:
    """A look comes every five minutes; nothing is forgotten meanwhile."""
    fakes = waiting_fakes()
    assert [sent(fakes, LOOK, BORN + look * 300) for look in range(48)] == [1] * 48
    assert sent(fakes, LOOK, BORN + TERMS.quiet) == 2
    assert sent(fakes, SWEEP, BORN + TERMS.quiet + 60) == 3
    assert sent(fakes, SWEEP, BORN + TERMS.quiet + 3660) == 4
    assert sent(fakes, LOOK, BORN + TERMS.quiet + 3960) == 4
    assert list(fakes.queue.items) == ["vpc-1"]
    assert "UnauthorizedOperation" in fakes.sink.sent[0].text


def test_after_a_sweep_has_told_it_no_look_does() -> None:
    """They share the turn; and each counts as a failure all the same."""
    fakes = waiting_fakes()
    assert sent(fakes, SWEEP, BORN) == 1
    assert sent(fakes, LOOK, BORN + 300) == 1
    report = enforce(fakes, LOOK, BORN + 300)
    assert (only(report).result, len(report.failures)) == (Result.FAILED, 1)


def test_a_failure_that_no_look_tells_takes_no_turn() -> None:
    """It may pass; the refusal after it has not been told."""
    fakes = waiting_fakes()
    ec2 = fakes.ec2
    assert isinstance(ec2, FakeEc2)
    ec2.list_fault = CallFailed("InternalError")
    assert sent(fakes, LOOK, BORN) == 0
    ec2.list_fault = FORBIDDEN
    assert sent(fakes, LOOK, BORN + 300) == 1


def test_without_the_state_table_a_refused_description_is_told_by_each_event() -> None:
    """Nobody knows what was told; a look without the list has nothing to look at."""
    fakes = waiting_fakes()
    fakes.queue.broken = True
    assert [sent(fakes, trigger, BORN) for trigger in (BIRTH, BIRTH, LOOK)] == [1, 2, 2]


def test_what_could_not_be_read_is_told_and_the_rest_is_looked_at() -> None:
    """By each sweep, each call by itself; many are counted."""
    ec2 = FakeEc2(own("vpc-1"))
    ec2.unread_listed = [Unread(call="DescribeFlowLogs", what=f"fl-{number} (?)") for number in range(7)]
    ec2.unread_listed.append(Unread(call="DescribeVpcs", what="one without any id (?)"))
    report = enforce(Fakes(ec2=ec2))
    assert [each.resource for each in report.troubles] == ["DescribeFlowLogs", "DescribeVpcs"]
    assert "fl-4 (?) and 2 more" in report.troubles[0].summary
    assert only(report).result is Result.CREATED
    assert enforce(Fakes(ec2=FakeEc2(own("vpc-1")))).troubles == ()


class Throttling(FakeEc2):
    """Takes so many creations, then throttles."""

    most = 2

    def create(self, vpc_id: str, desired: DesiredFlowLog, client_token: str) -> str:
        """Create, or throttle."""
        if len(self.created) >= self.most:
            raise THROTTLED
        return super().create(vpc_id, desired, client_token)


def test_throttled_sweep_goes_on_where_it_stopped() -> None:
    """It waits while it has time; the next look does the rest, what was tried already last, nothing twice."""
    ec2 = Throttling(own(*(f"vpc-{number}" for number in range(7))))
    fakes = Fakes(ec2=ec2, pace=FakePace(left=77))
    report = enforce(fakes)
    assert report.goes_on
    assert [each.vpc_id for each in report.created] == ["vpc-0", "vpc-1"]
    assert [each.vpc_id for each in report.of(Result.PENDING)] == ["vpc-2", "vpc-3"]
    assert fakes.queue.cursor == Cursor(after="vpc-3")
    assert fakes.pace.waited == [1, 2, 4, 8, 16, 1, 2, 4, 8]
    ec2.most, fakes.pace.left = 7, 300
    rest = enforce(fakes, LOOK)
    assert [each.vpc_id for each in rest.created] == ["vpc-4", "vpc-5", "vpc-6", "vpc-2", "vpc-3"]
    assert fakes.queue.cursor is None
    assert len(ec2.created) == 7


def test_a_vpc_that_is_always_throttled_keeps_no_other_from_its_flow_log() -> None:
    """It is put back, remembered, tried last from then on, and told when that has lasted."""
    ec2 = FakeEc2(own("vpc-1", "vpc-2", "vpc-3"), create_faults={"vpc-1": THROTTLED})
    fakes = Fakes(ec2=ec2)
    report = enforce(fakes)
    assert [each.vpc_id for each in report.created] == ["vpc-2", "vpc-3"]
    assert (report.of(Result.PENDING)[0].vpc_id, report.goes_on) == ("vpc-1", False)
    assert fakes.pace.waited == [1, 2, 4, 8, 16]
    assert "vpc-1" in fakes.queue.items
    ec2.vpcs_listed += own("vpc-4")
    fakes.pace.left = 300
    again = enforce(fakes, SWEEP, BORN + 3600)
    assert [each.vpc_id for each in again.outcomes][-2:] == ["vpc-4", "vpc-1"]
    assert (again.outcomes[-1].result, again.outcomes[-1].retryable) == (Result.FAILED, True)


@pytest.mark.parametrize("left", [92, 300])
def test_a_sweep_in_which_all_is_throttled_ends_and_the_looks_try_each_in_turn(left: int) -> None:
    """However little time a run has: all are tried before any is tried again, and each as often."""
    ec2 = Throttling(own(*(f"vpc-{number:02}" for number in range(20))))
    ec2.most = 0
    fakes = Fakes(ec2=ec2)
    tried: list[str] = []
    for number in range(20):
        fakes.pace.left = left
        trigger = LOOK if number else SWEEP
        tried += [each.vpc_id or "" for each in enforce(fakes, trigger, BORN + 10 + number * 300).outcomes]
    assert fakes.pace.left > 0
    assert tried[:20] == [f"vpc-{number:02}" for number in range(20)]
    assert min(Counter(tried).values()) >= len(tried) // 20 // 2
    assert len(tried) >= 60


def test_a_throttled_vpc_that_nobody_can_remember_is_left_to_lambda() -> None:
    """The others are served all the same."""
    ec2 = FakeEc2(own("vpc-1", "vpc-2"), create_faults={"vpc-1": THROTTLED})
    service = Fakes(ec2=ec2, queue=FakeWorkQueue(broken=True)).service(AT_ONCE)
    report = service.reconcile(SWEEP, BORN)
    assert [each.vpc_id for each in report.created] == ["vpc-2"]
    with pytest.raises(EnforcementIncomplete, match="vpc-1"):
        deliver(service, report)


def test_a_quota_is_no_throttle() -> None:
    """It is tried once a sweep, told at once with what to do, and the sweep goes on."""
    full = classify("CreateFlowLogs", "FlowLogLimitExceeded", "The maximum number has been reached")
    fakes = Fakes(ec2=FakeEc2(own("vpc-1", "vpc-2"), create_faults={"vpc-1": full}))
    report = enforce(fakes)
    assert [each.result for each in report.outcomes] == [Result.FAILED, Result.CREATED]
    assert "the quota of flow logs per resource is used up: delete duplicates" in report.outcomes[0].reason
    assert report.is_news
    assert (fakes.pace.waited, list(fakes.queue.items)) == ([], ["vpc-2"])


def test_a_quota_of_log_groups_is_told_and_keeps_no_vpc_from_its_flow_log() -> None:
    """As what needs somebody."""
    fakes = Fakes(ec2=FakeEc2(own("vpc-1")))
    fakes.groups.there = {}
    fakes.groups.carry_out_fault = classify("CreateLogGroup", "LimitExceededException", "no more")
    report = enforce(fakes)
    assert "a quota of CloudWatch Logs is used up" in report.troubles[0].summary
    assert (fakes.pace.waited, len(report.created)) == ([], 1)


@pytest.mark.parametrize(
    ("fault", "result"),
    [
        (None, Result.ROLLED_BACK),
        (FORBIDDEN, Result.ROLLED_BACK),
        (CallFailed("InternalError"), Result.PENDING),
        (NotThere("InvalidFlowLogId.NotFound"), Result.PENDING),
    ],
)
def test_a_rollback_marks_the_old_flow_log_first(fault: EnforcementError | None, result: Result) -> None:
    """If that is forbidden the list remembers it; if the old one is gone, the new one stays for now."""
    beside = DESIRED.alternate_destination
    assert beside is not None
    new = wanted("fl-new", "vpc-1", beside, BORN - 9999)
    ec2 = FakeEc2(own("vpc-1"), [existing(log_format="${version}"), new], tag_fault=fault)
    ec2.fail("fl-new")
    fakes = Fakes(ec2=ec2)
    assert only(enforce(fakes)).result is result
    rolled_back = result is Result.ROLLED_BACK
    assert ec2.deleted == (["fl-new"] if rolled_back else [])
    assert bool(fakes.queue.items["vpc-1"].backoff_configuration) is rolled_back
    assert [named for named, _ in ec2.tagged] == ([("fl-of-vpc-1",)] if fault is None else [])


def test_a_verification_that_fails_once_is_no_failure_that_has_lasted() -> None:
    """How long it waited to be verified does not count."""
    beside = DESIRED.alternate_destination
    assert beside is not None
    ec2 = FakeEc2(
        own("vpc-1"),
        [existing(log_format="${version}"), wanted("fl-new", "vpc-1", beside, BORN - 9999)],
        delete_fault=CallFailed("InternalError"),
    )
    fakes = Fakes(ec2=ec2)
    fakes.queue.items["vpc-1"] = WorkItem(vpc_id="vpc-1", due=BORN - 8000, reason="to be verified")
    assert only(enforce(fakes)).result is Result.PENDING
    assert only(enforce(fakes, SWEEP, BORN + 3600)).result is Result.FAILED


def test_a_run_without_time_stops_before_it_is_ended() -> None:
    """The last VPC that was done is remembered."""
    fakes = Fakes(ec2=FakeEc2(own("vpc-1", "vpc-2")), pace=FakePace(left=10))
    report = enforce(fakes)
    assert (report.outcomes, report.goes_on) == ((), True)
    assert fakes.queue.cursor is not None


def test_event_that_there_was_no_time_for_is_put_off() -> None:
    """A look covers the VPC, at once."""
    ec2 = Throttling(own("vpc-1"))
    ec2.most = 0
    fakes = Fakes(ec2=ec2)
    assert only(enforce(fakes, BIRTH)).result is Result.PENDING
    ec2.most, fakes.pace.left = 1, 300
    assert only(enforce(fakes, LOOK)).result is Result.CREATED


def test_without_memory_new_vpcs_are_covered_at_once_and_the_rest_is_left_to_lambda() -> None:
    """Nobody could come back."""
    fakes = Fakes(ec2=FakeEc2(own("vpc-1")), queue=FakeWorkQueue(broken=True))
    assert only(enforce(fakes, BIRTH, policy=FlowLogsPolicy())).result is Result.CREATED
    fakes = Fakes(
        ec2=FakeEc2(own("vpc-1"), create_faults={"vpc-1": CallFailed("x")}), queue=FakeWorkQueue(broken=True)
    )
    service = fakes.service(AT_ONCE)
    with pytest.raises(EnforcementIncomplete, match="vpc-1"):
        run(service, BIRTH, BORN)


def test_without_memory_a_sweep_that_ran_out_of_time_is_left_to_lambda() -> None:
    """A retry has time again, and finds done what was done; a sweep that is remembered needs none."""
    ec2 = FakeEc2(own("vpc-1", "vpc-2"))
    fakes = Fakes(ec2=ec2, queue=FakeWorkQueue(broken=True))
    service = fakes.service(AT_ONCE)
    fakes.pace.left = 20
    report = service.reconcile(SWEEP, BORN)
    with pytest.raises(EnforcementIncomplete, match="time ran out"):
        deliver(service, report)
    fakes.pace.left = 300
    report = service.reconcile(SWEEP, BORN + 60)
    deliver(service, report, BORN + 60)
    assert len(report.created) == 2
    fakes = Fakes(ec2=FakeEc2(own("vpc-1", "vpc-2")))
    fakes.pace.left = 20
    report = fakes.service(AT_ONCE).reconcile(SWEEP, BORN)
    deliver(fakes.service(AT_ONCE), report)
    assert (report.goes_on, fakes.queue.cursor) == (True, Cursor(after=""))


def test_without_evidence_nothing_is_deleted() -> None:
    """Nothing proves that the replacement delivers."""
    old = existing(log_format="${version}", creation_time=BORN - 9999)
    beside = DESIRED.alternate_destination
    assert beside is not None
    new = replace(wanted("fl-new", "vpc-1", beside, BORN - 9999))
    ec2 = FakeEc2(own("vpc-1"), [old, new], [NetworkInterface(interface_id="eni-0a", vpc_id="vpc-1")])
    fakes = Fakes(ec2=ec2)
    fakes.evidence.is_away = True
    assert only(enforce(fakes)).result is Result.PENDING
    assert ec2.deleted == []


def test_compliant_vpcs_cost_no_call_beyond_the_listings() -> None:
    """A thousand of them cost what one costs."""
    for number in (1, 1000):
        vpcs = own(*(f"vpc-{each:08x}" for each in range(number)))
        ec2 = FakeEc2(vpcs, [existing(vpc.vpc_id, creation_time=1) for vpc in vpcs])
        fakes = Fakes(ec2=ec2)
        report = enforce(fakes)
        assert len(report.of(Result.COVERED)) == number
        assert ec2.calls == {"DescribeVpcs": 1, "DescribeFlowLogs": 1, "DescribeNetworkInterfaces": 1}
        assert fakes.queue.writes == 0


def test_log_group_and_subscription_are_put_right_by_the_sweep_and_told() -> None:
    """Missing, cut, or handed elsewhere; and a second sweep finds nothing."""
    fakes = Fakes(ec2=FakeEc2(own("vpc-1"), [existing()]))
    fakes.groups.there = {GROUP: LogGroup(name=GROUP, retention_days=1)}
    report = enforce(fakes)
    assert [each.summary for each in report.remediations] == [
        "retention was 1 days; required: 30 days",
        "subscription filter flow-warden was missing; required: every line to the monitor",
    ]
    assert report.is_news
    assert enforce(fakes).remediations == ()


def test_another_stack_whose_name_goes_on_from_ours_is_left_alone() -> None:
    """Neither its log group nor its flow log is taken for our own; its silence is none of our business."""
    theirs = replace(STACK, stack_name="flow-warden-2", log_group_name=f"{GROUP}-2")
    flow_log = wanted("fl-theirs", "vpc-1", resolved(FlowLogSpec(), theirs), 1)
    interface = NetworkInterface(interface_id="eni-0a", vpc_id="vpc-1")
    ec2 = FakeEc2(own("vpc-1"), [flow_log], [interface])
    fakes = Fakes(ec2=ec2)
    fakes.groups.there[theirs.log_group_name] = LogGroup(name=theirs.log_group_name)
    report = enforce(fakes)
    assert (only(report).result, report.remediations, ec2.deleted) == (Result.CREATED, (), [])
    policy = FlowLogsPolicy(foreign="enough")
    outcome = only(enforce(Fakes(ec2=FakeEc2(own("vpc-1"), [flow_log], [interface])), policy=policy))
    assert (outcome.result, outcome.flow_log_id) == (Result.COVERED, "fl-theirs")


def test_log_groups_of_the_policy_s_suffixes_are_kept() -> None:
    """The service's house knows them, so that events about them count."""
    text = '{"flow_logs": {"default": {"log_group_suffix": "pci"}}}'
    fakes = Fakes(ec2=FakeEc2(own("vpc-1")))
    policy = Policy.from_json(text).flow_logs
    assert fakes.service(policy).stack.keeps(f"{GROUP}-pci")
    assert not fakes.service().stack.keeps(f"{GROUP}-pci")
    enforce(fakes, policy=replace(policy, grace_minutes=0))
    assert f"{GROUP}-pci" in fakes.groups.there


def test_log_group_that_cannot_be_put_right_is_told_and_keeps_no_vpc_from_its_flow_log() -> None:
    """One failure is not in another's way."""
    fakes = Fakes(ec2=FakeEc2(own("vpc-1")))
    fakes.groups.fault = FORBIDDEN
    report = enforce(fakes)
    assert [each.applied for each in report.remediations] == [False]
    assert len(report.created) == 1


def test_delivery_role_that_does_not_work_is_told_by_the_sweep() -> None:
    """With what to do; the enforcer changes no role."""
    fakes = Fakes(ec2=FakeEc2(), roles=FakeRoles(None))
    (trouble,) = enforce(fakes).troubles
    assert "does not exist" in trouble.summary
    assert "redeploy the stack flow-warden" in trouble.summary


@pytest.mark.parametrize("fault", [FORBIDDEN, CallFailed("InternalError")])
def test_delivery_role_that_cannot_be_read_is_told_and_not_called_broken(fault: EnforcementError) -> None:
    """Nobody knows what it is like."""
    fakes = Fakes(ec2=FakeEc2(own("vpc-1")), roles=FakeRoles(fault=fault))
    report = enforce(fakes)
    (trouble,) = report.troubles
    assert trouble.summary == f"could not be read: {fault}"
    assert len(report.created) == 1


def test_dry_run_says_what_would_be_done_and_does_nothing() -> None:
    """Not even remembered or told."""
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
    ]
    assert (ec2.asked, fakes.groups.done, fakes.queue.writes, fakes.sink.sent) == ([], [], 0, [])


def test_dry_run_says_of_a_new_vpc_what_would_be_done_after_its_grace() -> None:
    """Nobody comes back to say it; a real run only puts it off."""
    ec2 = FakeEc2(own("vpc-1", "vpc-2"))
    fakes = Fakes(ec2=ec2)
    report = fakes.service(FlowLogsPolicy(), dry_run=True).reconcile(BIRTH, BORN + 10)
    (plan,) = report.plans
    (wait,) = plan.steps
    assert isinstance(wait, Wait)
    assert (wait.vpc_id, wait.after) == ("vpc-1", 290)
    assert [type(step).__name__ for step in wait.then] == ["Create", "Verify"]
    told = plan_output.as_text(report)
    assert "  1. wait 4 min: has no flow log; the VPC is new" in told
    assert f"  2. create a flow log for ALL traffic to {GROUP}" in told
    assert "Added cost" in told
    assert (ec2.asked, fakes.queue.items) == ([], {})
    assert enforce(fakes, BIRTH, BORN + 10, FlowLogsPolicy()).plans == ()


def test_dry_run_goes_on_with_no_sweep_that_was_real() -> None:
    """What a real run left for later is told by each sweep, once; a look tells nothing and costs nothing."""
    ec2 = FakeEc2(own("vpc-1", "vpc-2"))
    fakes = Fakes(ec2=ec2)
    fakes.queue.cursor = Cursor(after="vpc-1")
    fakes.queue.items["vpc-1"] = WorkItem(vpc_id="vpc-1", due=BORN - 999, reason="throttled")
    service = fakes.service(AT_ONCE, dry_run=True)
    for _ in range(2):
        assert service.reconcile(LOOK, BORN).plans == ()
    assert (ec2.calls, fakes.queue.reads) == ({}, 0)
    for _ in range(2):
        swept = service.reconcile(SWEEP, BORN)
        assert [each.verdict.vpc_id for each in swept.plans] == ["vpc-1", "vpc-2"]
    assert fakes.queue.writes == 0


def test_report_that_cannot_be_told_is_raised() -> None:
    """Lambda retries; the retry finds the flow log that was made since the event, and tells it."""
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


def test_exemption_by_tag_is_for_what_carries_it() -> None:
    """And for nothing else."""
    policy = FlowLogsPolicy(
        grace_minutes=0, exemptions=(Exemption(where=Selection(tags={"lab": "*"}), reason="a lab"),)
    )
    vpcs = [replace(own("vpc-1")[0], tags={"lab": "x"}), own("vpc-2")[0]]
    report = enforce(Fakes(ec2=FakeEc2(vpcs)), policy=policy)
    assert [each.result for each in report.outcomes] == [Result.EXEMPT, Result.CREATED]


def test_pending_vpc_that_is_gone_leaves_the_list() -> None:
    """Nothing to cover, no error."""
    fakes = Fakes(ec2=FakeEc2())
    fakes.queue.items["vpc-1"] = WorkItem(vpc_id="vpc-1", due=BORN, reason="x")
    assert only(enforce(fakes, LOOK)).result is Result.GONE
    assert fakes.queue.items == {}


def test_a_flow_log_in_the_way_is_named() -> None:
    """EC2 refuses, and nothing is deleted."""

    class Refusing(FakeEc2):
        """Somebody makes a flow log of REJECTs into our group just before us."""

        def flow_logs(self, resource_ids: Sequence[str] | None) -> Iterator[FlowLog]:
            """The second look finds it."""
            listed = super().flow_logs(resource_ids)
            return listed if resource_ids is not None else iter(())

    ec2 = Refusing(own("vpc-1"), [existing(traffic_type="REJECT", tags={})])
    outcome = only(enforce(Fakes(ec2=ec2)))
    assert outcome.result is Result.CONFLICT
    assert "fl-of-vpc-1 (traffic type REJECT, not ALL)" in outcome.reason
    assert ec2.deleted == []
