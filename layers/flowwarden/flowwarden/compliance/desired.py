"""The flow log that every VPC shall have."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

import msgspec
from msgspec import Struct

MANAGED_TAG = "flow-warden:managed"
"""Tag key of every flow log that Flow Warden made; its value is the name of the stack."""


class DesiredFlowLog(Struct, frozen=True, kw_only=True):
    """The flow log that every VPC shall have: all traffic, to one CloudWatch log group."""

    log_group_name: str
    delivery_role_arn: str
    log_format: str
    """As CreateFlowLogs takes it: `${field} ${field} …`."""
    max_aggregation_interval: int = 60
    """Seconds: 60 or 600."""
    traffic_type: str = "ALL"
    tags: dict[str, str] = {}

    def client_token(self, vpc_id: str, replaces: Iterable[str] = ()) -> str:
        """The idempotency token (64 hexadecimal digits, what EC2 allows) for this flow log in this VPC.

        It is derived from VPC and configuration, so that retries and concurrent runs ask for one and
        the same flow log, and a changed configuration (which EC2 refuses under a used token) gets its
        own. `replaces` names flow logs known to be deleted: without them EC2 might take the repair for
        a repetition of the call that made the deleted flow log, and answer with its id.
        """
        parts = (vpc_id, self, sorted(replaces))
        return sha256(msgspec.json.encode(parts, order="sorted")).hexdigest()


def managed_tags(stack_name: str) -> dict[str, str]:
    """The tags of a flow log that the stack `stack_name` makes."""
    return {MANAGED_TAG: stack_name, "Name": stack_name}
