"""The flow log that every VPC shall have."""

from __future__ import annotations

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

    def client_token(self, vpc_id: str, occasion: str) -> str:
        """The idempotency token (64 hexadecimal digits, what EC2 allows) for this flow log in this VPC.

        It is derived from VPC, configuration and occasion: a retry of the same event asks for one and the
        same flow log; a changed configuration, which EC2 refuses under a used token, gets its own.

        Args:
            vpc_id: the VPC.
            occasion: what the flow log is asked for on, the same in every retry: an event's id, a sweep's
                time. Without it, EC2 might take the repair of a deleted flow log for a repetition of
                the call that made it, and answer with the id of what is gone, at every sweep.
        """
        parts = (vpc_id, self, occasion)
        return sha256(msgspec.json.encode(parts, order="sorted")).hexdigest()


def managed_tags(stack_name: str) -> dict[str, str]:
    """The tags of a flow log that the stack `stack_name` makes."""
    return {MANAGED_TAG: stack_name, "Name": stack_name}
