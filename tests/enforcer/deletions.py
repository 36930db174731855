"""An account in which flow logs are deleted, and the events about it, for the tests of deletions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from msgspec.structs import replace

from flowwarden.enforcer.creation import ManagedFlowLog
from flowwarden.enforcer.deletion_call import DeletionCall
from flowwarden.enforcer.reconcile import Enforcer
from flowwarden.enforcer.registry import DeletedFlowLog
from flowwarden.enforcer.reporting.report import EnforcementReport
from flowwarden.enforcer.state.inventory import FlowLog, Vpc
from flowwarden.enforcer.triggers import trigger
from flowwarden.errors import EnforcementIncomplete, PublishFailed
from flowwarden.policy.flow_logs import Exemption, FlowLogsPolicy, Selection
from tests.enforcer.fakes import ACCOUNT, STACK, Fakes
from tests.enforcer.fakes_ec2 import FakeEc2
from tests.enforcer.runs import BORN, deliver, existing, own

EVE = f"arn:aws:iam::{ACCOUNT}:user/eve"
POLICY = FlowLogsPolicy(exemptions=(Exemption(where=Selection(tags={"lab": "*"}), reason="a lab"),))
RETRY_EVENT = {"detail-type": "Scheduled Event", "detail": {"run": "retry"}}
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
        self.fakes.clock.left = 300
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
            self.invoke(RETRY_EVENT, 300)

    @property
    def known_to_be_reported(self) -> set[str]:
        """The flow logs whose deletion is marked as reported."""
        registry = self.fakes.registry
        apart = {each.flow_log_id for each in registry.of(DeletedFlowLog) if each.reported}
        return apart.union(*(each.reported for each in registry.of(DeletionCall)))

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
    """Create another unmanaged flow log in the VPC."""
    found = existing(flow_log_id="fl-decoy", tags={}, creation_time=account.now)
    account.ec2.existing.append(replace(found, **changes))


def exempt(account: Account) -> None:
    """Exempt the VPC by a tag."""
    account.ec2.vpcs_listed[0] = Vpc(vpc_id="vpc-1", owner_id=ACCOUNT, tags={"lab": "x"})


def lose_reports(account: Account) -> None:
    """Let the sink refuse the next report."""
    account.fakes.sink.away = True


def begin(account: Account, event: dict[str, Any]) -> tuple[Enforcer, EnforcementReport]:
    """A run that has not sent its report yet."""
    account.fakes.clock.left = 300
    service = account.fakes.service(account.policy)
    return service, service.reconcile(trigger.read(event, STACK), account.now)
