"""Every deletion of a flow log is reported once, with the principal and the VPC, whatever follows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from flowwarden.enforcer.deletions import MISSED_SECONDS, NOTED_AT_MOST
from flowwarden.enforcer.reconcile import Enforcer
from flowwarden.enforcer.registry import DeletedFlowLog, KnownFlowLog, ManagedFlowLog
from flowwarden.enforcer.reporting.flow_logs import LISTED_AT_MOST
from flowwarden.enforcer.reporting.report import CLAIMED_APART, EnforcementReport
from flowwarden.enforcer.state.desired import HELD_TAG
from flowwarden.enforcer.state.inventory import FlowLog, Unread, Vpc
from flowwarden.enforcer.triggers import trigger
from flowwarden.errors import CallFailed, EnforcementIncomplete, PublishFailed
from flowwarden.policy.flow_logs import Exemption, FlowLogsPolicy, Selection
from tests.enforcer.fakes import ACCOUNT, STACK, TAGS, Fakes, MemoryRegistry
from tests.enforcer.fakes_ec2 import FakeEc2, wanted
from tests.enforcer.runs import BORN, DESIRED, FORBIDDEN, THROTTLED, deliver, existing, own
from tests.examples import examples

EVE = f"arn:aws:iam::{ACCOUNT}:user/eve"
POLICY = FlowLogsPolicy(exemptions=(Exemption(where=Selection(tags={"lab": "*"}), reason="a lab"),))
LOOK = {"detail-type": "Scheduled Event", "detail": {"look": "pending"}}
SWEEP = {"detail-type": "Scheduled Event"}
MINE, THEIRS = "fl-0a", "fl-0b"
VICTIMS: dict[str, FlowLog] = {
    "managed": existing(flow_log_id=MINE),
    "of others": existing(flow_log_id=THEIRS, log_group_name="theirs", tags={}),
    "tagged, not recorded": existing(flow_log_id=THEIRS, log_group_name="theirs"),
    "of a subnet": existing("subnet-1", flow_log_id=THEIRS, log_group_name="theirs", tags={}),
}


def call(
    name: str, at: int, request: dict[str, Any], response: dict[str, Any], number: str
) -> dict[str, Any]:
    """A CloudTrail event."""
    return {
        "detail-type": "AWS API Call via CloudTrail",
        "id": f"envelope-{number}",
        "detail": {
            "eventName": name,
            "eventSource": "ec2.amazonaws.com",
            "eventTime": datetime.fromtimestamp(at, UTC).isoformat(),
            "eventID": number,
            "awsRegion": "eu-west-1",
            "recipientAccountId": ACCOUNT,
            "sourceIPAddress": "203.0.113.9",
            "userIdentity": {"type": "IAMUser", "arn": EVE, "accessKeyId": "AKIAEVE"},
            "requestParameters": {f"{name}Request": request},
            "responseElements": {f"{name}Response": response},
        },
    }


def deletion(*flow_log_ids: str, at: int = BORN, number: str = "d1") -> dict[str, Any]:
    """DeleteFlowLogs by eve."""
    asked = [{"tag": tag, "content": each} for tag, each in enumerate(flow_log_ids, 1)]
    return call("DeleteFlowLogs", at, {"FlowLogId": asked}, {"unsuccessful": ""}, number)


def creation(flow_log_id: str, resource_id: str, at: int = BORN) -> dict[str, Any]:
    """CreateFlowLogs by eve."""
    request = {"ResourceType": "VPC", "ResourceId": {"tag": 1, "content": resource_id}}
    response = {"flowLogIdSet": {"item": flow_log_id}, "unsuccessful": ""}
    return call("CreateFlowLogs", at, request, response, f"c-{flow_log_id}")


def birth(vpc_id: str, at: int = BORN) -> dict[str, Any]:
    """CreateVpc by eve."""
    event = call("CreateVpc", at, {}, {}, f"b-{vpc_id}")
    event["detail"]["responseElements"] = {"vpc": {"vpcId": vpc_id, "ownerId": ACCOUNT}}
    return event


@dataclass
class Account:
    """An account whose VPC vpc-1 has one flow log; a sweep has seen it."""

    victim: FlowLog = field(default_factory=lambda: VICTIMS["managed"])
    policy: FlowLogsPolicy = POLICY
    now: int = BORN
    seen: bool = True
    fakes: Fakes = field(init=False)

    def __post_init__(self) -> None:
        self.ec2 = FakeEc2(own("vpc-1", "vpc-2"), [self.victim, existing("vpc-2", flow_log_id="fl-0c")])
        self.fakes = Fakes(ec2=self.ec2)
        if self.victim.flow_log_id == THEIRS:
            self.fakes.registry.entries.pop((ManagedFlowLog, THEIRS), None)
        if self.seen:
            self.invoke(SWEEP, 0)
            self.invoke(SWEEP, 3600)

    def invoke(self, event: dict[str, Any], later: int = 60) -> EnforcementReport:
        """One invocation; Lambda retries it once if it fails."""
        self.now += later
        self.fakes.pace.left = 300
        if event.get("detail-type") == "Scheduled Event":
            event = event | {"time": datetime.fromtimestamp(self.now, UTC).isoformat()}
        try:
            return self._attempt(event)
        except (PublishFailed, EnforcementIncomplete):
            self.fakes.sink.away = False
            self.now += 60
            return self._attempt(event)

    def _attempt(self, event: dict[str, Any]) -> EnforcementReport:
        service = self.fakes.service(self.policy)
        report = service.reconcile(trigger.read(event, STACK), self.now)
        deliver(service, report, self.now)
        return report

    def delete(self, flow_log_id: str = "") -> None:
        """Delete the flow log, as eve does."""
        name = flow_log_id or self.victim.flow_log_id
        self.ec2.existing = [each for each in self.ec2.existing if each.flow_log_id != name]

    def settle(self) -> None:
        """Some hours of sweeps and retries."""
        for _ in range(6):
            self.invoke(SWEEP, 1800)
            self.invoke(LOOK, 300)

    @property
    def reports(self) -> list[str]:
        """The lines about the deletion of the flow log."""
        return lines_about(self.fakes, self.victim.flow_log_id)

    def reports_of(self, flow_log_ids: list[str]) -> list[str]:
        """The lines about the deletions of these flow logs."""
        return [line for each in flow_log_ids for line in lines_about(self.fakes, each)]


def lines_about(fakes: Fakes, flow_log_id: str) -> list[str]:
    """The lines of all notifications about the deletion of a flow log."""
    return [
        line
        for each in fakes.sink.sent
        for line in section(each.text)
        if line.startswith(f"- {flow_log_id} of ")
    ]


def section(text: str) -> Iterator[str]:
    """The lines of a notification's section about deletions."""
    for part in text.split("\n\n"):
        if part.startswith("FLOW LOGS DELETED"):
            yield from part.splitlines()[1:]


def assert_reported_once(account: Account) -> None:
    """One line, with the principal and the VPC."""
    (line,) = account.reports
    assert f"deleted by {EVE} from 203.0.113.9" in line
    assert "vpc-1" in line.partition(":")[0]


def decoy(account: Account, **changes: Any) -> None:
    """Another flow log of others appears in the VPC."""
    found = existing(flow_log_id="fl-decoy", tags={}, creation_time=account.now)
    account.ec2.existing.append(replace(found, **changes))


def exempt(account: Account) -> None:
    """A tag exempts the VPC."""
    account.ec2.vpcs_listed[0] = Vpc(vpc_id="vpc-1", owner_id=ACCOUNT, tags={"lab": "x"})


def twice(account: Account) -> None:
    """The event is delivered once more, before."""
    account.invoke(deletion(account.victim.flow_log_id, at=account.now))


def lose_reports(account: Account) -> None:
    """The next report cannot be sent."""
    account.fakes.sink.away = True


def gone(account: Account) -> None:
    """The VPC is deleted, too, and a sweep sees that first."""
    account.ec2.vpcs_listed = account.ec2.vpcs_listed[1:]
    account.invoke(SWEEP)


CIRCUMSTANCES: dict[str, Callable[[Account], object]] = {
    "nothing else": lambda _: None,
    "a decoy": decoy,
    "a decoy elsewhere": lambda account: decoy(account, log_group_name="another"),
    "a tagged twin": lambda account: decoy(account, tags=TAGS),
    "a twin that holds replacements": lambda account: decoy(
        account, tags=TAGS | {HELD_TAG: f"0a0b0c0d until {account.now + 3600}"}
    ),
    "an exemption": exempt,
    "the event twice": twice,
    "a sweep before the event": lambda account: account.invoke(SWEEP),
    "sweeps and retries before the event": lambda account: [
        account.invoke(each, 600) for each in (SWEEP, LOOK, SWEEP, LOOK)
    ],
    "the VPC deleted": gone,
    "EC2 still lists it": lambda account: account.ec2.existing.append(account.victim),
    "a creation that is throttled": lambda account: account.ec2.create_faults.update({"vpc-1": THROTTLED}),
    "a creation that is refused": lambda account: account.ec2.create_faults.update({"vpc-1": FORBIDDEN}),
    "no time": lambda account: setattr(account.fakes.pace, "left", 1),
    "a report that cannot be sent": lose_reports,
    "a list that fails": lambda account: setattr(account.ec2, "list_fault", CallFailed("InternalError")),
}


@pytest.mark.parametrize("victim", VICTIMS)
@pytest.mark.parametrize("circumstance", CIRCUMSTANCES)
def test_a_deletion_is_reported_once_under_every_circumstance(circumstance: str, victim: str) -> None:
    """Later sweeps and retries do not repeat it."""
    account = Account(VICTIMS[victim])
    if victim == "of a subnet":
        known = KnownFlowLog(flow_log_id=THEIRS, resource_ids=("subnet-1",), vpc_id="vpc-1")
        account.fakes.registry.put(known)
    account.delete()
    deleted_at = account.now
    CIRCUMSTANCES[circumstance](account)
    account.invoke(deletion(account.victim.flow_log_id, at=deleted_at))
    account.ec2.list_fault = None
    account.ec2.create_faults = {}
    account.settle()
    assert_reported_once(account)
    if circumstance != "EC2 still lists it":
        records = account.fakes.registry.of(ManagedFlowLog)
        assert account.victim.flow_log_id not in {each.flow_log_id for each in records}


@pytest.mark.parametrize("grace", [0, 5])
def test_a_flow_log_that_is_created_and_deleted_within_seconds_is_reported_with_its_vpc(grace: int) -> None:
    """CreateVpc, CreateFlowLogs and DeleteFlowLogs within six seconds, in the grace period or without one."""
    account = Account(existing(flow_log_id=MINE), FlowLogsPolicy(grace_minutes=grace))
    account.ec2.vpcs_listed += own("vpc-3")
    account.invoke(birth("vpc-3", account.now), 0)
    account.invoke(creation("fl-0d", "vpc-3", account.now + 3), 3)
    account.invoke(deletion("fl-0d", at=account.now + 3), 3)
    account.settle()
    (line,) = lines_about(account.fakes, "fl-0d")
    assert line.startswith(f"- fl-0d of vpc-3 (unmanaged): deleted by {EVE} from 203.0.113.9; now ")


def test_without_its_creation_the_vpcs_that_may_have_lost_a_flow_log_are_named() -> None:
    """The event of the creation may arrive later, which does not repeat the report."""
    account = Account()
    account.ec2.vpcs_listed += own("vpc-3")
    account.invoke(birth("vpc-3", account.now), 0)
    account.invoke(deletion("fl-0d", at=account.now + 3), 3)
    account.invoke(creation("fl-0d", "vpc-3", account.now), 3)
    account.settle()
    (line,) = lines_about(account.fakes, "fl-0d")
    assert line.startswith("- fl-0d of an unknown VPC: deleted by")
    assert line.endswith("VPCs that may have lost it: vpc-3")


def test_an_event_about_several_flow_logs_is_one_report_with_a_line_for_each() -> None:
    """Of several VPCs; a flow log that EC2 refused to delete is not among them."""
    account = Account()
    account.delete()
    account.delete("fl-0c")
    event = deletion(MINE, "fl-0c", "fl-kept", at=account.now)
    refused = {"unsuccessful": {"item": [{"resourceId": "fl-kept"}]}}
    event["detail"]["responseElements"] = {"DeleteFlowLogsResponse": refused}
    before = len(account.fakes.sink.sent)
    account.invoke(event)
    assert len(account.fakes.sink.sent) == before + 1
    account.settle()
    assert_reported_once(account)
    (other,) = lines_about(account.fakes, "fl-0c")
    assert "fl-0c of vpc-2" in other
    assert lines_about(account.fakes, "fl-kept") == []


def test_a_failed_deletion_is_not_reported() -> None:
    """Nothing changed."""
    account = Account()
    event = deletion(MINE, at=account.now)
    event["detail"]["errorCode"] = "Client.UnauthorizedOperation"
    account.invoke(event)
    account.settle()
    assert account.reports == []


def test_without_an_event_a_sweep_reports_the_deletion_without_a_principal() -> None:
    """As in an account without a trail: after an hour, once."""
    account = Account()
    account.delete()
    account.invoke(SWEEP)
    account.invoke(SWEEP, MISSED_SECONDS - 1)
    assert account.reports == []
    account.settle()
    (line,) = account.reports
    assert line.startswith("- fl-0a of vpc-1 (managed by this stack): no longer there; no event named who")


def test_an_event_that_comes_after_that_report_still_names_the_principal() -> None:
    """The first report could not."""
    account = Account()
    account.delete()
    account.invoke(SWEEP)
    account.settle()
    for _ in range(2):
        account.invoke(deletion(MINE, at=account.now - 7200))
    unnamed, named = account.reports
    assert "no event named who" in unnamed
    assert f"deleted by {EVE}" in named


def test_a_deleted_vpc_takes_its_flow_logs_along_without_a_report() -> None:
    """Its records go, too."""
    account = Account()
    account.delete()
    account.ec2.vpcs_listed = account.ec2.vpcs_listed[1:]
    account.settle()
    assert account.reports == []
    assert {each.flow_log_id for each in account.fakes.registry.of(ManagedFlowLog)} == {"fl-0c"}


def test_a_flow_log_that_ec2_does_not_list_for_a_moment_is_not_reported() -> None:
    """Listings lag behind; its record stays."""
    account = Account()
    account.delete()
    account.invoke(SWEEP)
    account.ec2.existing.append(account.victim)
    account.settle()
    assert account.reports == []
    assert MINE in {each.flow_log_id for each in account.fakes.registry.of(ManagedFlowLog)}
    assert account.fakes.registry.of(DeletedFlowLog) == []


@pytest.mark.parametrize("item_id", ["", MINE])
def test_an_unreadable_description_is_no_deletion(item_id: str) -> None:
    """What cannot be read may be the flow log, if it has its id or none."""
    account = Account()
    account.delete()
    account.ec2.unread_listed = [Unread(call="DescribeFlowLogs", what="an item", item_id=item_id)]
    account.settle()
    assert account.reports == []
    assert MINE in {each.flow_log_id for each in account.fakes.registry.of(ManagedFlowLog)}


def test_without_the_state_table_a_deletion_is_reported_with_the_principal() -> None:
    """The VPC is unknown then, except where EC2 still lists the flow log."""
    account = Account()
    account.fakes.registry = MemoryRegistry(broken=True)
    account.delete()
    account.invoke(deletion(MINE, at=account.now))
    (line,) = account.reports
    assert f"of an unknown VPC: deleted by {EVE}" in line
    account.ec2.existing.append(account.victim)
    account.invoke(deletion(MINE, at=account.now, number="d2"))
    assert account.reports[1].startswith("- fl-0a of vpc-1 ")


def test_what_the_enforcer_deleted_is_reported_even_if_its_run_could_not() -> None:
    """The next run finds nothing left to delete."""
    account = Account(existing(flow_log_id=MINE, log_format="${version}"), seen=False)
    alternate = DESIRED.alternate_destination
    assert alternate is not None
    new = wanted("fl-new", "vpc-1", alternate, BORN - 9999)
    account.ec2.existing.append(new)
    account.fakes.registry.record(new)
    service = account.fakes.service(account.policy)
    service.reconcile(trigger.read(SWEEP, STACK), account.now)
    assert account.ec2.deleted == [MINE]
    account.settle()
    (line,) = account.reports
    assert line.startswith(
        "- fl-0a of vpc-1 (managed by this stack): deleted by the enforcer, as replaced or rolled back"
    )


STEPS: dict[str, Callable[[Account], object]] = {
    "sweep": lambda account: account.invoke(SWEEP, 300),
    "retry": lambda account: account.invoke(LOOK, 300),
    "event": lambda account: account.invoke(deletion(account.victim.flow_log_id, at=BORN + 3600), 30),
    "exempt": exempt,
    "decoy": decoy,
    "unsent": lose_reports,
    "refused": lambda account: account.ec2.create_faults.update({"vpc-1": FORBIDDEN}),
    "listed": lambda account: account.ec2.existing.append(account.victim),
    "unlisted": lambda account: account.delete(),
}


@given(
    st.sampled_from(["managed", "of others", "tagged, not recorded"]),
    st.lists(st.sampled_from(sorted(STEPS)), max_size=8),
)
@examples(1)
def test_a_deletion_is_reported_once_in_every_order(victim: str, steps: list[str]) -> None:
    """Events, sweeps, retries, faults and other changes of the account, in any order, within an hour."""
    account = Account(VICTIMS[victim])
    account.delete()
    for each in steps:
        STEPS[each](account)
    account.delete()
    account.fakes.sink.away = False
    account.invoke(deletion(account.victim.flow_log_id, at=BORN + 3600), 30)
    account.settle()
    assert_reported_once(account)


def begin(account: Account, event: dict[str, Any]) -> tuple[Enforcer, EnforcementReport]:
    """A run that has not sent its report yet."""
    account.fakes.pace.left = 300
    service = account.fakes.service(account.policy)
    return service, service.reconcile(trigger.read(event, STACK), account.now)


@pytest.mark.parametrize("first", [0, 1])
def test_two_deletions_at_once_are_reported_once_each(first: int) -> None:
    """The second run already knows of both; the reports are sent in either order."""
    account = Account()
    account.delete()
    account.delete("fl-0c")
    runs = [begin(account, deletion(MINE, at=account.now, number="d1"))]
    runs.append(begin(account, deletion("fl-0c", at=account.now, number="d2")))
    for service, report in (runs[first], runs[1 - first]):
        deliver(service, report, account.now)
    account.settle()
    assert_reported_once(account)
    assert len(lines_about(account.fakes, "fl-0c")) == 1


@pytest.mark.parametrize("number", [2, CLAIMED_APART + 30])
def test_a_report_that_is_sent_but_not_marked_is_not_repeated_after_the_window(number: int) -> None:
    """The run ended in between; the next one marks it, however many flow logs the call deleted."""
    account = Account()
    ids = [f"fl-{each:04}" for each in range(number)]
    for each in ids:
        account.fakes.registry.put(KnownFlowLog(flow_log_id=each, resource_ids=("vpc-1",), vpc_id="vpc-1"))
    service, report = begin(account, deletion(*ids, at=account.now))
    before = deepcopy(account.fakes.registry.entries)
    deliver(service, report, account.now)
    account.fakes.registry.entries = before
    account.settle()
    account.settle()
    assert len(account.reports_of(ids)) == min(number, LISTED_AT_MOST)
    assert all(each.reported for each in account.fakes.registry.of(DeletedFlowLog))


@pytest.mark.parametrize("number", [2, 200])
def test_a_flow_log_of_a_call_about_several_vpcs_is_reported_with_its_own(number: int) -> None:
    """The event does not say which is whose; a sweep sees it, and stores no more than one for each."""
    account = Account()
    event = creation("fl-0d", "vpc-2", account.now)
    named = [{"tag": tag, "content": f"vpc-{tag}"} for tag in range(1, number + 1)]
    event["detail"]["requestParameters"]["CreateFlowLogsRequest"]["ResourceId"] = named
    account.invoke(event)
    account.ec2.existing.append(existing("vpc-2", flow_log_id="fl-0d", log_group_name="theirs", tags={}))
    account.invoke(SWEEP)
    account.delete("fl-0d")
    account.invoke(deletion("fl-0d", at=account.now))
    account.settle()
    (line,) = lines_about(account.fakes, "fl-0d")
    assert line.startswith("- fl-0d of vpc-2 (unmanaged): ")


def test_a_large_call_does_not_fill_the_table() -> None:
    """Until the sweep, its flow logs have no resource."""
    account = Account()
    event = creation("fl-0d", "vpc-2", account.now)
    detail = event["detail"]
    resources = [{"tag": tag, "content": f"vpc-{tag}"} for tag in range(1000)]
    detail["requestParameters"]["CreateFlowLogsRequest"]["ResourceId"] = resources
    ids = [f"fl-{each}" for each in range(1000)]
    detail["responseElements"]["CreateFlowLogsResponse"]["flowLogIdSet"]["item"] = ids
    account.invoke(event)
    found = account.fakes.registry.of(KnownFlowLog)
    assert len(found) == NOTED_AT_MOST
    assert {each.resource_ids for each in found} == {()}


OTHERS: dict[str, Callable[[FakeEc2], object]] = {
    "a description of another flow log": lambda ec2: ec2.unread_listed.append(
        Unread(call="DescribeFlowLogs", what="fl-0e (junk)", item_id="fl-0e")
    ),
    "a description of another VPC": lambda ec2: ec2.unread_listed.append(
        Unread(call="DescribeVpcs", what="vpc-9 (junk)", item_id="vpc-9")
    ),
    "a VPC that EC2 refuses to list": lambda ec2: setattr(ec2, "refused_vpc", "vpc-2"),
}


@dataclass
class Refusing(FakeEc2):
    """Refuses to list the flow logs of one VPC, and of all of them together."""

    refused_vpc: str = ""

    def flow_logs(self, resource_ids: Sequence[str] | None) -> Iterator[FlowLog]:
        """List, unless the VPC is among them."""
        if self.refused_vpc and (resource_ids is None or self.refused_vpc in resource_ids):
            raise FORBIDDEN
        yield from super().flow_logs(resource_ids)


@pytest.mark.parametrize("other", OTHERS)
def test_what_cannot_be_read_of_others_hides_no_deletion(other: str) -> None:
    """One bad resource, for hours, and no event names the caller."""
    account = Account()
    refusing = Refusing(account.ec2.vpcs_listed, account.ec2.existing)
    account.ec2 = account.fakes.ec2 = refusing
    OTHERS[other](refusing)
    account.delete()
    account.settle()
    (line,) = account.reports
    assert line.startswith("- fl-0a of vpc-1 (managed by this stack): no longer there; no event named who")
    records = account.fakes.registry.of(ManagedFlowLog)
    assert MINE not in {each.flow_log_id for each in records}
    assert "fl-0c" in {each.flow_log_id for each in records}


def test_a_run_beside_the_one_that_replaces_a_flow_log_does_not_report_it_too() -> None:
    """Both see that it is gone; the one that deleted it is about to report it."""
    account = Account(existing(flow_log_id=MINE, log_format="${version}"), seen=False)
    alternate = DESIRED.alternate_destination
    assert alternate is not None
    new = wanted("fl-new", "vpc-1", alternate, BORN - 9999)
    account.ec2.existing.append(new)
    account.fakes.registry.record(new)
    service, report = begin(account, SWEEP)
    assert account.ec2.deleted == [MINE]
    account.invoke(LOOK, 10)
    account.invoke(deletion("fl-0e", at=account.now), 10)
    deliver(service, report, account.now)
    account.settle()
    assert account.reports == []
    assert len([each for each in account.fakes.sink.sent if "deleted fl-0a" in each.text]) == 1


@pytest.mark.parametrize("junk", ["fl-" + "x" * 1100, "", "\ud800" * 300])
def test_an_id_that_cannot_be_one_does_not_keep_others_from_being_stored(junk: str) -> None:
    """The state table would refuse its key."""
    account = Account()
    account.delete()
    account.invoke(deletion(junk, MINE, at=account.now))
    account.settle()
    assert_reported_once(account)
    assert {each.flow_log_id for each in account.fakes.registry.of(DeletedFlowLog)} == {MINE}
