"""What each detector says of a record: its finding, or what it measured and why the record did not count."""

from __future__ import annotations

from msgspec import Struct

from flowwarden.monitor.detectors import BY_NAME, DETECTORS
from flowwarden.monitor.findings import Finding, TrafficFinding, vpc_of
from flowwarden.monitor.measured import Measured
from flowwarden.monitor.measures import MEASURES
from flowwarden.monitor.measures.asked import Answer, Asked
from flowwarden.monitor.render.text import describe
from flowwarden.monitor.report import BatchReport
from flowwarden.monitor.view import BatchView
from flowwarden.network.direction import DirectedFlow
from flowwarden.records.model import Action
from flowwarden.replay.explain.model import Amount, Judgment, Outcome
from flowwarden.replay.explain.outcome import Reported, fate_of


class Seen(Struct, frozen=True):
    """A batch, and the incidents up to it."""

    report: BatchReport
    view: BatchView
    reported: Reported


def is_about(finding: Finding, directed: DirectedFlow) -> bool:
    """Whether a finding is about the connection of a flow: its ends and its service are those of the finding.

    Addresses are unique in a VPC only. A finding about a role or a subnet can be about hosts of several.
    """
    if not isinstance(finding, TrafficFinding):
        return False
    if BY_NAME[finding.detector].rejects and directed.flow.action is not Action.REJECT:
        return False
    if finding.subject in {directed.client, directed.server} and vpc_of(finding) != (
        directed.flow.vpc_id or ""
    ):
        return False
    tally = finding.tally
    return (
        any(name == directed.client for name, _ in tally.clients)
        and any(name == directed.server for name, _ in tally.servers)
        and any(each == (directed.flow.protocol, directed.service_port) for each, _ in tally.services)
    )


def judgments(seen: Seen, asked: Asked) -> list[Judgment]:
    """What all detectors say of a flow of the batch, in their order."""
    return [each for detector in DETECTORS for each in _of_detector(detector.name, seen, asked)]


def _of_detector(name: str, seen: Seen, asked: Asked) -> list[Judgment]:
    answer = MEASURES[name](asked)
    found = [each for each in seen.report.found if each.detector == name and is_about(each, asked.directed)]
    if found:
        return [flagged(each, seen, answer) for each in found]
    return [
        Judgment(
            detector=name,
            flagged=False,
            outcome=Outcome.NOTHING,
            measured=_amounts(answer.measured),
            why_not=answer.why_not,
        )
    ]


def flagged(finding: Finding, seen: Seen, answer: Answer | None = None) -> Judgment:
    """The judgment of a detector that found something."""
    fate, text = fate_of(finding, seen.report, seen.view, seen.reported), describe(finding)
    return Judgment(
        detector=finding.detector,
        flagged=True,
        outcome=fate.outcome,
        subject=finding.subject,
        summary=text.summary,
        because=text.because,
        severity=finding.severity.value,
        incident=fate.incident,
        suppressed_by=fate.by,
        mute=fate.mute,
        measured=_amounts(answer.measured) if answer else [],
    )


def _amounts(measured: tuple[Measured, ...]) -> list[Amount]:
    return [
        Amount(
            what=each.what,
            value=round(each.value, 1),
            limit=each.limit,
            reached=each.reached,
            threshold=each.threshold,
            below=each.below,
            needed=each.needed,
        )
        for each in measured
    ]
