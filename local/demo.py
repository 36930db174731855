"""`make demo`: runs the main scenario on an AWS emulator. Exits 0 only if all results are as expected."""

from __future__ import annotations

import json
import signal
import sys
import time
from datetime import UTC, datetime
from types import FrameType
from typing import Any

from msgspec.structs import replace

from flowwarden.monitor.baseline.peers import network_of
from local.cloudtrail_events import creation, failed_creation
from local.inbox import Delivery
from local.network import make_database, revoke
from local.scenario import TIMEOUT_SECONDS, Stage
from local.scenes import CIDR, POLICY, POSTGRES, REFUSED_AGO, Hosts, Scene, make_hosts, muted, scenes
from local.sending import applied
from local.server import EmbeddedAws, EmbeddedAwsError, relative
from local.stack import build, deploy
from local.terminal import Terminal

INTERRUPTED = 130
REVOKED_BEFORE = 240
"""Seconds from the change of the security group to the end of the minute with the first rejections."""


def main() -> int:
    """Run the demo; return the exit code."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end)
    terminal = Terminal()
    started = time.monotonic()
    try:
        with EmbeddedAws("demo") as aws:
            problems = demonstrate(terminal, aws)
    except KeyboardInterrupt:
        terminal.bad("interrupted; the AWS emulator is stopped")
        return INTERRUPTED
    except EmbeddedAwsError as error:
        terminal.bad(str(error))
        return 1
    terminal.scene("RESULT")
    if problems:
        terminal.bad(
            f"{problems} result(s) differ from the expected ones; log of the functions: {relative(aws.log)}"
        )
        return 1
    terminal.good(f"exactly the expected pages arrived; {time.monotonic() - started:.0f} s, emulator stopped")
    return 0


def demonstrate(terminal: Terminal, aws: EmbeddedAws) -> int:
    """Deploy the stack and run the scenario; return the number of unexpected results."""
    terminal.title(
        "FLOW WARDEN, ON AN AWS EMULATOR",
        f"ministack emulates AWS at {aws.endpoint}; no AWS account is used.",
    )
    with terminal.step("sam build"):
        built = build()
    with terminal.step("sam deploy, the real template"):
        stage = Stage(aws.clients, deploy(aws, built, {"Policy": json.dumps(POLICY)}))
    return narrate(terminal, stage)


def narrate(terminal: Terminal, stage: Stage) -> int:
    """Run the scenario on a deployed stack; return the number of unexpected results."""
    stage.stop_dispatching()
    vpc, problems = _creation(terminal, stage)
    problems += _sweeps(terminal, stage)
    hosts, pages = _with_database(stage, make_hosts(vpc)), list[Delivery]()
    for scene in scenes(hosts):
        if scene.revokes:
            problems += _revocation(terminal, stage, hosts)
        found, sent = _play(terminal, stage, scene)
        found += _names_the_rule(terminal, sent) if scene.revokes else 0
        problems, pages = problems + found, [*pages, *sent]
    (page,) = [each for each in pages if hosts.builder.address in each.subject]
    with applied({"POLICY": json.dumps(with_mute(page))}, stage.stack.monitor, stage.clients):
        problems += _play(terminal, stage, muted(hosts))[0]
    return problems + _resolved(terminal, stage, hosts.app.address)


def _with_database(stage: Stage, hosts: Hosts) -> Hosts:
    """The hosts; EC2 describes the database, and its traffic is learned."""
    now, network = int(time.time()), network_of(hosts.app.address)
    database = make_database(stage.clients, stage.stack, hosts.database, network, POSTGRES, now)
    return replace(hosts, database=database)


def _revocation(terminal: Terminal, stage: Stage, hosts: Hosts) -> int:
    """Revoke the database's rule; the enforcer stores the change for the monitor."""
    network, at = network_of(hosts.app.address), int(time.time()) - REFUSED_AGO - REVOKED_BEFORE
    terminal.scene("The rule of a security group is revoked")
    terminal.say(
        f"{hosts.database.address} no longer allows {network}, the network of the application. CloudTrail "
        "notifies EventBridge, whose rule invokes the enforcer. The event is as old as the records below."
    )
    detail = revoke(stage.clients, hosts.database, network, POSTGRES, at)
    stage.enforcer.skip()
    stage.rule_changes.send(detail)
    done = stage.enforcer.wait(1, TIMEOUT_SECONDS)
    return _check(
        terminal,
        stage.rule_changes.rule_matches(detail) and bool(done),
        "the deployed rule matches RevokeSecurityGroupIngress, and the enforcer stores the change for a day",
    )


def _names_the_rule(terminal: Terminal, pages: tuple[Delivery, ...]) -> int:
    """Whether the page names the missing rule, and who revoked it when."""
    text = "".join(each.text for each in pages)
    words = (
        "To           10.20.3.30 orders-db (internal)\n             Owner=data team, role tag:Role=database",
        "Blocked by   No inbound rule of sg-",
        "(database) allows tcp/5432 from 10.20.2.20; the closest is sgr-",
        "RevokeSecurityGroupIngress of sg-",
        "assumed-role/network-team/alex",
        "3 min before the first rejection",
    )
    return _check(
        terminal,
        all(each in text for each in words),
        "the page names the host and its owner, the missing rule, and who revoked it, when",
    )


def _play(terminal: Terminal, stage: Stage, scene: Scene) -> tuple[int, tuple[Delivery, ...]]:
    """Play a scene; return the number of unexpected results, and the pages."""
    terminal.scene(scene.title)
    terminal.say(scene.about)
    played = stage.play(scene, int(time.time()))
    for delivery in played.deliveries:
        terminal.notification(delivery.subject, delivery.text, played.seconds(delivery))
    return _judge(terminal, played.problems, scene.verdict), played.deliveries


def with_mute(page: Delivery) -> dict[str, Any]:
    """The policy with the mute at the end of a page, and a reason."""
    (line,) = [line for line in page.text.splitlines() if line.strip().startswith('{"detector"')]
    return POLICY | {"mutes": [json.loads(line) | {"reason": "The build agent checks its neighbors."}]}


def _resolved(terminal: Terminal, stage: Stage, blocked: str) -> int:
    """The dispatcher resolves the incident of the rejected connections of this host."""
    terminal.scene("9. The rejected connections are over")
    terminal.say(
        "The records of scenes 5 to 8 are more than an hour later than those of scenes 3 and 4, and no "
        "connection was rejected again. The dispatcher, which runs every minute, is invoked."
    )
    sent = time.monotonic()
    deliveries = stage.dispatch()
    for each in deliveries:
        terminal.notification(each.subject, each.text, each.arrived - sent)
    return _check(
        terminal,
        any(each.attributes.get("event") == "resolved" and blocked in each.text for each in deliveries),
        "the incident is resolved; the others, whose findings count for 6 hours, stay open",
    )


def _creation(terminal: Terminal, stage: Stage) -> tuple[str, int]:
    """Create a VPC and wait for its coverage; return its id and the number of unexpected results."""
    terminal.scene("A VPC is created")
    now = datetime.now(UTC)
    vpc = stage.clients.ec2.create_vpc(CidrBlock=CIDR)["Vpc"]["VpcId"]
    detail = creation(vpc, CIDR, now)
    terminal.say(
        f"{vpc} ({CIDR}) is created; CloudTrail notifies EventBridge, whose rule invokes the enforcer."
    )
    problems = _check(
        terminal,
        stage.cloudtrail.rule_matches(detail)
        and not stage.cloudtrail.rule_matches(failed_creation(CIDR, now)),
        "the deployed rule matches CreateVpc, and ignores a failed CreateVpc",
    )
    stage.enforcer.skip()
    sent = time.monotonic()
    stage.cloudtrail.send(detail)
    reports = stage.operations.wait(1, TIMEOUT_SECONDS)
    done = stage.enforcer.wait(1, TIMEOUT_SECONDS)
    for report in (*reports, *stage.operations.take()):
        terminal.notification(report.subject, report.text, report.arrived - sent)
    logs = stage.flow_logs(vpc)
    return vpc, problems + _check(
        terminal,
        bool(done) and [group for _, group in logs] == [stage.stack.flow_log_group] and len(reports) == 1,
        f"it is covered: {', '.join(f'{name} writes to {group}' for name, group in logs) or 'no flow log'}",
    )


def _sweeps(terminal: Terminal, stage: Stage) -> int:
    """The first sweep covers VPCs without an event; the second finds nothing to do."""
    terminal.scene("The sweep finds VPCs that no event reported")
    stage.clients.ec2.create_vpc(CidrBlock="10.21.0.0/16")
    uncovered = stage.uncovered()
    terminal.say(
        f"{len(uncovered)} VPCs have no flow log: the default VPC, which existed before the deployment, and "
        "one whose event was lost. CloudTrail delivers on a best-effort basis; the sweep finds such VPCs."
    )
    first = stage.sweep()
    problems = _check(
        terminal,
        first.metrics.get("FlowLogsCreated") == len(uncovered)
        and len(first.deliveries) == 1
        and not stage.uncovered(),
        f"the sweep creates their flow logs, and sends operations {len(first.deliveries)} report",
    )
    second = stage.sweep()
    return problems + _check(
        terminal,
        second.metrics.get("FlowLogsCreated") == 0 and not second.deliveries,
        f"a second sweep checks {second.metrics.get('VpcsCovered', 0):g} VPCs and finds nothing to do",
    )


def _check(terminal: Terminal, holds: bool, statement: str) -> int:  # noqa: FBT001  # the value under test
    if holds:
        terminal.good(statement)
        return 0
    terminal.bad(f"failed: {statement}")
    return 1


def _judge(terminal: Terminal, problems: tuple[str, ...], verdict: str) -> int:
    for problem in problems:
        terminal.bad(problem)
    if not problems:
        terminal.good(verdict)
    return len(problems)


def _end(_number: int, _frame: FrameType | None) -> None:
    """Unwind the stack, so that everything is stopped."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
