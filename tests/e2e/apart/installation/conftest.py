"""An AWS emulator whose stack has sinks beside SNS, and is removed: other tests do not share it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Final

import pytest

from local.server import EmbeddedAws
from local.stack import STACK, Stack, build, deploy, describe

PARAMETERS: Final = {
    "ChatNotifications": "yes",
    "EventBus": "default",
    "PagerDutySecret": "flow-warden/pagerduty",
    "SinkRoutes": "pagerduty=digests",
}


@pytest.fixture(scope="session")
def aws() -> Iterator[EmbeddedAws]:
    """The emulator."""
    with EmbeddedAws(f"installation-test-{os.getpid()}") as started:
        yield started


@pytest.fixture
def installed(aws: EmbeddedAws) -> Stack:
    """The stack, which is deployed again if a test removed it."""
    stacks = aws.clients.cloudformation.list_stacks()["StackSummaries"]
    present = any(each["StackName"] == STACK and each["StackStatus"] != "DELETE_COMPLETE" for each in stacks)
    return describe(aws.clients) if present else deploy(aws, build(), PARAMETERS)
