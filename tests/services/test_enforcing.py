"""What the enforcer does about every way in which EC2 can answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowwarden.compliance.desired import DesiredFlowLog, managed_tags
from flowwarden.compliance.inventory import FlowLog, Vpc
from flowwarden.compliance.report import EnforcementReport, Outcome, Result
from flowwarden.compliance.triggers import NewVpc, Origin, Scope, Trigger
from flowwarden.errors import (
    CallFailed,
    CallRefused,
    EnforcementError,
    EnforcementIncomplete,
    PublishFailed,
    VpcGone,
)
from flowwarden.services.enforcing import FRESH_SECONDS, VPCS_PER_LOOK, EnforcingService
from tests.services.fakes_ec2 import FakeEc2, FakeSink, wanted

ACCOUNT, OTHER = "111122223333", "444455556666"
BORN = 1_793_611_800
DESIRED = DesiredFlowLog(
    log_group_name="/flow-warden/flow-logs",
    delivery_role_arn="arn:aws:iam::111122223333:role/delivery",
    log_format="${version} ${srcaddr}",
    tags=managed_tags("flow-warden"),
)
SWEEP = Trigger(
    scope=Scope.EVERYTHING, reason="scheduled sweep", happened_at=BORN, occasion="2026-11-02T09:30:00Z"
)
NEXT_SWEEP = msgspec.structs.replace(SWEEP, happened_at=BORN + 3600, occasion="2026-11-02T10:30:00Z")
BIRTH = Trigger(
    scope=Scope.NAMED,
    reason="CreateVpc names the VPC",
    vpcs=(NewVpc(vpc_id="vpc-1", owner_id=ACCOUNT),),
    origin=Origin(event_name="CreateVpc"),
    happened_at=BORN,
    occasion="8f6d",
)
THROTTLED = CallFailed("RequestLimitExceeded")
FORBIDDEN = CallRefused("UnauthorizedOperation")


def own(*vpc_ids: str) -> list[Vpc]:
    """VPCs of our account."""
    return [Vpc(vpc_id=vpc_id, owner_id=ACCOUNT) for vpc_id in vpc_ids]


def existing(vpc_id: str = "vpc-1", **changes: Any) -> FlowLog:
    """The wanted flow log of a VPC, changed."""
    return msgspec.structs.replace(wanted(f"fl-of-{vpc_id}", vpc_id, DESIRED), **changes)


def service(ec2: FakeEc2, sink: FakeSink | None = None) -> EnforcingService:
    """The service on fakes."""
    return EnforcingService(ec2, sink or FakeSink(), DESIRED, account_id=ACCOUNT, region="eu-west-1")


def enforce(ec2: FakeEc2, trigger: Trigger = SWEEP, now: int = BORN + 10) -> EnforcementReport:
    """One run."""
    return service(ec2).enforce(trigger, now)


def only(report: EnforcementReport) -> Outcome:
    """The outcome of a run about one VPC."""
    (outcome,) = report.outcomes
    return outcome


def test_uncovered_vpc_gets_its_flow_log() -> None:
    """The flow log is created under the token of VPC, configuration and occasion."""
    ec2 = FakeEc2(own("vpc-1"))
    assert only(enforce(ec2)).result is Result.CREATED
    assert ec2.created == [("vpc-1", DESIRED.client_token("vpc-1", SWEEP.occasion))]


def test_event_touches_no_other_vpc() -> None:
    """An event about one VPC is no sweep."""
    ec2 = FakeEc2(own("vpc-1", "vpc-2"))
    assert [each.vpc_id for each in enforce(ec2, BIRTH).created] == ["vpc-1"]


def test_nothing_is_asked_for_an_event_that_concerns_nothing() -> None:
    """A failed call costs no call to EC2."""
    ec2 = FakeEc2(list_fault=FORBIDDEN)
    assert enforce(ec2, Trigger(scope=Scope.NOTHING, reason="failed")).outcomes == ()


def test_shared_vpc_is_skipped_with_a_reason() -> None:
    """Another account's VPC is not even tried."""
    ec2 = FakeEc2([Vpc(vpc_id="vpc-1", owner_id=OTHER)])
    outcome = only(enforce(ec2))
    assert outcome.result is Result.SKIPPED
    assert OTHER in outcome.reason
    assert ec2.asked == []


def test_broken_flow_log_is_reported_and_not_created_again() -> None:
    """EC2 would refuse a second one, and it would not deliver either."""
    failing = existing(deliver_logs_status="FAILED", deliver_logs_error_message="Access error")
    ec2 = FakeEc2(own("vpc-1"), [failing])
    assert only(enforce(ec2)).result is Result.BROKEN
    assert ec2.asked == []


@pytest.mark.parametrize(
    ("fault", "result", "retryable"),
    [
        (THROTTLED, Result.FAILED, True),
        (FORBIDDEN, Result.FAILED, False),
        (VpcGone("InvalidVpcID.NotFound"), Result.GONE, False),
    ],
)
def test_creation_that_fails(fault: EnforcementError, result: Result, retryable: bool) -> None:  # noqa: FBT001  a table's column
    """What passes may be retried, what is refused may not, and a VPC that is gone is no error."""
    outcome = only(enforce(FakeEc2(own("vpc-1"), create_faults={"vpc-1": fault})))
    assert (outcome.result, outcome.retryable) == (result, retryable)
    assert str(fault) in outcome.reason


def test_flow_log_that_another_run_made_meanwhile_is_success() -> None:
    """EC2 says it exists, and a second look finds the wanted one."""

    class Racing(FakeEc2):
        """Another run's flow log appears after the first look."""

        def create(self, vpc_id: str, desired: DesiredFlowLog, client_token: str) -> str:
            self.existing.append(existing())
            return super().create(vpc_id, desired, client_token)

    outcome = only(enforce(Racing(own("vpc-1"))))
    assert outcome.result is Result.COVERED
    assert outcome.flow_log_id == "fl-of-vpc-1"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"traffic_type": "REJECT"}, "traffic type REJECT"),
        ({"log_format": "${version}"}, "another log format"),
        ({"max_aggregation_interval": 600}, "aggregates 600 s"),
    ],
)
def test_unwanted_flow_log_in_the_way_is_a_failure(change: dict[str, Any], why: str) -> None:
    """After FlowLogAlreadyExists only the wanted flow log counts; the reason names what is in the way."""
    outcome = only(enforce(FakeEc2(own("vpc-1"), [existing(**change)])))
    assert outcome.result is Result.FAILED
    assert not outcome.retryable
    assert why in outcome.reason
    assert "fl-of-vpc-1" in outcome.reason


@pytest.mark.parametrize("trigger", [SWEEP, BIRTH])
@pytest.mark.parametrize(
    ("age", "result"),
    [
        (-5, Result.PENDING),
        (0, Result.PENDING),
        (FRESH_SECONDS - 1, Result.PENDING),
        (FRESH_SECONDS, Result.FAILED),
        (-FRESH_SECONDS - 1, Result.FAILED),
    ],
)
def test_flow_log_that_exists_but_does_not_show_yet(trigger: Trigger, age: int, result: Result) -> None:
    """Nobody can say yet that it is the wanted one: retried, and a failure only when it stays hidden."""
    outcome = only(enforce(FakeEc2(own("vpc-1"), late=[existing()]), trigger, BORN + age))
    assert (outcome.result, outcome.retryable) == (result, True)


def test_flow_log_that_stays_hidden_from_an_event_of_unknown_age_is_a_failure() -> None:
    """Without a time nothing says that it is only late: somebody is told."""
    trigger = msgspec.structs.replace(BIRTH, happened_at=None)
    assert only(enforce(FakeEc2(own("vpc-1"), late=[existing()]), trigger)).result is Result.FAILED


def test_duplicate_event_before_the_flow_log_shows_alarms_nobody() -> None:
    """The first delivery covers the VPC; the second asks again while the listing lags, and keeps still."""
    ec2, sink = FakeEc2(own("vpc-1"), late=[existing()]), FakeSink()
    enforcing = service(ec2, sink)
    with pytest.raises(EnforcementIncomplete):
        enforcing.tell(enforcing.enforce(BIRTH, BORN + 10))
    ec2.existing, ec2.late = ec2.late, []
    enforcing.tell(enforcing.enforce(BIRTH, BORN + 70))
    assert sink.sent == []


@pytest.mark.parametrize(("fault", "retryable"), [(THROTTLED, True), (FORBIDDEN, False)])
def test_second_look_that_fails(fault: EnforcementError, retryable: bool) -> None:  # noqa: FBT001  a table's column
    """Not knowing is a failure, of the kind of the look's own."""

    class BlindAfterFirstLook(FakeEc2):
        """The first look works, the second does not."""

        def create(self, vpc_id: str, desired: DesiredFlowLog, client_token: str) -> str:
            self.look_faults[vpc_id] = fault
            return super().create(vpc_id, desired, client_token)

    outcome = only(enforce(BlindAfterFirstLook(own("vpc-1"), late=[existing()])))
    assert (outcome.result, outcome.retryable) == (Result.FAILED, retryable)


@pytest.mark.parametrize(
    ("age", "result"),
    [
        (0, Result.PENDING),
        (FRESH_SECONDS - 1, Result.PENDING),
        (FRESH_SECONDS, Result.GONE),
        (-5, Result.PENDING),
        (-FRESH_SECONDS - 1, Result.GONE),
    ],
)
def test_new_vpc_that_ec2_does_not_know(age: int, result: Result) -> None:
    """Just after its creation it is not visible yet; later it was deleted.

    Clocks may differ, but a time far ahead tells nothing: it must not keep the event pending for ever.
    """
    outcome = only(enforce(FakeEc2(), BIRTH, BORN + age))
    assert outcome.result is result
    assert "created -" not in outcome.reason


def test_new_vpc_of_unknown_age_is_gone() -> None:
    """Without a time nothing says that it may still appear; the sweep finds it if it does."""
    trigger = msgspec.structs.replace(BIRTH, happened_at=None)
    assert only(enforce(FakeEc2(), trigger)).result is Result.GONE


def test_new_vpc_that_is_not_listed_is_covered_if_creation_works() -> None:
    """DescribeVpcs may lag behind: the event's word is enough to try."""
    ec2 = FakeEc2(own("vpc-1"), list_fault=THROTTLED)
    failed, created = enforce(ec2, BIRTH).outcomes
    assert (failed.vpc_id, failed.result) == (None, Result.FAILED)
    assert (created.vpc_id, created.result) == ("vpc-1", Result.CREATED)


def test_new_shared_vpc_that_is_not_listed_is_skipped() -> None:
    """The event tells the owner."""
    trigger = msgspec.structs.replace(BIRTH, vpcs=(NewVpc(vpc_id="vpc-1", owner_id=OTHER),))
    assert only(enforce(FakeEc2(), trigger)).result is Result.SKIPPED


def test_sweep_s_vpc_that_vanishes_is_gone_at_once() -> None:
    """A sweep found it, so it was visible: now it is deleted."""
    ec2 = FakeEc2(own("vpc-1"), create_faults={"vpc-1": VpcGone("InvalidVpcID.NotFound")})
    assert only(enforce(ec2, SWEEP)).result is Result.GONE


def test_listing_that_breaks_off_does_not_keep_the_listed_from_their_flow_logs() -> None:
    """A failure on a later page of DescribeVpcs is reported beside what was done."""
    ec2 = FakeEc2(own("vpc-1", "vpc-2"), list_fault=THROTTLED, list_fault_after=1)
    report = enforce(ec2)
    assert [each.vpc_id for each in report.created] == ["vpc-1"]
    assert [each.vpc_id for each in report.failures] == [None]
    assert report.unfinished == report.failures


def test_failed_look_costs_its_own_vpcs_only() -> None:
    """Flow logs are looked at for many VPCs at once; the other lots are covered."""
    ids = [f"vpc-{number}" for number in range(VPCS_PER_LOOK + 1)]
    report = enforce(FakeEc2(own(*ids), look_faults={ids[0]: FORBIDDEN}))
    assert len(report.failures) == VPCS_PER_LOOK
    assert [each.vpc_id for each in report.created] == [ids[-1]]


def test_deleted_flow_log_that_is_still_listed_does_not_cover() -> None:
    """The event says that it is gone; the listing lags behind."""
    ec2 = FakeEc2(own("vpc-1"), [existing()], deleted_but_listed={"fl-of-vpc-1"})
    trigger = Trigger(scope=Scope.EVERYTHING, reason="DeleteFlowLogs", deleted=("fl-of-vpc-1",))
    assert only(enforce(ec2, trigger)).result is Result.CREATED


@pytest.mark.parametrize("first", [SWEEP, BIRTH])
@pytest.mark.parametrize("told", [True, False])
def test_repair_does_not_get_the_deleted_flow_log_back(first: Trigger, told: bool) -> None:  # noqa: FBT001  a table's column
    """EC2 answers a used token with the flow log that was made under it, even if it is deleted.

    So an event about the deletion asks anew, and where that is lost, the next sweep does.
    """
    ec2 = FakeEc2(own("vpc-1"))
    lost = only(enforce(ec2, first)).flow_log_id
    assert lost is not None
    ec2.delete(lost)
    deletion = Trigger(
        scope=Scope.EVERYTHING, reason="DeleteFlowLogs", deleted=(lost,), occasion="77aa", happened_at=BORN
    )
    repaired = only(enforce(ec2, deletion if told else NEXT_SWEEP))
    assert repaired.result is Result.CREATED
    assert [each.flow_log_id for each in ec2.existing] == [repaired.flow_log_id]


def test_retry_of_an_event_asks_for_the_same_flow_log() -> None:
    """The answer to the first call was lost, and EC2 does not list yet: there is still one flow log."""

    class Lagging(FakeEc2):
        """Lists nothing of what it has."""

        def flow_logs(self, vpc_ids: Sequence[str]) -> Iterator[FlowLog]:
            return (each for each in super().flow_logs(vpc_ids) if each.flow_log_id == "none of them")

    ec2 = Lagging(own("vpc-1"))
    first, second = (only(enforce(ec2, BIRTH, BORN + age)) for age in (10, 70))
    assert first.flow_log_id == second.flow_log_id
    assert len(ec2.created) == 1


def test_events_that_tell_nothing_of_themselves_are_different_requests() -> None:
    """Without id and time, the time of the run is the occasion: no deleted flow log comes back."""
    ec2, nameless = FakeEc2(own("vpc-1")), Trigger(scope=Scope.EVERYTHING, reason="by hand")
    for now in (BORN, BORN + 60):
        enforce(ec2, nameless, now)
        ec2.existing.clear()
    assert len({token for _, token in ec2.created}) == 2


@pytest.mark.parametrize("trigger", [SWEEP, BIRTH])
def test_report_that_was_not_delivered_is_told_by_the_retry(trigger: Trigger) -> None:
    """The retry finds the VPC covered; operations still hear of the flow log."""
    ec2, sink = FakeEc2(own("vpc-1"), clock=BORN + 10), FakeSink(broken=True)
    enforcing = service(ec2, sink)
    with pytest.raises(PublishFailed):
        enforcing.tell(enforcing.enforce(trigger, BORN + 10))
    sink.broken = False
    report = enforcing.enforce(trigger, BORN + 70)
    enforcing.tell(report)
    assert len(ec2.created) == len(sink.sent) == 1
    assert (only(report).flow_log_id, only(report).earlier) == ("fl-new0", True)
    assert report.made == ()


@pytest.mark.parametrize(
    ("change", "result"),
    [
        ({"creation_time": BORN}, Result.CREATED),
        ({"creation_time": BORN - 1}, Result.COVERED),
        ({"creation_time": None}, Result.COVERED),
        ({"creation_time": BORN + 5, "tags": {}}, Result.COVERED),
        ({"creation_time": BORN + 5, "tags": managed_tags("another-stack")}, Result.COVERED),
        ({"creation_time": BORN + 5, "deliver_logs_status": "FAILED"}, Result.BROKEN),
    ],
)
def test_only_what_this_stack_made_since_the_event_is_news(change: dict[str, Any], result: Result) -> None:
    """Older flow logs, and those of other people, merely cover."""
    assert only(enforce(FakeEc2(own("vpc-1"), [existing(**change)]), BIRTH)).result is result


def test_next_sweep_does_not_tell_again() -> None:
    """What a sweep made is older than the next sweep."""
    ec2, sink = FakeEc2(own("vpc-1"), clock=BORN + 10), FakeSink()
    enforcing = service(ec2, sink)
    for trigger in (SWEEP, NEXT_SWEEP):
        enforcing.tell(enforcing.enforce(trigger, BORN + 10))
    assert len(sink.sent) == 1


def test_vpc_without_a_known_owner_counts_as_ours() -> None:
    """A VPC must not stay unwatched because an event was thin."""
    trigger = msgspec.structs.replace(BIRTH, vpcs=(NewVpc(vpc_id="vpc-1", owner_id=""),))
    ec2 = FakeEc2(own("vpc-1"), list_fault=THROTTLED)
    assert [each.vpc_id for each in enforce(ec2, trigger).created] == ["vpc-1"]


@pytest.mark.parametrize("trigger", [SWEEP, BIRTH])
def test_quiet_run_tells_nobody(trigger: Trigger) -> None:
    """Covered, skipped and gone VPCs are no news."""
    sink = FakeSink()
    enforcing = service(FakeEc2(own("vpc-1"), [existing()]), sink)
    enforcing.tell(enforcing.enforce(trigger, BORN))
    assert sink.sent == []


def test_pending_vpc_is_retried_without_a_word() -> None:
    """Lambda's retry will see it; there is nothing that a person could do."""
    sink = FakeSink()
    enforcing = service(FakeEc2(), sink)
    with pytest.raises(EnforcementIncomplete, match="vpc-1"):
        enforcing.tell(enforcing.enforce(BIRTH, BORN + 10))
    assert sink.sent == []


def test_refusal_is_told_at_every_run_and_not_retried() -> None:
    """Silence would look like peace; a retry would be refused too."""
    sink = FakeSink()
    enforcing = service(FakeEc2(own("vpc-1", "vpc-2"), create_faults={"vpc-1": FORBIDDEN}), sink)
    for _ in range(2):
        enforcing.tell(enforcing.enforce(SWEEP, BORN))
    assert [sent.attributes["severity"] for sent in sink.sent] == ["error", "error"]


def test_passing_failure_is_told_and_then_raised() -> None:
    """Operations know of it even though a retry may mend it."""
    sink = FakeSink()
    enforcing = service(FakeEc2(own("vpc-1"), create_faults={"vpc-1": THROTTLED}), sink)
    with pytest.raises(EnforcementIncomplete):
        enforcing.tell(enforcing.enforce(SWEEP, BORN))
    assert len(sink.sent) == 1


def test_topic_that_does_not_answer_fails_the_run() -> None:
    """What nobody heard of must not look as if it had been told."""
    enforcing = service(FakeEc2(own("vpc-1")), FakeSink(broken=True))
    with pytest.raises(PublishFailed):
        enforcing.tell(enforcing.enforce(SWEEP, BORN))


IDS = [f"vpc-{number}" for number in range(6)]
STATES = st.sampled_from(["bare", "covered", "wrong", "elsewhere", "shared", "broken"])
FAULTS = st.sampled_from([THROTTLED, FORBIDDEN, VpcGone("gone")])


def some_world(states: dict[str, str], faults: dict[str, EnforcementError]) -> FakeEc2:
    """An account with VPCs in all sorts of states."""
    changes: dict[str, dict[str, Any]] = {
        "covered": {},
        "wrong": {"traffic_type": "REJECT"},
        "elsewhere": {"log_group_name": "/other"},
        "broken": {"deliver_logs_status": "FAILED"},
    }
    return FakeEc2(
        vpcs_listed=[
            Vpc(vpc_id=vpc_id, owner_id=OTHER if state == "shared" else ACCOUNT)
            for vpc_id, state in states.items()
        ],
        existing=[existing(vpc_id, **changes[state]) for vpc_id, state in states.items() if state in changes],
        create_faults=faults,
    )


@given(
    st.dictionaries(st.sampled_from(IDS), STATES),
    st.dictionaries(st.sampled_from(IDS), FAULTS),
)
def test_any_world_ends_covered_where_nothing_stands_in_the_way(
    states: dict[str, str], faults: dict[str, EnforcementError]
) -> None:
    """Each VPC has one outcome; those without a fault are covered, and a second run creates nothing."""
    ec2 = some_world(states, faults)
    report = enforce(ec2)
    assert [each.vpc_id for each in report.outcomes] == list(states)
    coverable = {
        vpc_id for vpc_id, state in states.items() if state in {"bare", "elsewhere"} and vpc_id not in faults
    }
    assert {each.vpc_id for each in report.created} == coverable
    before = len(ec2.created)
    again = enforce(ec2)
    assert len(ec2.created) == before
    covered = {each.vpc_id for each in again.of(Result.COVERED)}
    assert covered == coverable | {vpc_id for vpc_id, state in states.items() if state == "covered"}


@given(st.dictionaries(st.sampled_from(IDS), STATES), st.sampled_from(IDS), FAULTS)
def test_failure_of_one_vpc_changes_nothing_for_the_others(
    states: dict[str, str], unlucky: str, fault: EnforcementError
) -> None:
    """With and without a fault in one VPC, the others end the same."""

    def ends(faults: dict[str, EnforcementError]) -> dict[str | None, Result]:
        outcomes = enforce(some_world(states, faults)).outcomes
        return {each.vpc_id: each.result for each in outcomes if each.vpc_id != unlucky}

    assert ends({unlucky: fault}) == ends({})
