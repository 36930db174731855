"""A finding as a notification: the kind of finding selects the text."""

from __future__ import annotations

from flowwarden.monitor.detectors import BY_NAME
from flowwarden.monitor.findings import (
    Finding,
    InterfaceFinding,
    SurplusFinding,
    TrafficFinding,
    UnparsedFinding,
)
from flowwarden.monitor.render import page, rollup, telemetry, unparsed
from flowwarden.monitor.render.parts import RenderContext
from flowwarden.monitor.render.text import describe
from flowwarden.notify.course import Course
from flowwarden.notify.crowd import Crowd
from flowwarden.notify.draft import Draft
from flowwarden.notify.notification import Notification


def render(
    finding: Finding, key: str, context: RenderContext, crowd: Crowd | Course | None = None
) -> Notification | Draft:
    """The notification about a finding; `key` identifies its incident, `crowd` its other findings.

    Raises:
        TypeError: the kind of finding has no text.
    """
    match finding:
        case TrafficFinding():
            return page.draft(finding, key, context, crowd)
        case InterfaceFinding():
            return telemetry.draft(finding, key, context)
        case UnparsedFinding():
            return unparsed.draft(finding, key, context)
        case SurplusFinding():
            detector, summary = BY_NAME[finding.detector], describe(finding).summary
            quiet = (detector.quiet,)
            return rollup.render([summary], finding.count, context, detector.route, key, quiet)
        case _:
            raise TypeError(f"no text for a {type(finding).__name__}")
