"""Security Hub: a finding in its own format (ASFF) for each incident, which is archived when it is resolved.

Other notifications are no findings, and are not sent. Security Hub takes the same finding twice without harm.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, Final

from flowwarden.notify.alert import Route
from flowwarden.notify.notification import Notification
from flowwarden.printable import one_line
from flowwarden.sinks.base import Findings, SinkKind
from flowwarden.sinks.ocsf import PRODUCT
from flowwarden.sinks.view import View, view_of

SCHEMA: Final = "2018-10-08"
TYPE: Final = "Unusual Behaviors/Network Flow"
MAX_TITLE: Final = 256
MAX_DESCRIPTION: Final = 1024
MAX_ADVICE: Final = 512
MAX_FIELD: Final = 2048
"""Characters of a product field."""
MAX_FINDINGS: Final = 100
"""Findings in a call."""
SEVERITIES: Final = {"info": "INFORMATIONAL", "medium": "MEDIUM", "high": "HIGH", "critical": "CRITICAL"}
FIELDS: Final = (
    "incident",
    "event",
    "log_group",
    "vpc",
    "service",
    "because",
    "likely",
    "technique",
    "query",
)
"""Members of the document that are product fields."""
_ARN_PARTS: Final = 6


class SecurityHubSink:
    """Imports findings into the account and Region of the stack."""

    name = "securityhub"

    def __init__(self, product: str, findings: Findings, now: Callable[[], float]) -> None:
        """Import findings of the product with this ARN; `now` is the time in Unix seconds."""
        self._product = product
        self._findings = findings
        self._now = now

    def send(self, notification: Notification) -> None:
        """Import the findings of a notification. Raises PublishFailed."""
        view, now = view_of(notification), self._now()
        about = [each for each in view.resolved or (view,) if each.has_life]
        for begin in range(0, len(about), MAX_FINDINGS):
            some = about[begin : begin + MAX_FINDINGS]
            self._findings.put([finding(each, self._product, now) for each in some])


def finding(view: View, product: str, now: float) -> dict[str, Any]:
    """The finding of an incident at `now` (Unix seconds), of the product with this ARN."""
    _, partition, _, region, account, *_ = [*product.split(":"), *[""] * _ARN_PARTS]
    severity = {"Label": SEVERITIES.get(view.severity, "MEDIUM"), "Original": view.severity}
    title = one_line(view.summary, MAX_TITLE) or view.kind
    created = view.first if view.first is not None else int(now)
    return {
        "SchemaVersion": SCHEMA,
        "Id": f"flow-warden/{region}/{account}/{view.incident}",
        "ProductArn": product,
        "ProductName": PRODUCT,
        "GeneratorId": f"flow-warden/{', '.join(view.detectors) or view.kind}",
        "AwsAccountId": account,
        "Types": [TYPE],
        "CreatedAt": _iso(min(created, now)),
        "UpdatedAt": _iso(now),
        "Severity": severity,
        "FindingProviderFields": {"Severity": severity, "Types": [TYPE]},
        "Title": title,
        "Description": one_line(_description(view), MAX_DESCRIPTION) or title,
        "Remediation": {"Recommendation": dict(_recommendation(view))},
        "ProductFields": dict(_fields(view)),
        "Resources": [_resource(view, partition, region, account)],
        "RecordState": "ARCHIVED" if view.is_over else "ACTIVE",
    }


def _description(view: View) -> str:
    """The sentence, its evidence and the likely cause; `...` marks truncation."""
    parts = (view.summary, view.because, f"Likely cause: {view.likely}." if view.likely else "")
    return " ".join(part for part in parts if part)


def _recommendation(view: View) -> Iterator[tuple[str, str]]:
    yield "Text", one_line(" ".join(view.advice), MAX_ADVICE) or "See the notification of the incident."
    if view.runbook.startswith("https://"):
        yield "Url", view.runbook


def _fields(view: View) -> Iterator[tuple[str, str]]:
    for name in FIELDS:
        found = view.details.get(name)
        if isinstance(found, str) and found:
            yield f"flow-warden/{name}", one_line(found, MAX_FIELD)


def _resource(view: View, partition: str, region: str, account: str) -> dict[str, str]:
    """The interface that logged the records, or what the incident is about."""
    place = {"Partition": partition, "Region": region}
    interface = view.details.get("interface")
    if isinstance(interface, str) and interface.startswith("eni-"):
        arn = f"arn:{partition}:ec2:{region}:{account}:network-interface/{interface}"
        return {"Type": "AwsEc2NetworkInterface", "Id": arn, **place}
    return {"Type": "Other", "Id": one_line(view.subject or view.account or PRODUCT), **place}


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


KIND: Final = SinkKind(
    name=SecurityHubSink.name,
    title="Security Hub",
    parameter="SecurityHub",
    has_secret=False,
    routes=(Route.PAGES,),
    limits=("256 characters of the title", "1,024 characters of the description", "100 findings a call"),
    needs_end=True,
    make=lambda product, edges: SecurityHubSink(product, edges.findings(), edges.now),
)
