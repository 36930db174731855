"""unjudged-records: records that no detector judges, such as those of transit gateways.

What: a batch with records that name neither an interface nor an action. Reported to operations, once for each
    log group and suppression window.
Why: records of transit gateway flow logs show neither the side (ingress or egress) nor whether the traffic
    was accepted. The same is true for log formats without `interface-id` and `action`. No detector finds
    anything in them, so the absence of alerts proves nothing.
False positives: the same traffic is also in a VPC's flow log. Then remove the subscription filter from the
    log group with these records.
Events: transit-gateway.json.
ATT&CK: none; this is a limit of the records.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from msgspec import Struct

from flowwarden.monitor.caches.state import StateView
from flowwarden.monitor.detectors.base import Detector
from flowwarden.monitor.findings import InterfaceFinding, Severity
from flowwarden.monitor.text import Text
from flowwarden.monitor.view import BatchView
from flowwarden.notify.alert import Route
from flowwarden.policy.detection import Thresholds
from flowwarden.printable import one_line
from flowwarden.records.columnar.tokenizer import ABSENT, Integers
from flowwarden.state.sets import HOUR

_PLACES: Final = ("interface_id", "resource_id")


class Facts(Struct, frozen=True):
    """The evidence for the finding."""

    unjudged: int
    records: int
    """All records of the batch."""


type UnjudgedRecords = InterfaceFinding[Facts]


def detect(view: BatchView, _state: StateView, _thresholds: Thresholds) -> list[UnjudgedRecords]:
    """One finding if records of the batch name neither an interface nor an action."""
    flows = view.records.flows
    unjudged = flows["action"] == ABSENT
    for name in _PLACES if np.count_nonzero(unjudged) else ():
        unjudged &= flows[name] == ABSENT
    count = int(np.count_nonzero(unjudged))
    if not count:
        return []
    starts, ends = (_times(flows[name][unjudged]) for name in ("start", "end"))
    first, last = min(starts, default=None), max(ends, default=None)
    facts = Facts(unjudged=count, records=len(flows))
    return [DETECTOR.interface_finding(view.batch.log_group, (), first=first, last=last, facts=facts)]


def _times(column: Integers) -> list[int]:
    """The times that the records contain."""
    times: list[int] = column[column != ABSENT].tolist()
    return times


def text(finding: UnjudgedRecords) -> Text:
    """The finding in words."""
    facts = finding.facts
    return Text(
        summary=(
            f"{facts.unjudged:,} of {facts.records:,} records in {one_line(finding.subject)} cannot be "
            "judged: they contain neither an interface nor an action."
        ),
        brief=f"{facts.unjudged:,} of {facts.records:,} records cannot be judged: {finding.subject}",
        because="transit gateway flow logs, and log formats without these fields, produce such records",
    )


DETECTOR: Final = Detector(
    name="unjudged-records",
    summary="records without interface and action, such as those of transit gateways, are not judged",
    severity=Severity.MEDIUM,
    about_flows=False,
    route=Route.OPERATIONS,
    resolve_after=HOUR // 2,
    runbook=(
        "If the records come from a transit gateway: create a flow log for each VPC attached to it.",
        "If they come from a VPC: add the fields interface-id and action to the format of its flow log.",
        "If another tool inspects these records: remove the subscription filter from {log_group}.",
    ),
    detect=detect,
    text=text,
)
