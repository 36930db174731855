"""`make demo`: the main job on an embedded AWS, told as a story. Exits 0 only if it ends as expected."""

from __future__ import annotations

import json
import signal
import sys
import time
from datetime import UTC, datetime
from types import FrameType

from local.cloudtrail_events import creation, failed_creation
from local.scenario import PATIENCE_SECONDS, Stage
from local.scenes import CIDR, POLICY, cast, scenes
from local.server import EmbeddedAws, EmbeddedAwsError, relative
from local.stack import build, deploy
from local.terminal import Terminal

INTERRUPTED = 130


def main() -> int:
    """Play the story; return the exit code."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end)
    terminal = Terminal()
    started = time.monotonic()
    try:
        with EmbeddedAws("demo") as aws:
            problems = tell(terminal, aws)
    except KeyboardInterrupt:
        terminal.bad("interrupted; the embedded AWS is stopped")
        return INTERRUPTED
    except EmbeddedAwsError as error:
        terminal.bad(str(error))
        return 1
    terminal.scene("THE END")
    if problems:
        terminal.bad(
            f"{problems} thing(s) came out differently; what the functions said: {relative(aws.log)}"
        )
        return 1
    terminal.good(f"every page came, and no other; {time.monotonic() - started:.0f} s, all is stopped again")
    return 0


def tell(terminal: Terminal, aws: EmbeddedAws) -> int:
    """Deploy and tell the story; return how many things came out differently."""
    terminal.title(
        "FLOW WARDEN, ON AN EMBEDDED AWS",
        f"ministack plays AWS at {aws.endpoint}; no AWS account is touched.",
    )
    with terminal.step("sam build"):
        built = build(aws.name)
    with terminal.step("sam deploy, the real template"):
        stage = Stage(aws, deploy(aws, built, {"Policy": json.dumps(POLICY)}))
    return narrate(terminal, stage)


def narrate(terminal: Terminal, stage: Stage) -> int:
    """Tell the story on a deployed stack; return how many things came out differently."""
    vpc, problems = _birth(terminal, stage)
    problems += _sweeps(terminal, stage)
    for scene in scenes(cast(vpc)):
        terminal.scene(scene.title)
        terminal.say(scene.about)
        played = stage.play(scene, int(time.time()))
        for delivery in played.deliveries:
            terminal.notification(delivery.subject, delivery.text, played.seconds(delivery))
        problems += _judge(terminal, played.problems, scene.verdict)
    return problems


def _birth(terminal: Terminal, stage: Stage) -> tuple[str, int]:
    """A VPC is created and covered; return its id, and how many things came out differently."""
    terminal.scene("A VPC is born")
    now = datetime.now(UTC)
    vpc = stage.clients.ec2.create_vpc(CidrBlock=CIDR)["Vpc"]["VpcId"]
    detail = creation(vpc, CIDR, now)
    terminal.say(f"{vpc} ({CIDR}) is created; CloudTrail tells EventBridge, the rule wakes the enforcer.")
    problems = _check(
        terminal,
        stage.births.rule_takes(detail) and not stage.births.rule_takes(failed_creation(CIDR, now)),
        "the deployed rule takes CreateVpc, and leaves a CreateVpc that failed alone",
    )
    stage.enforcer.skip()
    told = time.monotonic()
    stage.births.tell(detail)
    reports = stage.operations.wait(1, PATIENCE_SECONDS)
    done = stage.enforcer.wait(1, PATIENCE_SECONDS)
    for report in (*reports, *stage.operations.take()):
        terminal.notification(report.subject, report.text, report.arrived - told)
    logs = stage.flow_logs(vpc)
    return vpc, problems + _check(
        terminal,
        bool(done) and [group for _, group in logs] == [stage.stack.flow_log_group] and len(reports) == 1,
        f"it is covered: {', '.join(f'{name} writes to {group}' for name, group in logs) or 'no flow log'}",
    )


def _sweeps(terminal: Terminal, stage: Stage) -> int:
    """One sweep covers what no event told; the next finds nothing to do."""
    terminal.scene("The sweep, for what no event told")
    stage.clients.ec2.create_vpc(CidrBlock="10.21.0.0/16")
    unseen = stage.uncovered()
    terminal.say(
        f"{len(unseen)} VPCs have no flow log: the default VPC, which was there before us, and one whose "
        "event was lost. CloudTrail delivers on a best-effort basis; the hourly sweep makes up for it."
    )
    first = stage.sweep()
    problems = _check(
        terminal,
        first.metrics.get("FlowLogsCreated") == len(unseen)
        and len(first.deliveries) == 1
        and not stage.uncovered(),
        f"the sweep gives them their flow logs, and tells operations so in {len(first.deliveries)} report",
    )
    second = stage.sweep()
    return problems + _check(
        terminal,
        second.metrics.get("FlowLogsCreated") == 0 and not second.deliveries,
        f"a second sweep looks at {second.metrics.get('VpcsCovered', 0):g} VPCs and finds nothing to do",
    )


def _check(terminal: Terminal, holds: bool, statement: str) -> int:  # noqa: FBT001  # what it is about
    if holds:
        terminal.good(statement)
        return 0
    terminal.bad(f"not so: {statement}")
    return 1


def _judge(terminal: Terminal, problems: tuple[str, ...], verdict: str) -> int:
    for problem in problems:
        terminal.bad(problem)
    if not problems:
        terminal.good(verdict)
    return len(problems)


def _end(_number: int, _frame: FrameType | None) -> None:
    """Unwind, so that everything is stopped."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
