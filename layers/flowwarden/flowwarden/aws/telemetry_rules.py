"""Reads the telemetry enablement rules for VPC Flow Logs: implements `ports.TelemetryRuleService`.

The service is newer than some runtimes, and does not exist in every Region. An account that does not manage
its organization may not read the organization's rules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from botocore import xform_name

from flowwarden.aws.answers import Answer, listed
from flowwarden.aws.availability import require
from flowwarden.aws.errors import classified
from flowwarden.aws.pages import FEW, bounded
from flowwarden.enforcer.decide.telemetry_rules import DEFAULT_PATTERN, TelemetryRule, TelemetryRules
from flowwarden.errors import CallRefused, EnforcementError, SettingsError

ACTIONS = (
    "observabilityadmin:ListTelemetryRules",
    "observabilityadmin:GetTelemetryRule",
    "observabilityadmin:ListTelemetryRulesForOrganization",
    "observabilityadmin:GetTelemetryRuleForOrganization",
)
"""The IAM actions that this file needs."""

SERVICE: Final = "observabilityadmin"
SINCE: Final = "August 2025"
VPC: Final = "AWS::EC2::VPC"
FLOW_LOGS: Final = "VPC_FLOW_LOGS"
_SCOPES: Final = (
    ("ListTelemetryRules", "GetTelemetryRule"),
    ("ListTelemetryRulesForOrganization", "GetTelemetryRuleForOrganization"),
)
"""The calls for an account, then those for its organization."""


class DescribedRules:
    """The rules of the client's account and region."""

    def __init__(self, make: Callable[[], Any]) -> None:
        """Create no client yet: only a sweep needs it, and the SDK may not know the service."""
        self._make = make

    def read(self) -> TelemetryRules:
        """See the port."""
        try:
            client = self._make()
        except SettingsError:
            return TelemetryRules(unread=f"{SERVICE}: not available in this runtime, whose SDK is older")
        try:
            own = tuple(_rules(client, *_SCOPES[0]))
        except EnforcementError as error:
            return TelemetryRules(unread=str(error))
        try:
            return TelemetryRules(rules=(*own, *_rules(client, *_SCOPES[1])))
        except CallRefused:
            return TelemetryRules(rules=own)  # most accounts do not manage their organization
        except EnforcementError as error:
            return TelemetryRules(rules=own, unread=str(error))


def _rules(client: Any, listing: str, description: str) -> Iterator[TelemetryRule]:  # noqa: ANN401 - no stubs
    for operation in (listing, description):
        require(client, operation, {"RuleNamePrefix" if operation == listing else "RuleIdentifier": SINCE})
    for each in _summaries(client, listing):
        if each.text("ResourceType") != VPC:
            continue
        with classified(description):
            name = each.text("RuleArn") or each.text("RuleName")
            answer = Answer(getattr(client, xform_name(description))(RuleIdentifier=name))
        rule = answer.inner("TelemetryRule")
        sources = rule.texts("TelemetrySourceTypes") if "TelemetrySourceTypes" in rule else ()
        if not sources or FLOW_LOGS in sources:
            yield _rule(each.text("RuleName"), rule, of_organization=listing != _SCOPES[0][0])


def _summaries(client: Any, listing: str) -> list[Answer]:  # noqa: ANN401 - no stubs
    with classified(listing):
        pages = client.get_paginator(xform_name(listing)).paginate()
        return [
            Answer(each)
            for page in bounded(pages, FEW)
            for each in listed(listing, page, "TelemetryRuleSummaries")
        ]


def _rule(name: str, rule: Answer, *, of_organization: bool) -> TelemetryRule:
    destination = rule.inner("DestinationConfiguration")
    parameters = destination.inner("VPCFlowLogParameters")
    return TelemetryRule(
        name=name,
        of_organization=of_organization,
        pattern=destination.text("DestinationPattern") or DEFAULT_PATTERN,
        log_format=parameters.text("LogFormat"),
        traffic_type=parameters.text("TrafficType"),
        criteria=rule.text("SelectionCriteria"),
    )
