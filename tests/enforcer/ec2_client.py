"""A hand-written fake of the boto3 client of EC2: pages, eventual consistency, faults, and the real state.

`flow_logs` is the real state. DescribeFlowLogs shows a new flow log, and stops showing a deleted one, some
calls late. A fault occurs before or after the call takes effect, as an exception or, where EC2 has that form,
as an `Unsuccessful` item of a response.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Any

from botocore.exceptions import ClientError, ReadTimeoutError

from flowwarden.enforcer.state.desired import MANAGED_TAG

PAGE = 3
"""Items per page: few, so that there are several pages."""
FIRST_ATTEMPT = 600
"""Seconds after which a flow log that cannot deliver has status FAILED."""


@dataclass
class Real:
    """The real state of a flow log."""

    described: dict[str, Any]
    delivers: bool
    shown_after: int = 0
    """The number of the first DescribeFlowLogs call that shows it."""
    gone_after: int | None = None
    """The number of the first DescribeFlowLogs call that no longer shows it; None while it exists."""


@dataclass
class Ec2Client:
    """The API calls that `aws.ec2` uses."""

    random: Random
    now: Callable[[], int]
    vpcs: list[dict[str, Any]] = field(default_factory=list)
    subnets: list[dict[str, Any]] = field(default_factory=list)
    interfaces: list[dict[str, Any]] = field(default_factory=list)
    instances: dict[str, str] = field(default_factory=dict)
    """Instance states."""
    flow_logs: dict[str, Real] = field(default_factory=dict)
    fault_rate: float = 0.0
    lag: int = 0
    unreadable: bool = False
    """Whether each description also contains an unreadable item."""
    broken_groups: set[str] = field(default_factory=set)
    """Destinations to which delivery fails."""
    pages: Counter[str] = field(default_factory=Counter)
    changes: list[str] = field(default_factory=list)
    always_throttled: set[str] = field(default_factory=set)
    """VPCs for which CreateFlowLogs is always throttled."""
    interrupt: Callable[[], object] | None = None
    """A callback that runs occasionally just before a change, such as another run."""
    ours: set[str] = field(default_factory=set)
    """The flow logs that the stack created."""
    harm: list[str] = field(default_factory=list)
    """Forbidden changes that were made."""
    _looks: int = 0
    _by_token: dict[str, str] = field(default_factory=dict)

    # ---- real state

    def there(self, vpc_id: str | None = None) -> list[Real]:
        """The flow logs that exist, of one VPC or of all."""
        real = [each for each in self.flow_logs.values() if each.gone_after is None]
        return [each for each in real if vpc_id is None or each.described["ResourceId"] == vpc_id]

    def recorded(self, vpc_id: str) -> set[str]:
        """The traffic types of a VPC that are really recorded: ACCEPT, REJECT."""
        types = {each.described["TrafficType"] for each in self.there(vpc_id) if each.delivers}
        return {"ACCEPT", "REJECT"} if "ALL" in types else types

    def add(self, described: dict[str, Any], *, delivers: bool = True) -> str:
        """Add an existing flow log."""
        flow_log_id = f"fl-{len(self.flow_logs):08x}"
        self.flow_logs[flow_log_id] = Real({"FlowLogId": flow_log_id, **described}, delivers)
        return flow_log_id

    # ---- API calls

    def get_paginator(self, call: str) -> Pages:
        """The paginator of a call, as in botocore."""
        return Pages(self, call)

    def listed(self, call: str) -> list[dict[str, Any]]:
        """All items that a describe call returns at this moment."""
        if call == "describe_instances":
            return [
                {"Instances": [{"InstanceId": each}], "state": state}
                for each, state in self.instances.items()
            ]
        if call != "describe_flow_logs":
            return list(getattr(self, {"describe_network_interfaces": "interfaces"}.get(call, call[9:])))
        self._looks += 1
        return [
            self._described(each)
            for each in self.flow_logs.values()
            if each.shown_after <= self._looks and (each.gone_after is None or self._looks < each.gone_after)
        ]

    def create_flow_logs(self, **asked: Any) -> dict[str, Any]:
        """Create, or refuse in one of the two forms."""
        (vpc_id,) = asked["ResourceIds"]
        self._interrupted()
        self.fault("CreateFlowLogs")
        if vpc_id in self.always_throttled:
            raise _error("CreateFlowLogs", "RequestLimitExceeded")
        token = asked["ClientToken"]
        if token in self._by_token:
            return {"FlowLogIds": [self._by_token[token]], "Unsuccessful": []}
        if not any(each["VpcId"] == vpc_id for each in self.vpcs):
            return self._refuse("CreateFlowLogs", vpc_id, "InvalidVpcID.NotFound")
        if any(_where(each.described) == _where(asked) for each in self.there(vpc_id)):
            return self._refuse("CreateFlowLogs", vpc_id, "FlowLogAlreadyExists")
        described = {
            "ResourceId": vpc_id,
            "CreationTime": datetime.fromtimestamp(self.now(), UTC),
            "Tags": asked["TagSpecifications"][0]["Tags"],
            **{name: asked[name] for name in _KEPT if name in asked},
        }
        flow_log_id = self.add(described, delivers=_where(asked) not in self.broken_groups)
        self.flow_logs[flow_log_id].shown_after = self._looks + 1 + self.random.randint(0, self.lag)
        self._by_token[token] = flow_log_id
        self.ours.add(flow_log_id)
        self.changes.append(f"create {flow_log_id} in {vpc_id}")
        self.fault("CreateFlowLogs")
        return {"FlowLogIds": [flow_log_id], "Unsuccessful": []}

    def delete_flow_logs(self, *, FlowLogIds: list[str]) -> dict[str, Any]:  # noqa: N803 - as EC2 names it
        """Delete, and record a forbidden deletion in `harm`."""
        self._interrupted()
        self.fault("DeleteFlowLogs")
        (flow_log_id,) = FlowLogIds
        real = self.flow_logs.get(flow_log_id)
        if real is None or real.gone_after is not None:
            return self._refuse("DeleteFlowLogs", flow_log_id, "InvalidFlowLogId.NotFound")
        vpc_id = real.described["ResourceId"]
        before = self.recorded(vpc_id)
        real.gone_after = self._looks + 1 + self.random.randint(0, self.lag)
        if lost := before - self.recorded(vpc_id):
            self.harm.append(f"{vpc_id} lost coverage of {sorted(lost)} by the deletion of {flow_log_id}")
        tagged = any(tag["Key"] == MANAGED_TAG for tag in real.described.get("Tags", []))
        if not tagged or flow_log_id not in self.ours:
            self.harm.append(f"{flow_log_id} is unmanaged")
        self.changes.append(f"delete {flow_log_id}")
        self.fault("DeleteFlowLogs")
        return {"Unsuccessful": []}

    def create_tags(self, *, Resources: list[str], Tags: list[dict[str, str]]) -> dict[str, Any]:  # noqa: N803 - as EC2 names it
        """Tag all of them or none, and record forbidden tagging in `harm`."""
        self._interrupted()
        self.fault("CreateTags")
        found = [self.flow_logs[each] for each in Resources]
        if any(each.gone_after is not None for each in found):
            raise _error("CreateTags", "InvalidFlowLogId.NotFound")
        for real in found:
            tags = {tag["Key"]: tag["Value"] for tag in real.described["Tags"]}
            if MANAGED_TAG not in tags or real.described["FlowLogId"] not in self.ours:
                self.harm.append(f"{real.described['FlowLogId']} is unmanaged")
            tags |= {tag["Key"]: tag["Value"] for tag in Tags}
            real.described["Tags"] = [{"Key": key, "Value": value} for key, value in tags.items()]
        self.changes.append(f"tag {', '.join(Resources)}")
        self.fault("CreateTags")
        return {}

    def _interrupted(self) -> None:
        interrupt, self.interrupt = self.interrupt, None
        if interrupt is not None and self.random.random() < 0.3:
            interrupt()
        self.interrupt = interrupt

    def fault(self, call: str) -> None:
        """Fail at random: throttled, with an internal error, or with a timeout."""
        if self.random.random() >= self.fault_rate:
            return
        kind = self.random.choice(["RequestLimitExceeded", "InternalError", "timeout"])
        if kind == "timeout":
            raise ReadTimeoutError(endpoint_url="https://ec2")
        raise _error(call, kind)

    def _described(self, real: Real) -> dict[str, Any]:
        created = real.described.get("CreationTime")
        age = self.now() - created.timestamp() if created else FIRST_ATTEMPT
        fails = not real.delivers and age >= FIRST_ATTEMPT
        status = (
            {"DeliverLogsStatus": "FAILED", "DeliverLogsErrorMessage": "Access error"}
            if fails
            else {"DeliverLogsStatus": "SUCCESS"}
        )
        return real.described | status

    def _refuse(self, call: str, resource: str, code: str) -> dict[str, Any]:
        if self.random.random() < 0.5:
            raise _error(call, code)
        return {
            "FlowLogIds": [],
            "Unsuccessful": [
                {"ResourceId": resource, "Error": {"Code": code, "Message": f"{code}: by the test"}}
            ],
        }


_KEPT = (
    "TrafficType",
    "LogDestinationType",
    "LogGroupName",
    "LogDestination",
    "LogFormat",
    "MaxAggregationInterval",
    "DestinationOptions",
    "DeliverLogsPermissionArn",
)


class Pages:
    """A paginator; a later page may fail after the first ones were returned."""

    def __init__(self, client: Ec2Client, call: str) -> None:
        self._client = client
        self._call = call

    def paginate(self, **asked: Any) -> Iterator[dict[str, Any]]:
        """The pages."""
        client, call = self._client, self._call
        items: list[dict[str, Any]] = [{}] * client.unreadable + [
            each for each in client.listed(call) if all(_fits(each, one) for one in asked.get("Filters", []))
        ]
        member = {
            "describe_vpcs": "Vpcs",
            "describe_subnets": "Subnets",
            "describe_flow_logs": "FlowLogs",
            "describe_network_interfaces": "NetworkInterfaces",
            "describe_instances": "Reservations",
        }[call]
        for start in range(0, max(1, len(items)), PAGE):
            client.pages[call] += 1
            client.fault(call)
            yield {member: items[start : start + PAGE]}


def _fits(item: dict[str, Any], wanted: dict[str, Any]) -> bool:
    if wanted["Name"] == "instance-id":
        return item["Instances"][0]["InstanceId"] in wanted["Values"]
    name = {"vpc-id": "VpcId", "resource-id": "ResourceId", "instance-state-name": "state"}[wanted["Name"]]
    return item.get(name) in wanted["Values"]


def _where(described: dict[str, Any]) -> str:
    return str(described.get("LogGroupName") or described.get("LogDestination"))


def _error(call: str, code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": f"{code}: by the test"}}, call)
