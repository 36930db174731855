"""Clients for tests: their credentials are valid only for moto."""

from __future__ import annotations

from functools import cache
from typing import Any

import boto3

from flowwarden.aws.dynamodb.lifecycle import OPEN

REGION = "us-east-1"


@cache
def session() -> boto3.Session:
    """A session that never uses the machine's own credentials.

    All clients of a process share it, because it caches the descriptions of the services: loading one takes
    longer than most tests.
    """
    key = "testing"
    return boto3.Session(aws_access_key_id=key, aws_secret_access_key=key, region_name=REGION)


def client(service: Any) -> Any:
    """A plain client, of any service."""
    return session().client(service)


@cache
def shared(service: str) -> Any:
    """One client for all tests that do not change it: each takes long to create."""
    return client(service)


def make_state_table(name: str) -> None:
    """Create the state table with the template's keys and index."""
    shared("dynamodb").create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[
            {"AttributeName": name, "AttributeType": kind}
            for name, kind in (("pk", "S"), ("sk", "S"), (OPEN, "S"), ("check_at", "N"))
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": OPEN,
                "KeySchema": [
                    {"AttributeName": OPEN, "KeyType": "HASH"},
                    {"AttributeName": "check_at", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
        ],
        BillingMode="PAY_PER_REQUEST",
    )
