"""The template with sinks beside SNS, deployed: what the chat topic and the event bus get.

The emulator has no Security Hub.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import boto3
import pytest

from local.environment import CREDENTIALS, PROJECT, REGION
from local.server import EmbeddedAws
from local.stack import STACK
from tests.schemas.validator import problems
from tests.sinks.test_aws_sinks import OCSF, check_chat

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.usefixtures("installed")]


def of_service(aws: EmbeddedAws, service: Any) -> Any:
    """A client on the emulator."""
    key, secret = CREDENTIALS["AWS_ACCESS_KEY_ID"], CREDENTIALS["AWS_SECRET_ACCESS_KEY"]
    session = boto3.Session(key, secret, region_name=REGION)
    return session.client(service, endpoint_url=aws.endpoint)


def command(aws: EmbeddedAws, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command, as a script does."""
    variables = {
        **CREDENTIALS,
        "AWS_REGION": REGION,
        "AWS_ENDPOINT_URL": aws.endpoint,
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    return subprocess.run(
        [sys.executable, "-m", "flowwarden_cli", *words, "--stack", STACK],
        env=os.environ | variables, cwd=PROJECT, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def outputs(aws: EmbeddedAws) -> dict[str, str]:
    """The outputs of the stack."""
    found = of_service(aws, "cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]["Outputs"]
    return {each["OutputKey"]: each["OutputValue"] for each in found}


def queue(aws: EmbeddedAws, name: str) -> tuple[str, str]:
    """A new queue: its URL and its ARN."""
    sqs = of_service(aws, "sqs")
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    return url, sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def received(aws: EmbeddedAws, url: str) -> list[Any]:
    """The messages in a queue."""
    answer = of_service(aws, "sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=2)
    return [json.loads(each["Body"]) for each in answer.get("Messages", [])]


def test_the_functions_know_the_sinks(aws: EmbeddedAws) -> None:
    """Names and ARNs, and no secret."""
    found = outputs(aws)
    for name in ("Monitor", "Dispatcher", "Enforcer"):
        functions = of_service(aws, "lambda")
        configuration = functions.get_function_configuration(FunctionName=found[f"{name}FunctionName"])
        sinks = configuration["Environment"]["Variables"]["SINKS"]
        assert sinks == found["Sinks"]
        assert "pagerduty=flow-warden/pagerduty;" in sinks
        assert f"amazonq={found['ChatTopicArn']};" in sinks
        assert sinks.endswith("eventbridge=default;securityhub=;routes=pagerduty=digests")


def test_a_test_page_reaches_the_chat_topic_and_the_bus(aws: EmbeddedAws) -> None:
    """In their formats."""
    chat, chat_arn = queue(aws, "chat")
    of_service(aws, "sns").subscribe(TopicArn=outputs(aws)["ChatTopicArn"], Protocol="sqs", Endpoint=chat_arn)
    bus, bus_arn = queue(aws, "bus")
    events = of_service(aws, "events")
    events.put_rule(Name="findings", EventPattern='{"source": ["flow-warden"]}')
    events.put_targets(Rule="findings", Targets=[{"Id": "queue", "Arn": bus_arn}])
    for sink in ("amazonq", "eventbridge"):
        done = command(aws, "test-page", "--sink", sink)
        assert done.returncode == 0, done.stderr
        assert f"accepted by {sink}" in done.stdout
    messages = [json.loads(each["Message"]) for each in received(aws, chat)]
    assert [each["metadata"]["eventType"] for each in messages] == ["opened", "resolved"]
    assert len({each["metadata"]["threadId"] for each in messages}) == 1
    for each in messages:
        check_chat(each)
    findings = [each["detail"] for each in received(aws, bus)]
    assert sorted(each["activity_name"] for each in findings) == ["Close", "Create"]
    assert [each for finding in findings for each in problems(finding, OCSF)] == []


def test_a_missing_secret_is_refused_and_reported(aws: EmbeddedAws) -> None:
    """By the test page, and by the doctor."""
    done = command(aws, "test-page", "--sink", "pagerduty")
    assert done.returncode == 1
    assert "secret flow-warden/pagerduty: ResourceNotFoundException" in done.stderr
    checked = command(aws, "doctor", "--json")
    lines = json.loads(checked.stdout)["lines"]
    assert "sink-secret-missing" in {each["problem"] for each in lines}


def test_the_enforcer_reports_to_the_sinks_of_operations(aws: EmbeddedAws) -> None:
    """Its function, in the emulator: the notification about a new VPC."""
    chat, chat_arn = queue(aws, "chat-of-operations")
    of_service(aws, "sns").subscribe(TopicArn=outputs(aws)["ChatTopicArn"], Protocol="sqs", Endpoint=chat_arn)
    of_service(aws, "ec2").create_vpc(CidrBlock="10.77.0.0/16")
    sweep = b'{"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}}'
    answer = of_service(aws, "lambda").invoke(
        FunctionName=outputs(aws)["EnforcerFunctionName"], Payload=sweep
    )
    assert "FunctionError" not in answer, answer["Payload"].read()
    messages = [json.loads(each["Message"]) for each in received(aws, chat)]
    assert "enforcement" in {each["metadata"]["eventType"] for each in messages}
    for each in messages:
        check_chat(each)
