"""Reads the telemetry enablement rules for VPC Flow Logs: implements `ports.TelemetryRuleService`.

The service is newer than some runtimes, and does not exist in every Region. An account that does not manage
its organization may not read the organization's rules.
"""

from __future__ import annotations

import math
from collections.abc import Callable
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
MOST_SECONDS: Final = 20.0
"""For the descriptions of all rules, one call each; so much must be left of the run afterward, too."""
VPC: Final = "AWS::EC2::VPC"
FLOW_LOGS: Final = "VPC_FLOW_LOGS"
_SCOPES: Final = (
    ("ListTelemetryRules", "GetTelemetryRule"),
    ("ListTelemetryRulesForOrganization", "GetTelemetryRuleForOrganization"),
)
"""The calls for an account, then those for its organization."""


class DescribedRules:
    """The rules of the client's account and region."""

    def __init__(self, make: Callable[[], Any], remaining: Callable[[], float] = lambda: math.inf) -> None:
        """Create no client yet: only a sweep needs it, and the SDK may not know the service.

        Args:
            make: creates the client.
            remaining: the seconds that the run has left.
        """
        self._make = make
        self._remaining = remaining

    def read(self) -> TelemetryRules:
        """See the port."""
        try:
            client = self._make()
        except SettingsError:
            return TelemetryRules(unread=f"{SERVICE}: not available in this runtime, whose SDK is older")
        until = max(self._remaining() - MOST_SECONDS, MOST_SECONDS)

        def has_time() -> bool:
            return self._remaining() >= until

        try:
            own = _rules(client, *_SCOPES[0], has_time)
        except EnforcementError as error:
            return TelemetryRules(unread=str(error))
        try:
            others = _rules(client, *_SCOPES[1], has_time)
        except CallRefused:
            return own  # most accounts do not manage their organization
        except EnforcementError as error:
            return TelemetryRules(rules=own.rules, unread=own.unread or str(error))
        unread = "; ".join(filter(None, (own.unread, others.unread)))
        return TelemetryRules(rules=(*own.rules, *others.rules), unread=unread)


def _rules(client: Any, listing: str, description: str, has_time: Callable[[], bool]) -> TelemetryRules:  # noqa: ANN401 - no stubs
    for operation in (listing, description):
        require(client, operation, {"RuleNamePrefix" if operation == listing else "RuleIdentifier": SINCE})
    named = [each for each in _summaries(client, listing) if each.text("ResourceType") == VPC]
    found: list[TelemetryRule] = []
    for number, each in enumerate(named):
        if not has_time():
            what = f"{len(named) - number} of {len(named)} telemetry enablement rules"
            unread = f"{description}: {what} were not read, because that takes too long"
            return TelemetryRules(rules=tuple(found), unread=unread)
        with classified(description):
            name = each.text("RuleArn") or each.text("RuleName")
            answer = Answer(getattr(client, xform_name(description))(RuleIdentifier=name))
        rule = answer.inner("TelemetryRule")
        sources = rule.texts("TelemetrySourceTypes") if "TelemetrySourceTypes" in rule else ()
        if not sources or FLOW_LOGS in sources:
            found.append(_rule(each.text("RuleName"), rule, of_organization=listing != _SCOPES[0][0]))
    return TelemetryRules(rules=tuple(found))


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
