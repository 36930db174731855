"""The runbook of each detector, from its declaration, its example page, and what is written by hand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from flowwarden.monitor.detectors import DETECTORS
from flowwarden.monitor.detectors.base import Detector
from flowwarden.monitor.render import rollup
from flowwarden.notify import held
from flowwarden.notify.alert import Route
from flowwarden.policy.detection import Thresholds
from local.docs_detectors import ROUTES, module_of, paragraphs_of, wrapped
from local.docs_runbook_page import FOLDER, ROOT, SHELL, Written, sections, table

EXAMPLES: Final = ROOT / "tests" / "monitor" / "render" / "golden"
"""The notification of each detector about its example."""
HARMLESS: Final = "**False positives:**"
HOW_TO_MUTE: Final = """\
Each notification contains the mute for its finding. Give the reason, and add the line to
[`mutes`](../policy.md#mutes) in the policy. It ends after 7 days unless you change `until`. For example:"""
BY_COMMAND: Final = """\
Or run the command below it, which mutes the incident without a deployment. If you work on the incident,
acknowledge it instead: it does not page again until it gets worse. KEY is the incident in the last lines of
the notification.

```sh
flowwarden incidents mute KEY --for 7d --reason TEXT
flowwarden incidents ack KEY --by NAME
```"""
WHO: Final = """\
```sh
# Which host it is, and which security groups it has
aws ec2 describe-network-interfaces --filters Name=addresses.private-ip-address,Values=HOST --output json \\
  --query 'NetworkInterfaces[].{interface:NetworkInterfaceId,type:InterfaceType,what:Description,\
instance:Attachment.InstanceId,subnet:SubnetId,groups:Groups[].GroupId}'
# What it is for, and who started it
aws ec2 describe-instances --instance-ids INSTANCE --output json \\
  --query 'Reservations[].Instances[].{started:LaunchTime,profile:IamInstanceProfile.Arn,tags:Tags}'
aws cloudtrail lookup-events --lookup-attributes AttributeKey=ResourceName,AttributeValue=INSTANCE \\
  --max-items 10 --query 'Events[].[EventTime,EventName,Username]' --output text
```
"""
SILENT: Final = {
    Route.DIGEST: "It sends no notifications: its findings are in the hourly digest and the monitor's log.",
    Route.LOG: "It sends no notifications: its findings are only counted and logged.",
}


def path_of(name: str) -> Path:
    """The runbook of a detector."""
    return FOLDER / f"{name}.md"


def pages() -> Iterator[tuple[Path, str]]:
    """Every runbook of a detector, and that of the roll-up."""
    for detector in DETECTORS:
        yield path_of(detector.name), _page(detector)
    yield path_of(rollup.NAME), _rollup()


def _page(detector: Detector) -> str:
    path = path_of(detector.name)
    written = Written.of(path)
    text = sections(
        f"Runbook: `{detector.name}`",
        wrapped(f"{detector.summary[:1].upper()}{detector.summary[1:]}."),
        table(_facts(detector)),
        {
            "What it means": (written.block("meaning"), _harmless(detector)),
            "How to check": (_shell(written), _who(detector), written.block("check")),
            "What to do": (_steps(detector.runbook), written.block("do")),
            "How to mute": (*_mute(detector), written.block("mute")),
        },
    )
    written.check(path)
    return text


def _facts(detector: Detector) -> Iterator[tuple[str, str]]:
    defaults = Thresholds()
    yield "Severity and route", f"{detector.severity}: {ROUTES[detector.route]}"
    if detector.technique:
        address = detector.technique.replace(".", "/")
        yield "ATT&CK", f"[{detector.technique}](https://attack.mitre.org/techniques/{address}/)"
    if detector.thresholds:
        values = ", ".join(f"`{name}` ({getattr(defaults, name)})" for name in detector.thresholds)
        yield "[Thresholds](../policy.md#thresholds)", values
    if detector.inhibits:
        yield "Inhibits", ", ".join(f"[`{name}`]({name}.md)" for name in detector.inhibits)
    yield "Details", f"[detectors.md](../detectors.md#{detector.name})"


def _harmless(detector: Detector) -> str:
    """The harmless causes, from the detector's docstring."""
    (found,) = [each for each in paragraphs_of(module_of(detector)) if each.startswith(HARMLESS)]
    return wrapped(found.replace(HARMLESS, "**Harmless causes:**", 1))


def _who(detector: Detector) -> str:
    """Commands about the host that a finding is about; findings for operations are about records."""
    return "" if detector.route is Route.OPERATIONS else WHO


def _shell(written: Written) -> str:
    return SHELL if written.uses("output") or written.uses("resource") else ""


def _steps(runbook: tuple[str, ...]) -> str:
    """The steps of a notification; each word in braces stands for a value of the finding."""
    steps = "\n".join(f"{number}. {step}" for number, step in enumerate(runbook, start=1))
    braces = "The notification has the values in place of the words in braces."
    return f"{steps}\n\n{braces}" if "{" in steps else steps


def _mute(detector: Detector) -> Iterator[str]:
    if detector.route in SILENT:
        yield SILENT[detector.route]
        return
    yield HOW_TO_MUTE
    yield f"```json\n{example_mute(detector.name)}\n```"
    yield BY_COMMAND


def example_mute(name: str) -> str:
    """The mute at the end of a detector's example page, as JSON."""
    _, brace, document = (EXAMPLES / f"{name}.txt").read_text().partition("\n{\n")
    mute: str = json.loads(brace.strip() + document)["mutes"].splitlines()[0]
    return mute


def _rollup() -> str:
    path = path_of(rollup.NAME)
    written = Written.of(path)
    routes = "; ".join(f"{severity}: {ROUTES[route]}" for route, severity in rollup.SEVERITY.items())
    steps = [f"On the {ROUTES[route]}:\n\n{_steps(steps)}" for route, steps in rollup.RUNBOOK.items()]
    steps.append(f"If the budget for pages is spent:\n\n{_steps(held.STEPS)}")
    text = sections(
        f"Runbook: `{rollup.NAME}`",
        wrapped(f"{rollup.SUMMARY[:1].upper()}{rollup.SUMMARY[1:]}."),
        table(
            [
                ("Severity and route", routes),
                ("Details", "[notifications.md](../notifications.md#roll-up)"),
            ]
        ),
        {
            "What it means": (written.block("meaning"),),
            "How to check": (_shell(written), written.block("check")),
            "What to do": (*steps, written.block("do")),
            "How to mute": (written.block("mute"),),
        },
    )
    written.check(path)
    return text
