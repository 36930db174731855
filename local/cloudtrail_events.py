"""Sends CloudTrail events to the enforcer: of a new VPC, and of a changed security group.

The AWS emulator has no CloudTrail, and like AWS it rejects events from `aws.*` sources. So this module reads
the deployed rule, tests its pattern with the event as AWS would send it, and sends the event to a copy of the
rule that differs only in the `source`.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from local.clients import Clients
from local.environment import ACCOUNT_ID, REGION
from local.stack import Stack

OWN_SOURCE = "flowwarden.local"
CREATED_RULE = "VpcCreatedRule"
CHANGED_RULE = "RulesChangedRule"


def scheduled(now: datetime) -> dict[str, Any]:
    """The event that the schedule sends to start a sweep."""
    return {
        "version": "0",
        "id": str(uuid4()),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": ACCOUNT_ID,
        "time": _moment(now),
        "region": REGION,
        "resources": [],
        "detail": {},
    }


def by_caller(name: str, now: datetime) -> dict[str, Any]:
    """The CloudTrail record of a successful call of EC2, without request and response."""
    return {
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "AssumedRole",
            "arn": f"arn:aws:sts::{ACCOUNT_ID}:assumed-role/network-team/alex",
            "accountId": ACCOUNT_ID,
        },
        "eventTime": _moment(now),
        "eventSource": "ec2.amazonaws.com",
        "eventName": name,
        "awsRegion": REGION,
        "sourceIPAddress": "198.51.100.20",
        "readOnly": False,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": ACCOUNT_ID,
    }


def creation(vpc: str, cidr: str, now: datetime) -> dict[str, Any]:
    """The CloudTrail record of a successful CreateVpc call."""
    return by_caller("CreateVpc", now) | {
        "requestParameters": {"cidrBlock": cidr, "instanceTenancy": "default"},
        "responseElements": {
            "vpc": {
                "vpcId": vpc,
                "state": "pending",
                "ownerId": ACCOUNT_ID,
                "cidrBlock": cidr,
                "isDefault": False,
            }
        },
        "eventID": f"creation-of-{vpc}",
    }


def failed_creation(cidr: str, now: datetime) -> dict[str, Any]:
    """The CloudTrail record of a CreateVpc call that EC2 refused."""
    return creation("", cidr, now) | {
        "errorCode": "Client.VpcLimitExceeded",
        "errorMessage": "The maximum number of VPCs has been reached.",
        "responseElements": None,
    }


class CloudTrailEvents:
    """Sends CloudTrail events to the deployed stack."""

    def __init__(self, clients: Clients, stack: Stack, rule: str = CREATED_RULE) -> None:
        """Take one of the stack's rules, by its logical id."""
        self._events = clients.events
        self._rule = stack.resources[rule].rpartition("/")[2]
        self.pattern = self._events.describe_rule(Name=self._rule)["EventPattern"]

    def rule_matches(self, detail: dict[str, Any]) -> bool:
        """Whether the deployed rule's pattern matches this event, as AWS would send it."""
        event = scheduled(datetime.now(UTC)) | {
            "detail-type": "AWS API Call via CloudTrail",
            "source": "aws.ec2",
            "detail": detail,
        }
        return self._events.test_event_pattern(EventPattern=self.pattern, Event=json.dumps(event))["Result"]

    def send(self, detail: dict[str, Any]) -> None:
        """Put the event on the bus; the copy of the rule delivers it to the rule's targets."""
        self._copy_rule()
        answer = self._events.put_events(
            Entries=[
                {
                    "Source": OWN_SOURCE,
                    "DetailType": "AWS API Call via CloudTrail",
                    "Detail": json.dumps(detail),
                }
            ]
        )
        if answer["FailedEntryCount"]:
            raise RuntimeError(f"the event bus rejected the event: {answer['Entries']}")

    def _copy_rule(self) -> None:
        copy = f"{self._rule}-copy"
        pattern = json.loads(self.pattern) | {"source": [OWN_SOURCE]}
        targets = self._events.list_targets_by_rule(Rule=self._rule)["Targets"]
        self._events.put_rule(Name=copy, EventPattern=json.dumps(pattern))
        self._events.put_targets(Rule=copy, Targets=targets)


def _moment(now: datetime) -> str:
    """A time in AWS's notation."""
    return now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
