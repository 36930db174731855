"""Telemetry enablement rules, on a stub: no emulator has the service. None was seen on a live account."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.stub import Stubber

from flowwarden.aws.clients import make_client
from flowwarden.aws.telemetry_rules import ACTIONS, DescribedRules
from flowwarden.enforcer.decide.telemetry_rules import DEFAULT_PATTERN, TelemetryRule, TelemetryRules
from flowwarden.errors import SettingsError
from tests.aws.clients import REGION, client

ARN = f"arn:aws:observabilityadmin:{REGION}:111122223333:telemetry-rule/"
FORMAT = "${version} ${interface-id}"


def summary(name: str, resource: str = "AWS::EC2::VPC") -> dict[str, Any]:
    """A rule in a listing."""
    return {"RuleName": name, "RuleArn": f"{ARN}{name}", "ResourceType": resource, "TelemetryType": "Logs"}


def described(**members: Any) -> dict[str, Any]:
    """A rule with its settings."""
    return {
        "RuleName": "x",
        "TelemetryRule": {"ResourceType": "AWS::EC2::VPC", "TelemetryType": "Logs", **members},
    }


def read(*calls: tuple[str, dict[str, Any] | str]) -> TelemetryRules:
    """What is read with these responses or error codes."""
    service = client("observabilityadmin")
    with Stubber(service) as stub:
        for operation, answer in calls:
            if isinstance(answer, str):
                stub.add_client_error(operation, answer, "no")
            else:
                stub.add_response(operation, answer)
        found = DescribedRules(lambda: service).read()
        stub.assert_no_pending_responses()
    return found


NONE: dict[str, Any] = {"TelemetryRuleSummaries": []}


def test_only_rules_for_vpc_flow_logs_are_read_with_their_settings() -> None:
    """Over several pages; those of the organization come after those of the account."""
    destination = {
        "DestinationType": "cloud-watch-logs",
        "DestinationPattern": "/flow/<vpc-id>",
        "VPCFlowLogParameters": {"LogFormat": FORMAT, "TrafficType": "ALL"},
    }
    found = read(
        (
            "list_telemetry_rules",
            {"TelemetryRuleSummaries": [summary("eks", "AWS::EKS::Cluster")], "NextToken": "2"},
        ),
        ("list_telemetry_rules", {"TelemetryRuleSummaries": [summary("vpcs")]}),
        (
            "get_telemetry_rule",
            described(DestinationConfiguration=destination, SelectionCriteria="env = 'x'"),
        ),
        (
            "list_telemetry_rules_for_organization",
            {"TelemetryRuleSummaries": [summary("all"), summary("dns")]},
        ),
        ("get_telemetry_rule_for_organization", described(TelemetrySourceTypes=["VPC_FLOW_LOGS"])),
        (
            "get_telemetry_rule_for_organization",
            described(TelemetrySourceTypes=["ROUTE53_RESOLVER_QUERY_LOGS"]),
        ),
    )
    assert found == TelemetryRules(
        rules=(
            TelemetryRule(
                name="vpcs",
                pattern="/flow/<vpc-id>",
                log_format=FORMAT,
                traffic_type="ALL",
                criteria="env = 'x'",
            ),
            TelemetryRule(name="all", of_organization=True, pattern=DEFAULT_PATTERN),
        )
    )


@pytest.mark.parametrize(
    ("code", "unread"), [("AccessDeniedException", False), ("InternalServerException", True)]
)
def test_an_unreadable_organization_hides_no_rule_of_the_account(code: str, *, unread: bool) -> None:
    """Only its administrator may read its rules, so a refusal says nothing."""
    found = read(
        ("list_telemetry_rules", {"TelemetryRuleSummaries": [summary("vpcs")]}),
        ("get_telemetry_rule", described()),
        ("list_telemetry_rules_for_organization", code),
    )
    assert [each.name for each in found.rules] == ["vpcs"]
    assert bool(found.unread) is unread


def test_a_refusal_is_the_reason() -> None:
    """The caller reports it."""
    assert "AccessDeniedException" in read(("list_telemetry_rules", "AccessDeniedException")).unread


@pytest.mark.parametrize(("left", "number"), [([300.0, 299.0, 281.0, 279.0], 2), ([35.0, 21.0, 19.0], 1)])
def test_many_rules_are_read_for_a_limited_time_and_the_rest_is_counted(
    left: list[float], number: int
) -> None:
    """20 seconds, and 20 seconds are left for the run. The rules that were read are judged."""
    service, seconds = client("observabilityadmin"), iter([*left, *([left[-1]] * 10)])
    with Stubber(service) as stub:
        summaries = [summary(f"rule-{each}") for each in range(1000)]
        stub.add_response("list_telemetry_rules", {"TelemetryRuleSummaries": summaries})
        for _ in range(number):
            stub.add_response("get_telemetry_rule", described())
        stub.add_response("list_telemetry_rules_for_organization", {"TelemetryRuleSummaries": summaries[:1]})
        found = DescribedRules(lambda: service, lambda: next(seconds)).read()
        stub.assert_no_pending_responses()
    assert len(found.rules) == number
    assert f"{1000 - number} of 1000 telemetry enablement rules were not read" in found.unread
    assert "1 of 1 telemetry enablement rules were not read" in found.unread


def test_without_rules_nothing_is_described() -> None:
    """Two listings."""
    found = read(("list_telemetry_rules", NONE), ("list_telemetry_rules_for_organization", NONE))
    assert found == TelemetryRules()


def test_an_sdk_that_does_not_know_the_service_says_so() -> None:
    """Or does not know its operations: another service stands for an older one here."""

    def unknown() -> Any:
        raise SettingsError("no client for observabilityadmin")

    assert "not available in this runtime" in DescribedRules(unknown).read().unread
    assert "not available in this runtime" in DescribedRules(lambda: client("sts")).read().unread
    known = make_client("observabilityadmin", REGION)
    assert {each.partition(":")[2] for each in ACTIONS} <= set(known.meta.service_model.operation_names)
