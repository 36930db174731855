"""Creates what a readable event of `events/` needs on the embedded AWS: its VPCs and flow logs."""

from __future__ import annotations

import json
from typing import Any

from local.clients import Clients
from local.environment import ACCOUNT_ID
from local.payload import ReadableEvent


def make_world(event: ReadableEvent, clients: Clients, flow_log_group: str) -> dict[str, Any]:
    """Create the event's VPCs and flow logs, and return the payload with the ids that AWS gave them."""
    payload = json.dumps(event.payload)
    created = {}
    for vpc in (each for each in event.world.vpcs if each.owner_id == ACCOUNT_ID):
        created[vpc.vpc_id] = clients.ec2.create_vpc(CidrBlock="10.40.0.0/16")["Vpc"]["VpcId"]
    for flow_log in (each for each in event.world.flow_logs if each.resource_id in created):
        answer = clients.ec2.create_flow_logs(
            ResourceType="VPC",
            ResourceIds=[created[flow_log.resource_id]],
            TrafficType=flow_log.traffic_type,
            LogGroupName=flow_log.log_group_name or flow_log_group,
        )
        created[flow_log.flow_log_id] = answer["FlowLogIds"][0]
    # The longest id first, because one id may begin with another.
    for written, real in sorted(created.items(), key=lambda item: -len(item[0])):
        payload = payload.replace(written, real)
    decoded: dict[str, Any] = json.loads(payload)
    return decoded
