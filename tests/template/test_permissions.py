"""The functions' roles allow exactly the calls of their code, on exactly the resources it uses."""

from __future__ import annotations

import pytest

from flowwarden.policy.log_groups import FUNCTIONS
from tests.template import stack

LAMBDAS_OWN = {"logs:CreateLogStream", "logs:PutLogEvents"}
"""Actions that Lambda itself performs with a role: the function's log."""
FAILURE_DESTINATION = {"sqs:SendMessage"}
"""The same for functions with a failure queue."""

TABLE = {"Fn::GetAtt": ["StateTable", "Arn"]}
INDEX = {"Fn::Sub": "${StateTable.Arn}/index/open"}

READ_ONLY = {
    "tag:GetResources",
    "cloudwatch:GetMetricData",
    "observabilityadmin:ListTelemetryRules",
    "observabilityadmin:GetTelemetryRule",
    "observabilityadmin:ListTelemetryRulesForOrganization",
    "observabilityadmin:GetTelemetryRuleForOrganization",
}
"""Descriptions with other names."""

THROUGH_SNS = {"StringEquals": {"kms:ViaService": {"Fn::Sub": "sns.${AWS::Region}.${AWS::URLSuffix}"}}}


@pytest.mark.parametrize("function", stack.FUNCTIONS)
def test_the_role_allows_exactly_the_calls_of_the_code(function: str) -> None:
    declared = stack.declared_actions()
    used = stack.imported_by(function)
    called = {action for module in used & set(declared) for action in declared[module]}
    assert called
    own = LAMBDAS_OWN | (FAILURE_DESTINATION if function in stack.QUEUED else set())
    assert stack.actions(stack.role_statements(f"{function}Role")) == called | own


def test_every_module_that_calls_aws_is_used_by_a_function() -> None:
    used = {module for function in stack.FUNCTIONS for module in stack.imported_by(function)}
    assert set(stack.declared_actions()) <= used


@pytest.mark.parametrize("function", stack.FUNCTIONS)
def test_a_function_logs_only_to_its_own_group(function: str) -> None:
    statements = stack.role_statements(f"{function}Role")
    for action in ("logs:CreateLogStream", "logs:PutLogEvents"):
        granted = stack.granting(statements, action)
        assert granted["Resource"] == {"Fn::GetAtt": [f"{function}LogGroup", "Arn"]}


@pytest.mark.parametrize("function", stack.FUNCTIONS)
def test_only_lambda_can_assume_a_functions_role(function: str) -> None:
    assert stack.properties(f"{function}Function")["Role"] == {"Fn::GetAtt": [f"{function}Role", "Arn"]}
    (statement,) = stack.properties(f"{function}Role")["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Principal"] == {"Service": "lambda.amazonaws.com"}
    assert statement["Action"] == "sts:AssumeRole"
    assert "ManagedPolicyArns" not in stack.properties(f"{function}Role")


@pytest.mark.parametrize(
    ("function", "topics"),
    [
        ("Monitor", ["PagesTopic", "OperationsTopic"]),
        ("Enforcer", ["OperationsTopic"]),
        ("Dispatcher", ["PagesTopic", "OperationsTopic"]),
    ],
)
def test_a_function_publishes_only_to_its_topics_and_uses_the_key_only_through_sns(
    function: str, topics: list[str]
) -> None:
    statements = stack.role_statements(f"{function}Role")
    granted = stack.as_list(stack.granting(statements, "sns:Publish")["Resource"])
    chat = {"Fn::If": ["HasChat", {"Ref": "ChatTopic"}, {"Ref": "AWS::NoValue"}]}
    assert granted == [*({"Ref": topic} for topic in topics), chat]
    key = stack.granting(statements, "kms:GenerateDataKey*")
    assert key == stack.granting(statements, "kms:Decrypt")
    assert key["Resource"] == {"Fn::GetAtt": ["NotificationKey", "Arn"]}
    assert key["Condition"] == THROUGH_SNS


def test_the_enforcer_deletes_only_flow_logs_with_this_stacks_tag() -> None:
    granted = stack.granting(stack.role_statements("EnforcerRole"), "ec2:DeleteFlowLogs")
    assert granted["Condition"] == {
        "StringEquals": {"aws:ResourceTag/flow-warden:managed": {"Ref": "AWS::StackName"}}
    }
    assert granted["Resource"]["Fn::Sub"].endswith(":vpc-flow-log/*")


def test_the_enforcer_reads_only_the_delivery_role_and_policies_and_writes_no_role() -> None:
    statements = stack.role_statements("EnforcerRole")
    assert stack.granting(statements, "iam:GetRole")["Resource"] == {"Fn::GetAtt": ["DeliveryRole", "Arn"]}
    # An attached policy may belong to the account or to AWS.
    policies = stack.granting(statements, "iam:GetPolicyVersion")
    assert policies == stack.granting(statements, "iam:GetPolicy")
    assert [each["Fn::Sub"].rpartition(":iam:")[2] for each in policies["Resource"]] == [
        ":${AWS::AccountId}:policy/*",
        ":aws:policy/*",
    ]
    iam = {each for each in stack.actions(statements) if each.startswith("iam:")} - {"iam:PassRole"}
    assert all(each.startswith(("iam:Get", "iam:List")) for each in iam)


def test_other_destinations_need_a_parameter() -> None:
    policy = stack.RESOURCES["EnforcerElsewherePolicy"]
    assert policy["Condition"] == "DeliversElsewhere"
    statements = policy["Properties"]["PolicyDocument"]["Statement"]
    # Amazon CloudWatch Logs User Guide, Logs sent to Amazon S3, Logs sent to Firehose.
    assert stack.actions(statements) == {
        "logs:CreateLogDelivery",
        "logs:DeleteLogDelivery",
        "firehose:TagDeliveryStream",
        "iam:CreateServiceLinkedRole",
    }
    linked = stack.granting(statements, "iam:CreateServiceLinkedRole")
    assert linked["Condition"] == {"StringEquals": {"iam:AWSServiceName": "delivery.logs.amazonaws.com"}}
    assert stack.PARAMETERS["OtherDestinations"]["Default"] == "no"


def test_tag_fields_need_a_parameter() -> None:
    policy = stack.RESOURCES["EnforcerTagFieldsPolicy"]
    assert policy["Condition"] == "ShowsTags"
    statements = policy["Properties"]["PolicyDocument"]["Statement"]
    # VPC User Guide, Flow log records (tag fields), Using service-linked roles for VPC Flow Logs.
    assert stack.actions(statements) == {
        "ec2:DescribeTags",
        "autoscaling:DescribeTags",
        "iam:CreateServiceLinkedRole",
    }
    linked = stack.granting(statements, "iam:CreateServiceLinkedRole")
    assert linked["Condition"] == {"StringEquals": {"iam:AWSServiceName": "vpc-flow-logs.amazonaws.com"}}
    assert stack.PARAMETERS["TagFields"]["Default"] == "no"


@pytest.mark.parametrize("function", stack.FUNCTIONS)
def test_a_function_uses_only_the_state_table(function: str) -> None:
    statements = stack.role_statements(f"{function}Role")
    used = {each for each in stack.actions(statements) if each.startswith("dynamodb:")}
    assert used
    for action in used:
        index = (function, action) == ("Dispatcher", "dynamodb:Query")
        assert stack.granting(statements, action)["Resource"] == (INDEX if index else TABLE)


def test_the_dispatcher_queries_only_the_index_of_open_incidents() -> None:
    (index,) = stack.properties("StateTable")["GlobalSecondaryIndexes"]
    assert INDEX["Fn::Sub"].endswith(f"/index/{index['IndexName']}")


def test_the_enforcer_passes_the_delivery_role_only_to_flow_logs() -> None:
    granted = stack.granting(stack.role_statements("EnforcerRole"), "iam:PassRole")
    assert granted["Resource"] == {"Fn::GetAtt": ["DeliveryRole", "Arn"]}
    assert granted["Condition"] == {"StringEquals": {"iam:PassedToService": "vpc-flow-logs.amazonaws.com"}}


def test_the_enforcer_tags_new_flow_logs_and_later_only_its_own() -> None:
    granted = [
        each
        for each in stack.role_statements("EnforcerRole")
        if "ec2:CreateTags" in stack.as_list(each["Action"])
    ]
    this_stack = {"Ref": "AWS::StackName"}
    assert [each["Condition"] for each in granted] == [
        {"StringEquals": {"ec2:CreateAction": "CreateFlowLogs"}},
        {
            "StringEquals": {"aws:ResourceTag/flow-warden:managed": this_stack},
            "StringEqualsIfExists": {"aws:RequestTag/flow-warden:managed": this_stack},
        },
    ]
    for each in granted:
        assert each["Resource"]["Fn::Sub"].endswith(":vpc-flow-log/*")


def test_only_descriptions_are_allowed_on_everything() -> None:
    for role in stack.of_type("AWS::IAM::Role"):
        for statement in stack.role_statements(role):
            if "*" in stack.as_list(statement["Resource"]):
                actions = set(stack.as_list(statement["Action"])) - READ_ONLY
                names = [action.partition(":")[2] for action in actions]
                assert all(name.startswith(("Describe", "List")) for name in names), role


def test_the_enforcer_subscribes_only_the_groups_of_the_parameter_and_no_functions() -> None:
    """The parameter is filled up with a name that no group has. A denial wins over each permission."""
    statements = [
        each
        for each in stack.role_statements("EnforcerRole")
        if "logs:PutSubscriptionFilter" in stack.as_list(each["Action"])
    ]
    own, existing, denied = statements
    assert all("${FlowLogGroupName}" in each["Fn::Sub"] for each in own["Resource"])
    filled = {"Fn::Sub": "${ExistingLogGroups},-,-,-,-"}
    chosen = [each["Fn::Join"][1][1]["Fn::Select"] for each in existing["Resource"]]
    assert chosen == [[number, {"Fn::Split": [",", filled]}] for number in range(5)]
    assert denied["Effect"] == "Deny"
    assert _denied_groups(denied) == {f"{each}*" for each in FUNCTIONS}


def test_the_enforcer_lets_only_cloudwatch_logs_invoke_the_monitor() -> None:
    granted = stack.granting(stack.role_statements("EnforcerRole"), "lambda:AddPermission")
    assert granted == stack.granting(stack.role_statements("EnforcerRole"), "lambda:RemovePermission")
    assert granted["Resource"] == {"Fn::GetAtt": ["MonitorFunction", "Arn"]}
    assert granted["Condition"] == {
        "StringEquals": {"lambda:Principal": {"Fn::Sub": "logs.${AWS::URLSuffix}"}},
        "Null": {"lambda:FunctionUrlAuthType": "true"},
    }


def _denied_groups(statement: stack.Node) -> set[str]:
    assert statement["Effect"] == "Deny"
    return {each["Fn::Sub"].partition(":log-group:")[2] for each in statement["Resource"]}


def test_the_removal_of_filters_spares_the_stacks_group_and_those_of_functions() -> None:
    """CloudFormation removes the filter of the stack's group, and others never have one of the stack."""
    statements = stack.properties("SubscriptionRemovalPolicy")["PolicyDocument"]["Statement"]
    (denied,) = [each for each in statements if each["Effect"] == "Deny"]
    assert denied["Action"] == "logs:DeleteSubscriptionFilter"
    own = {"${FlowLogGroupName}", "${FlowLogGroupName}:*"}
    assert _denied_groups(denied) == own | {f"{each}*" for each in FUNCTIONS}


def test_filters_are_removed_after_the_rules_and_before_the_functions() -> None:
    """CloudFormation deletes in the reverse order of the dependencies."""
    removal = stack.RESOURCES["ExistingSubscriptions"]
    assert removal["DependsOn"] == "SubscriptionRemovalPolicy"
    assert removal["Properties"]["MonitorFunctionArn"] == {"Fn::GetAtt": ["MonitorFunction", "Arn"]}
    assert removal["Properties"]["FlowLogGroupName"] == {"Ref": "FlowLogGroupName"}
    rules = {
        name: rule
        for name, rule in stack.of_type("AWS::Events::Rule").items()
        if stack.mentions(rule, "EnforcerFunction")
    }
    assert rules
    assert {stack.RESOURCES[name].get("DependsOn") for name in rules} == {"ExistingSubscriptions"}
    allowed = removal["Properties"]["ServiceTimeout"], stack.properties("SettingsCheckFunction")["Timeout"]
    assert allowed[0] > allowed[1]
