"""What a flow log costs a month, as an estimate: nobody knows a VPC's traffic before its flow log is there.

The price of delivery is by the GB, which depends on how many records are written and how long they are.
A record is written for each conversation, direction, interface and window, and windows are a minute on nearly
every instance whatever the flow log's interval says; so the estimate counts the active interfaces, and takes
a number of records for each that is meant for a quiet server. Storage, and the monitor's reading, come on
top (some percent). A busy web server may cost a hundred times as much.
"""

from __future__ import annotations

from typing import Final

from flowwarden.enforcer.state.desired import DesiredFlowLog
from flowwarden.policy.flow_logs import CLOUD_WATCH_LOGS

RECORDS_PER_MINUTE: Final = 20
"""Of one interface."""
MINUTES: Final = 43_800
BYTES_PER_FIELD: Final = 10
"""With its blank: a default record of 14 fields has some 120 bytes, one of 29 fields some 300."""
BYTES_BESIDE: Final = 26
"""That CloudWatch Logs counts for each event (Amazon CloudWatch pricing)."""
DOLLARS_PER_GB: Final = {CLOUD_WATCH_LOGS: 0.50}
"""Delivery of vended logs in us-east-1, the first 10 TB of a month (Amazon CloudWatch pricing)."""
DOLLARS_ELSEWHERE: Final = 0.25
"""To S3 and Firehose."""
BASIS: Final = (
    f"an estimate from {RECORDS_PER_MINUTE} records a minute for each active interface, at us-east-1's price "
    "of delivery"
)


def monthly_dollars(desired: DesiredFlowLog, active_interfaces: int) -> float:
    """What the flow log costs in a month, about; US dollars."""
    fields = len(desired.log_format.split())
    record = fields * BYTES_PER_FIELD + (BYTES_BESIDE if desired.destination_type == CLOUD_WATCH_LOGS else 0)
    gigabytes = active_interfaces * RECORDS_PER_MINUTE * MINUTES * record / 1e9
    return round(gigabytes * DOLLARS_PER_GB.get(desired.destination_type, DOLLARS_ELSEWHERE), 2)
