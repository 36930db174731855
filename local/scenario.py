"""Runs scenes on a deployed stack and compares the notifications and metrics with the expected ones."""

from __future__ import annotations

import json
import time
from collections import Counter
from datetime import UTC, datetime

from msgspec import Struct

from local import feed
from local.clients import Clients
from local.cloudtrail_events import CHANGED_RULE, CloudTrailEvents, scheduled
from local.inbox import Delivery, Inbox
from local.invocations import Invocation, InvocationWatcher
from local.scenes import Scene
from local.stack import Stack

TIMEOUT_SECONDS = 45
"""Maximum wait for an expected result: a cold start on a busy machine takes a few seconds."""


class SceneResult(Struct, frozen=True, kw_only=True):
    """The result of a scene."""

    deliveries: tuple[Delivery, ...]
    written_at: float
    """The time when the records were written, by `time.monotonic()`."""
    metrics: dict[str, float]
    problems: tuple[str, ...]
    """Differences from the expected result; empty if there are none."""

    def seconds(self, delivery: Delivery) -> float:
        """Seconds from writing the records to the arrival of the notification."""
        return delivery.arrived - self.written_at


class SweepResult(Struct, frozen=True, kw_only=True):
    """The result of a sweep."""

    deliveries: tuple[Delivery, ...]
    metrics: dict[str, float]


class Stage:
    """The deployed stack on the AWS emulator, with an inbox at each topic."""

    def __init__(self, clients: Clients, stack: Stack) -> None:
        self.clients = clients
        self.stack = stack
        self.pages = Inbox(self.clients, stack.pages_topic)
        self.operations = Inbox(self.clients, stack.operations_topic)
        self.cloudtrail = CloudTrailEvents(self.clients, stack)
        self.rule_changes = CloudTrailEvents(self.clients, stack, CHANGED_RULE)
        self.monitor = InvocationWatcher(self.clients, stack.monitor)
        self.enforcer = InvocationWatcher(self.clients, stack.enforcer)

    def play(self, scene: Scene, now: int) -> SceneResult:
        """Write a scene's records, wait until the monitor has processed them, and compare the results.

        Pages are sent before the invocation ends. So when all batches are done, no further page can arrive,
        and the absence of pages needs no extra waiting time.
        """
        self.monitor.skip()
        written_at = time.monotonic()
        written = feed.write(self.clients, self.stack, scene.conversations, now - scene.ago)
        deliveries = self.pages.wait(len(scene.pages), TIMEOUT_SECONDS) if scene.pages else []
        done = self.monitor.wait(written.batches, TIMEOUT_SECONDS)
        deliveries += self.pages.take()
        metrics = _sum(done)
        return SceneResult(
            deliveries=tuple(deliveries),
            written_at=written_at,
            metrics=metrics,
            problems=(
                *_compare_pages(scene, deliveries),
                *_compare_metrics(scene, written, metrics),
                *(f"unexpected at the operations topic: {each.subject}" for each in self.operations.take()),
            ),
        )

    def stop_dispatching(self) -> None:
        """Stop the dispatcher's schedule: the scenes would end differently if it ran between two of them."""
        self.clients.events.disable_rule(Name=self.stack.resources["DispatchSchedule"])

    def dispatch(self) -> list[Delivery]:
        """Run the dispatcher, as its schedule does each minute; return the pages that it sends."""
        self.clients.functions.invoke(FunctionName=self.stack.resources["DispatcherFunction"], Payload=b"{}")
        return self.pages.wait(1, TIMEOUT_SECONDS)

    def flow_logs(self, vpc: str) -> list[tuple[str, str]]:
        """The flow logs of a VPC: id and log group."""
        answer = self.clients.ec2.describe_flow_logs(Filters=[{"Name": "resource-id", "Values": [vpc]}])
        # The AWS emulator returns the log group in the member for other destinations.
        return [
            (each["FlowLogId"], each.get("LogGroupName") or each.get("LogDestination", ""))
            for each in answer["FlowLogs"]
        ]

    def uncovered(self) -> list[str]:
        """The VPCs without any flow log, also of a subnet or an interface."""
        ec2 = self.clients.ec2
        covered = {each["ResourceId"] for each in ec2.describe_flow_logs()["FlowLogs"]}
        parts = [
            *((each["VpcId"], each["SubnetId"]) for each in ec2.describe_subnets()["Subnets"]),
            *(
                (each["VpcId"], each["NetworkInterfaceId"])
                for each in ec2.describe_network_interfaces()["NetworkInterfaces"]
            ),
        ]
        covered |= {vpc for vpc, part in parts if part in covered}
        return [each["VpcId"] for each in ec2.describe_vpcs()["Vpcs"] if each["VpcId"] not in covered]

    def sweep(self) -> SweepResult:
        """Invoke the enforcer like its schedule, and wait until it is done."""
        self.enforcer.skip()
        self.clients.functions.invoke(
            FunctionName=self.stack.enforcer,
            InvocationType="Event",
            Payload=json.dumps(scheduled(datetime.now(UTC))).encode(),
        )
        done = self.enforcer.wait(1, TIMEOUT_SECONDS)
        if not done:
            raise TimeoutError(f"the enforcer did not finish its sweep within {TIMEOUT_SECONDS} s")
        metrics = _sum(done)
        if not metrics:
            lines = "\n".join(line for each in done for line in each.lines)
            raise RuntimeError(f"the enforcer's sweep emitted no metrics; its log:\n{lines}")
        return SweepResult(deliveries=tuple(self.operations.take()), metrics=metrics)


def _sum(invocations: list[Invocation]) -> dict[str, float]:
    totals: dict[str, float] = {}
    for each in invocations:
        for name, value in each.metrics.items():
            totals[name] = totals.get(name, 0) + value
    return totals


def _compare_pages(scene: Scene, deliveries: list[Delivery]) -> list[str]:
    expected, arrived = Counter(scene.pages), Counter(each.detector for each in deliveries)
    missing = [f"missing page from {name}" for name in (expected - arrived).elements()]
    surplus = arrived - expected
    unexpected = [f"unexpected page: {each.subject}" for each in deliveries if each.detector in surplus]
    return missing + unexpected


def _compare_metrics(scene: Scene, written: feed.Written, metrics: dict[str, float]) -> list[str]:
    """Includes the number of flows; without it, a monitor that crashed would look like a quiet one."""
    expected = {"Flows": written.records, "Notifications": len(scene.pages)} | scene.metrics
    return [
        f"metric {name}: expected {value}, got {metrics.get(name, 0):g}"
        for name, value in expected.items()
        if metrics.get(name, 0) != value
    ]
