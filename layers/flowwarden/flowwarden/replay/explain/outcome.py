"""What became of a finding: sent, or suppressed, and by what. Pure."""

from __future__ import annotations

from typing import Any

from msgspec import Struct, to_builtins

from flowwarden.monitor.detectors import BY_NAME, internet_rejects
from flowwarden.monitor.findings import Finding, TrafficFinding
from flowwarden.monitor.mutes import matches
from flowwarden.monitor.report import BatchReport, route_of
from flowwarden.monitor.view import BatchView
from flowwarden.replay.explain.model import Outcome

type Reported = dict[tuple[str, str], str]
"""The key of the last incident by detector and subject."""


class Fate(Struct, frozen=True, kw_only=True):
    """What became of a finding."""

    outcome: Outcome
    incident: str = ""
    """The key of its incident."""
    by: str = ""
    """What suppresses it, in words."""
    mute: dict[str, Any] | None = None


def note(reported: Reported, report: BatchReport) -> None:
    """Note the incidents of a batch."""
    for key, findings in report.incidents.items():
        reported.update(((each.detector, each.subject), key) for each in findings)


def fate_of(finding: Finding, report: BatchReport, view: BatchView, reported: Reported) -> Fate:
    """What became of a finding of a batch; `reported` has the incidents up to this batch."""
    if finding.muted:
        return _muted(finding, view)
    if finding.inhibited:
        return _inhibited(finding, reported)
    if finding.silenced:
        return Fate(outcome=Outcome.EXEMPT, by=f"exempt: the policy exempts {finding.subject}")
    if finding.report_only:
        by = f"report_only: the policy lists {finding.detector}; it is a row of the {route_of(finding).value}"
        return Fate(outcome=Outcome.REPORT_ONLY, by=by)
    if not finding.severity.pages:
        return _quiet(finding, view)
    return _delivered(finding, report)


def _muted(finding: Finding, view: BatchView) -> Fate:
    alike = (each for each in view.policy.mutes if each.reason == finding.muted)
    found = next((each for each in alike if matches(each, finding, view.hosts)), None)
    document = None if found is None else to_builtins(found)
    return Fate(outcome=Outcome.MUTED, by=f"mute: {finding.muted}", mute=document)


def _inhibited(finding: Finding, reported: Reported) -> Fate:
    subnet = finding.example.flow.subnet_id if isinstance(finding, TrafficFinding) else None
    keys = ((finding.inhibited, each or "") for each in (finding.subject, subnet))
    key = next((reported[each] for each in keys if each in reported), "")
    incident = f", incident {key}" if key else ""
    return Fate(outcome=Outcome.INHIBITED, by=f"inhibition: {finding.inhibited} explains it{incident}")


def _quiet(finding: Finding, view: BatchView) -> Fate:
    detector = BY_NAME[finding.detector]
    listed = f"it is a row of the {route_of(finding).value}"
    if finding.detector == internet_rejects.DETECTOR.name:
        return Fate(
            outcome=Outcome.NOISE, by="internet noise: rejected attempts from the internet never page"
        )
    if not detector.severity.pages:
        return Fate(outcome=Outcome.LISTED, by=f"{detector.name} never pages; {listed}")
    if _is_learned(finding, view):
        return Fate(outcome=Outcome.LEARNING, by=f"learning: a role is still learned; {listed}")
    return Fate(outcome=Outcome.WAITING, by=f"the evidence so far does not page; {listed}")


def _is_learned(finding: Finding, view: BatchView) -> bool:
    """Whether new behavior is still learned, for the account or a role of the finding."""
    if view.all_is_new or not isinstance(finding, TrafficFinding):
        return view.all_is_new
    here = view.profile(finding.example.flow.interface_id, finding.example.flow.start or -1)
    return here.learning or view.client_of(finding.example).learning


def _delivered(finding: Finding, report: BatchReport) -> Fate:
    delivery = report.delivery
    keys = (key for key, some in report.incidents.items() if any(each is finding for each in some))
    key = next(keys, "")
    if key in delivery.sent:
        return Fate(outcome=Outcome.SENT, incident=key)
    if key in delivery.known:
        by = f"repeat: incident {key} was notified before"
        return Fate(outcome=Outcome.REPEAT, incident=key, by=by)
    if delivery.held:
        by = "budget: the budget for pages is spent; one page of the hour names it"
        return Fate(outcome=Outcome.HELD, incident=key, by=by)
    if delivery.rolled_up:
        by = "roll-up: one notification of its batch stands for it and others"
        return Fate(outcome=Outcome.ROLLED_UP, incident=key, by=by)
    return Fate(outcome=Outcome.UNSENT, incident=key, by="the sink or the state table did not answer")
