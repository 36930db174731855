"""Estimates the monthly cost of a flow log. The traffic of a VPC is unknown before its flow log exists.

What an existing flow log costs is measured instead, if CloudWatch knows how much its log group received.

Delivery is priced per GB, which depends on the number and the length of the records. One record is written
for each conversation, direction, interface and aggregation window. On nearly every instance a window is one
minute, whatever the flow log's interval says. The estimate therefore multiplies the number of active
interfaces by a record rate that fits a quiet server. Storage and the monitor's reading are extra (some
percent). A busy web server may cost a hundred times as much.
"""

from __future__ import annotations

from typing import Final

from flowwarden.enforcer.state.desired import DesiredFlowLog
from flowwarden.policy.flow_logs import CLOUD_WATCH_LOGS

RECORDS_PER_MINUTE: Final = 20
"""Records per minute of one interface."""
MINUTES: Final = 43_800
BYTES_PER_FIELD: Final = 10
"""Including its separator: a default record of 14 fields has about 120 bytes, one of 29 fields about 300."""
BYTES_BESIDE: Final = 26
"""The overhead that CloudWatch Logs adds to each event (Amazon CloudWatch pricing)."""
DOLLARS_PER_GB: Final = {CLOUD_WATCH_LOGS: 0.50}
"""Delivery of vended logs in us-east-1, first 10 TB of a month (Amazon CloudWatch pricing)."""
DOLLARS_ELSEWHERE: Final = 0.25
"""Delivery to S3 and Firehose."""
BASIS: Final = (
    f"estimate: {RECORDS_PER_MINUTE} records per minute for each active interface, at the us-east-1 delivery "
    "price"
)


MEASURED: Final = (
    "measured: bytes that the log groups received in the last 7 days, at the us-east-1 delivery price"
)
DAYS: Final = 30.4


def record_bytes(log_format: str, destination_type: str = CLOUD_WATCH_LOGS) -> int:
    """The approximate size of a record in this format, as it is billed."""
    beside = BYTES_BESIDE if destination_type == CLOUD_WATCH_LOGS else 0
    return len(log_format.split()) * BYTES_PER_FIELD + beside


def measured_dollars(daily_bytes: float) -> float:
    """The monthly cost of delivery to a log group that receives so many bytes a day, in US dollars."""
    return daily_bytes * DAYS / 1e9 * DOLLARS_PER_GB[CLOUD_WATCH_LOGS]


def monthly_dollars(desired: DesiredFlowLog, active_interfaces: int) -> float:
    """The estimated monthly cost of the flow log, in US dollars."""
    record = record_bytes(desired.log_format, desired.destination_type)
    gigabytes = active_interfaces * RECORDS_PER_MINUTE * MINUTES * record / 1e9
    return round(gigabytes * DOLLARS_PER_GB.get(desired.destination_type, DOLLARS_ELSEWHERE), 2)


def about(dollars: float) -> str:
    """The cost as the end of a sentence; '' if it rounds to nothing, which would read like an exact price."""
    return f", about {dollars:.2f} USD a month" if round(dollars, 2) else ""
