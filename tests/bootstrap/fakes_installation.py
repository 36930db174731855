"""The answers of AWS about an installation without a problem, and a client that gives them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from botocore.exceptions import ClientError

from flowwarden.parameters import with_defaults
from flowwarden.records.log_format import STACK_LOG_FORMAT
from flowwarden.state import heartbeats
from flowwarden.state.sets import DAY

NOW: Final = 1_793_611_800
AT: Final = datetime.fromtimestamp(NOW - 2 * DAY, UTC)
ACCOUNT, REGION, GROUP = "111122223333", "eu-west-1", "/flow-warden/flow-logs"
ADOPTED: Final = "/aws/vpc/vpc-9"
"""A log group that a flow log of others writes into."""
_FUNCTIONS: Final = ("MonitorFunction", "EnforcerFunction", "DispatcherFunction")
_ROLES: Final = ("MonitorRole", "EnforcerRole", "DispatcherRole", "DeliveryRole")
_QUEUES: Final = ("MonitorFailureQueue", "EnforcerFailureQueue", "EnforcerEventQueue")
_ALL: Final = {
    "AWS::Lambda::Function": _FUNCTIONS,
    "AWS::IAM::Role": _ROLES,
    "AWS::Events::Rule": ("DispatchSchedule", "SweepSchedule"),
    "AWS::SQS::Queue": _QUEUES,
    "AWS::SNS::Topic": ("PagesTopic", "OperationsTopic", "ChatTopic"),
    "AWS::DynamoDB::Table": ("StateTable",),
    "AWS::KMS::Key": ("NotificationKey",),
    "AWS::CloudWatch::Alarm": ("MonitorErrorsAlarm",),
    "AWS::Logs::LogGroup": ("FlowLogGroup",),
}
ALARM: Final = "flow-warden/monitor-errors"
MONITOR_ARN: Final = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:MonitorFunction-1"
ENFORCER_VARIABLES: Final = {
    "LOG_FORMAT": STACK_LOG_FORMAT.to_log_format(),
    "ACCOUNT_ID": ACCOUNT,
    "FLOW_LOG_GROUP_NAME": GROUP,
    "DELIVERY_ROLE_ARN": f"arn:aws:iam::{ACCOUNT}:role/delivery",
    "STACK_NAME": "flow-warden",
    "STATE_TABLE": "StateTable-1",
    "OPERATIONS_TOPIC_ARN": f"arn:aws:sns:{REGION}:{ACCOUNT}:OperationsTopic",
    "MONITOR_FUNCTION_ARN": MONITOR_ARN,
    "ENFORCER_ROLE_ARN": f"arn:aws:iam::{ACCOUNT}:role/enforcer",
}
_TRUST: Final = {
    "Statement": [
        {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": each}}
        for each in ("lambda.amazonaws.com", "vpc-flow-logs.amazonaws.com")
    ]
}
_POLICY: Final = {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


type Given = dict[tuple[str, str], Any]


def name_of(logical_id: str) -> str:
    """The physical id of a resource."""
    named = {
        "FlowLogGroup": GROUP,
        "MonitorErrorsAlarm": ALARM,
        **{each: f"arn:aws:sns:{REGION}:{ACCOUNT}:{each}" for each in _ALL["AWS::SNS::Topic"]},
    }
    return named.get(logical_id, f"{logical_id}-1")


GIVEN: Final = {
    "PagerDutySecret": "flow-warden/pagerduty", "EventBus": "security", "SecurityHub": "yes",
    "ChatNotifications": "yes",
}  # fmt: skip
"""Parameters of the stack that differ from their defaults."""


def _resources() -> list[dict[str, Any]]:
    return [
        {
            "LogicalResourceId": each,
            "PhysicalResourceId": name_of(each),
            "ResourceType": kind,
            "ResourceStatus": "CREATE_COMPLETE",
        }
        for kind, names in _ALL.items()
        for each in names
    ]


def _invoke_policy() -> str:
    sources = {
        "logs.amazonaws.com": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{GROUP}:*",
        "events.amazonaws.com": f"arn:aws:events:{REGION}:{ACCOUNT}:rule/*",
    }
    statements = [
        {
            "Effect": "Allow",
            "Principal": {"Service": service},
            "Action": "lambda:InvokeFunction",
            "Condition": {"ArnLike": {"AWS:SourceArn": source}},
        }
        for service, source in sources.items()
    ]
    return json.dumps({"Statement": statements})


def _metrics(MetricDataQueries: list[Any], **_: Any) -> dict[str, Any]:  # noqa: N803 - AWS's name
    """A value for each metric: invocations and log events arrive, and nothing fails."""
    good = {"Invocations": 60.0, "IncomingLogEvents": 400.0}
    return {
        "MetricDataResults": [
            {
                "Id": each["Id"],
                "StatusCode": "Complete",
                "Timestamps": [datetime.fromtimestamp(NOW - 300, UTC)],
                "Values": [good.get(each["MetricStat"]["Metric"]["MetricName"], 0.0)],
            }
            for each in MetricDataQueries
        ]
    }


def _heartbeats(RequestItems: dict[str, Any]) -> dict[str, Any]:  # noqa: N803 - AWS's name
    """Two interfaces wrote in the first slot that is asked for, to each of two log groups."""
    ((table, asked),) = RequestItems.items()
    added = [each for group in (GROUP, ADOPTED) for each in heartbeats.additions(group, {0: [7, 8]})]
    numbers = {"NS": [str(number) for each in added for number in each.sets[heartbeats.INTERFACES]]}
    return {"Responses": {table: [{**asked["Keys"][0], heartbeats.INTERFACES: numbers}]}}


def _of_stack() -> Given:
    """The stack and its resources."""
    stack = {
        "StackId": f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/flow-warden/1a",
        "StackStatus": "CREATE_COMPLETE", "CreationTime": AT,
        "DriftInformation": {"StackDriftStatus": "IN_SYNC"},
        "Parameters": [{"ParameterKey": k, "ParameterValue": v} for k, v in with_defaults(GIVEN).items()],
        "Outputs": [
            {"OutputKey": "MonitorFunctionName", "OutputValue": "MonitorFunction-1"},
            {"OutputKey": "FlowLogGroupName", "OutputValue": GROUP},
            {"OutputKey": "StateTableName", "OutputValue": "StateTable-1"},
        ],
    }  # fmt: skip
    return {
        ("cloudformation", "describe_stacks"): {"Stacks": [stack]},
        ("cloudformation", "list_stack_resources"): {"StackResourceSummaries": _resources()},
    }


def _of_functions() -> Given:
    """The functions."""
    function = {
        "State": "Active", "LastUpdateStatus": "Successful", "Runtime": "python3.13",
        "Layers": [{"Arn": "a"}, {"Arn": "b"}],
        "Environment": {"Variables": ENFORCER_VARIABLES | {"POLICY": "{}", "POLICY_PROFILE": ""}},
    }  # fmt: skip
    return {
        ("lambda", "get_function_configuration"): function,
        ("lambda", "get_function_concurrency"): {},
        ("lambda", "get_function_event_invoke_config"): {
            "DestinationConfig": {"OnFailure": {"Destination": "arn:aws:sqs:eu-west-1:111122223333:q"}}
        },
        ("lambda", "get_policy"): {"Policy": _invoke_policy()},
        ("lambda", "get_account_settings"): {
            "AccountLimit": {"ConcurrentExecutions": 1000, "UnreservedConcurrentExecutions": 900}
        },
    }


def _of_roles() -> Given:
    """Roles and rules."""
    return {
        ("iam", "get_role"): {"Role": {"RoleName": "r", "AssumeRolePolicyDocument": _TRUST}},
        ("iam", "list_role_policies"): {"PolicyNames": ["own"]},
        ("iam", "get_role_policy"): {"PolicyDocument": _POLICY},
        ("iam", "list_attached_role_policies"): {
            "AttachedPolicies": [{"PolicyArn": "arn:aws:iam::aws:policy/x"}]
        },
        ("iam", "get_policy"): {"Policy": {"DefaultVersionId": "v1"}},
        ("iam", "get_policy_version"): {"PolicyVersion": {"Document": _POLICY}},
        ("events", "describe_rule"): {"State": "ENABLED"},
        ("events", "list_targets_by_rule"): {
            "Targets": [
                {"Id": "x", "Arn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{each}-1"}
                for each in _FUNCTIONS
            ]
        },
    }


def _of_logs() -> Given:
    """Flow logs, log groups, interfaces, metrics and alarms."""
    flow_log = {
        "FlowLogId": "fl-1", "ResourceId": "vpc-1", "LogGroupName": GROUP, "TrafficType": "ALL",
        "LogDestinationType": "cloud-watch-logs", "LogFormat": STACK_LOG_FORMAT.to_log_format(),
        "FlowLogStatus": "ACTIVE", "DeliverLogsStatus": "SUCCESS", "CreationTime": AT,
    }  # fmt: skip
    interface = {"NetworkInterfaceId": "eni-0a", "VpcId": "vpc-1", "Status": "in-use"}
    return {
        ("logs", "describe_log_groups"): {"logGroups": [{"logGroupName": GROUP, "retentionInDays": 30}]},
        ("logs", "describe_subscription_filters"): {
            "subscriptionFilters": [
                {"filterName": "flow-warden", "filterPattern": "", "destinationArn": MONITOR_ARN}
            ]
        },
        ("logs", "describe_log_streams"): {"logStreams": [{"lastEventTimestamp": (NOW - 300) * 1000}]},
        ("ec2", "describe_flow_logs"): {"FlowLogs": [flow_log]},
        ("ec2", "describe_vpcs"): {"Vpcs": [{"VpcId": "vpc-1", "OwnerId": ACCOUNT}]},
        ("ec2", "describe_network_interfaces"): {"NetworkInterfaces": [interface]},
        ("ec2", "describe_instances"): {"Reservations": []},
        ("ec2", "describe_subnets"): {"Subnets": []},
        ("ec2", "describe_transit_gateways"): {"TransitGateways": []},
        ("cloudwatch", "get_metric_data"): _metrics,
        ("cloudwatch", "describe_alarms"): {
            "MetricAlarms": [
                {"AlarmName": ALARM, "StateValue": "OK", "ActionsEnabled": True, "AlarmActions": ["arn:x"]}
            ]
        },
    }


def _of_rest() -> Given:
    """Topics, queues, keys and trails."""
    return {
        ("sns", "list_subscriptions_by_topic"): {"Subscriptions": [{"SubscriptionArn": "arn:aws:sns:x"}]},
        ("sqs", "get_queue_attributes"): {
            "Attributes": {
                "ApproximateNumberOfMessages": "0",
                "ApproximateNumberOfMessagesNotVisible": "0",
            }
        },
        ("secretsmanager", "describe_secret"): {"Name": GIVEN["PagerDutySecret"]},
        ("events", "describe_event_bus"): {"Name": GIVEN["EventBus"]},
        ("securityhub", "describe_hub"): {"HubArn": f"arn:aws:securityhub:{REGION}:{ACCOUNT}:hub/default"},
        ("kms", "describe_key"): {"KeyMetadata": {"KeyState": "Enabled"}},
        ("cloudtrail", "describe_trails"): {"trailList": [{"Name": "t", "TrailARN": "arn:t"}]},
        ("cloudtrail", "get_trail_status"): {"IsLogging": True},
        ("cloudtrail", "get_event_selectors"): {
            "AdvancedEventSelectors": [
                {"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}]}
            ]
        },
    }


def _of_table() -> Given:
    """The state table."""
    return {
        ("dynamodb", "describe_table"): {
            "Table": {
                "TableStatus": "ACTIVE",
                "GlobalSecondaryIndexes": [{"IndexName": "open", "IndexStatus": "ACTIVE"}],
            }
        },
        ("dynamodb", "describe_time_to_live"): {
            "TimeToLiveDescription": {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires_at"}
        },
        ("dynamodb", "describe_continuous_backups"): {
            "ContinuousBackupsDescription": {
                "PointInTimeRecoveryDescription": {"PointInTimeRecoveryStatus": "ENABLED"}
            }
        },
        ("dynamodb", "batch_get_item"): _heartbeats,
        ("dynamodb", "query"): {"Items": []},
    }


def answers() -> Given:
    """By service and operation: an answer, or a function that makes it from the parameters."""
    return {
        **_of_stack(), **_of_functions(), **_of_roles(), **_of_logs(), **_of_rest(), **_of_table(),
    }  # fmt: skip


type Answers = Mapping[tuple[str, str], Any]


class Account:
    """Clients that give these answers; each may also be an exception to raise."""

    def __init__(self, given: Answers) -> None:
        self._answers = dict(given)
        self.asked = set[tuple[str, str]]()
        self.calls: list[tuple[str, Mapping[str, Any]]] = []
        """The operations with their parameters, in order."""

    def client(self, service: str, _region: str | None) -> Client:
        """The client of a service."""
        return Client(service, self)

    def replace(self, service: str, operation: str, answer: Any) -> None:
        """Give another answer from now on."""
        self._answers[service, operation] = answer

    def answer(self, service: str, operation: str, parameters: Mapping[str, Any]) -> Any:
        """The answer to a call."""
        self.asked.add((service, operation))
        self.calls.append((operation, parameters))
        found = self._answers[service, operation]
        if isinstance(found, Exception):
            raise found
        return found(**parameters) if callable(found) else found


class Client:
    """The client of one service."""

    def __init__(self, service: str, account: Account) -> None:
        self._service = service
        self._account = account

    def get_paginator(self, operation: str) -> Pages:
        """A paginator with one page."""
        return Pages(lambda **given: self._account.answer(self._service, operation, given))

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        """The call of an operation."""
        return lambda **given: self._account.answer(self._service, operation, given)


class Pages:
    """A paginator with one page."""

    def __init__(self, ask: Callable[..., Any]) -> None:
        self._ask = ask

    def paginate(self, **given: Any) -> list[Any]:
        """The only page."""
        return [self._ask(**given)]


def refusal(operation: str, code: str = "AccessDenied") -> ClientError:
    """The error of a call."""
    details: Any = {"Error": {"Code": code, "Message": "not authorized\n\x1b[2J"}}
    return ClientError(details, "".join(part.capitalize() for part in operation.split("_")))
