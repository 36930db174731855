"""The birth of a VPC, made to reach the enforcer.

The embedded AWS writes no CloudTrail, and like AWS it takes no events from `aws.*` sources. So the
deployed rule is read back, its pattern is tried on the event as AWS would send it, and a twin of it
that differs in the `source` alone gets the event.
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


def scheduled(now: datetime) -> dict[str, Any]:
    """What the schedule sends when a sweep is due."""
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


def creation(vpc: str, cidr: str, now: datetime) -> dict[str, Any]:
    """What CloudTrail tells about a CreateVpc that succeeded."""
    return {
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "AssumedRole",
            "arn": f"arn:aws:sts::{ACCOUNT_ID}:assumed-role/network-team/alex",
            "accountId": ACCOUNT_ID,
        },
        "eventTime": _moment(now),
        "eventSource": "ec2.amazonaws.com",
        "eventName": "CreateVpc",
        "awsRegion": REGION,
        "sourceIPAddress": "198.51.100.20",
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
        "eventID": f"birth-of-{vpc}",
        "readOnly": False,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": ACCOUNT_ID,
    }


def failed_creation(cidr: str, now: datetime) -> dict[str, Any]:
    """What CloudTrail tells about a CreateVpc that EC2 refused."""
    return creation("", cidr, now) | {
        "errorCode": "Client.VpcLimitExceeded",
        "errorMessage": "The maximum number of VPCs has been reached.",
        "responseElements": None,
    }


class Births:
    """Tells the deployed stack about new VPCs."""

    def __init__(self, clients: Clients, stack: Stack) -> None:
        self._events = clients.events
        self._rule = stack.resources[CREATED_RULE].rpartition("/")[2]
        self.pattern = self._events.describe_rule(Name=self._rule)["EventPattern"]

    def rule_takes(self, detail: dict[str, Any]) -> bool:
        """Whether the deployed rule's own pattern takes this event, as AWS would send it."""
        event = scheduled(datetime.now(UTC)) | {
            "detail-type": "AWS API Call via CloudTrail",
            "source": "aws.ec2",
            "detail": detail,
        }
        return self._events.test_event_pattern(EventPattern=self.pattern, Event=json.dumps(event))["Result"]

    def tell(self, detail: dict[str, Any]) -> None:
        """Put the event on the bus, for the rule's twin to hand it to the rule's targets."""
        self._make_twin()
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
            raise RuntimeError(f"the bus refused the event: {answer['Entries']}")

    def _make_twin(self) -> None:
        twin = f"{self._rule}-twin"
        pattern = json.loads(self.pattern) | {"source": [OWN_SOURCE]}
        targets = self._events.list_targets_by_rule(Rule=self._rule)["Targets"]
        self._events.put_rule(Name=twin, EventPattern=json.dumps(pattern))
        self._events.put_targets(Rule=twin, Targets=targets)


def _moment(now: datetime) -> str:
    """As AWS writes it."""
    return now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
