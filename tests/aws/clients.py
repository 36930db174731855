"""Clients for tests: their credentials open nothing but moto."""

from __future__ import annotations

from typing import Any

import boto3

REGION = "us-east-1"


def session() -> boto3.Session:
    """A session that never looks for the machine's own credentials."""
    key = "testing"
    return boto3.Session(aws_access_key_id=key, aws_secret_access_key=key, region_name=REGION)


def client(service: Any) -> Any:
    """A plain client; its type is left to the reader."""
    return session().client(service)
