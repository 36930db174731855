"""The monitor's handler on ports in memory, which count their calls and take as long as AWS does."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from msgspec import Struct

import monitor
from benchmarks.evaluation.memory import Claims, Evidence, Formats
from benchmarks.layouts import log_format
from benchmarks.loud.batches import NOW
from flowwarden.bootstrap.monitor_service import MonitorPorts, build
from flowwarden.memory.formats import MemoryFormatStore
from flowwarden.monitor.baseline.baseline import EDGES
from flowwarden.network.interface import NetworkInterface
from flowwarden.notify.claim_request import ClaimRequest
from flowwarden.notify.claims import Claim, ClaimKey, ClaimTerms, Owner
from flowwarden.policy.policy import Policy
from flowwarden.records.log_format import LogFormat
from flowwarden.settings import MonitorSettings
from flowwarden.sinks.sns import SnsSink
from flowwarden.state.schema import BASELINES
from flowwarden.state.sets import Addition, Sets

TABLE_SECONDS: Final = 0.012
"""Duration of a call to the table: some milliseconds of network time and of processor time in the SDK."""
TOPIC_SECONDS: Final = 0.04
"""Duration of a call to SNS."""
EC2_SECONDS: Final = 0.3
"""Duration of a call to EC2."""
PER_EC2_CALL: Final = 200
"""Interfaces per call to EC2."""

POLICY: Final = Policy(private_subnets=("10.2.0.0/16",), listener_only=("10.3.0.0/16",), exempt=("10.4.0.1",))
_USUAL: Final[Sets] = {EDGES: frozenset({1})}
"""The baseline of every role and day: the role is learned, but nothing in the batch is usual."""
_ENVIRONMENT: Final = {
    "AWS_REGION": "us-east-1",
    "OPERATIONS_TOPIC_ARN": "arn:aws:sns:us-east-1:111122223333:operations",
    "PAGES_TOPIC_ARN": "arn:aws:sns:us-east-1:111122223333:pages",
    "STATE_TABLE": "state",
}


class Calls:
    """Counts the calls by kind, and waits for each as long as AWS takes."""

    def __init__(self, wait: Callable[[float], None]) -> None:
        """`wait` sleeps for some seconds."""
        self.counts = dict.fromkeys(("writes", "reads", "ec2", "pages"), 0)
        self._wait = wait
        self.waited = 0.0
        """Total seconds of waiting for calls."""

    def made(self, kind: str, seconds: float, times: int = 1) -> None:
        """Count calls of a kind, and wait for them."""
        self.counts[kind] += times
        self.waited += seconds * times
        self._wait(seconds * times)


class _Table(Evidence):
    def __init__(self, calls: Calls) -> None:
        super().__init__()
        self._calls = calls

    def add(self, addition: Addition) -> Sets:
        """See the port."""
        self._calls.made("writes", TABLE_SECONDS)
        return super().add(addition)

    def read(self, keys: Sequence[str]) -> Mapping[str, Sets]:
        """See the port. A call reads at most 100 keys."""
        calls = -(-len(keys) // 100)
        self._calls.made("reads", TABLE_SECONDS, calls)
        return {key: _USUAL for key in keys if key.startswith(BASELINES.prefix)} | dict(super().read(keys))


class _Claims(Claims):
    def __init__(self, calls: Calls) -> None:
        super().__init__(ClaimTerms(suppression=3600, lease=50))
        self._calls = calls

    def claim(self, request: ClaimRequest) -> Claim:
        """See the port."""
        self._write()
        return super().claim(request)

    def confirm(self, request: ClaimRequest) -> None:
        """See the port."""
        self._write()
        super().confirm(request)

    def release(self, key: ClaimKey, owner: Owner) -> None:
        """See the port."""
        self._write()
        super().release(key, owner)

    def _write(self) -> None:
        self._calls.made("writes", TABLE_SECONDS)


class _Topic:
    def __init__(self, name: str, calls: Calls) -> None:
        self.name = name
        self._calls = calls

    def publish(self, _subject: str, _message: str, _attributes: Mapping[str, str]) -> None:
        """See the port."""
        self._calls.made("pages", TOPIC_SECONDS)


class _Ec2:
    """Describes every interface, or none."""

    def __init__(self, calls: Calls, *, described: bool) -> None:
        self._calls = calls
        self._described = described

    def describe(self, interface_ids: Sequence[str]) -> Mapping[str, NetworkInterface]:
        """See the port."""
        calls = -(-len(interface_ids) // PER_EC2_CALL)
        self._calls.made("ec2", EC2_SECONDS, calls)
        return {each: _interface(each) for each in interface_ids} if self._described else {}


def _interface(interface_id: str) -> NetworkInterface:
    number = int(interface_id.removeprefix("eni-"), 16)
    return NetworkInterface(
        interface_id=interface_id,
        addresses=(f"10.200.{number // 256 % 256}.{number % 256}",),
        subnet_id="subnet-0f10a4de000000003",
        vpc_id="vpc-0a1b2c3d4e5f67890",
        security_groups=(f"sg-{number % 500:017x}",),
        kind="interface",
        instance_id=f"i-{number:017x}",
        tags={},
        vpc_cidrs=("10.0.0.0/8",),
    )


class Context(Struct, frozen=True, kw_only=True):
    """Lambda's context with a time limit."""

    left: Callable[[], float]
    """Seconds until Lambda stops the function."""
    function_name: str = "monitor"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:111122223333:function:monitor"
    aws_request_id: str = "6e1c9ad0-0000-4000-8000-000000000002"

    def get_remaining_time_in_millis(self) -> int:
        """See Lambda."""
        return int(self.left() * 1000)


class MeasuredContainer:
    """A container: the handler, and the counts of its calls."""

    def __init__(
        self, *, described: bool = True, share: float = 1.0, wait: Callable[[float], None] = time.sleep
    ) -> None:
        self.calls = Calls(wait)
        self._share = share
        self.layout = LogFormat.parse(log_format())
        settings = MonitorSettings.from_mapping({**_ENVIRONMENT, "LOG_FORMAT": self.layout.to_log_format()})
        self.max_inflated = settings.max_inflated_mib * 2**20
        ports = MonitorPorts(
            formats=Formats(self.layout.to_log_format()),
            format_store=MemoryFormatStore(),
            interfaces=_Ec2(self.calls, described=described),
            state=_Table(self.calls),
            claims=_Claims(self.calls),
            pages=SnsSink(_Topic("pages", self.calls)),
            operations=SnsSink(_Topic("operations", self.calls)),
        )
        service = build(ports, POLICY, (self.layout,), region="us-east-1", suppression_minutes=60)
        self.clients: list[object] = []
        self._handle = monitor.make_handler(lambda: (settings, service), lambda: float(NOW))

    def clock(self) -> float:
        """Seconds that the container would need on its share of a core, however busy the machine is."""
        return time.process_time() / self._share + self.calls.waited

    def invoke(self, event: dict[str, Any], seconds: float) -> dict[str, Any]:
        """Process an event with a time limit in seconds, as Lambda does."""
        ends = self.clock() + seconds
        context: Any = Context(left=lambda: ends - self.clock())
        return self._handle(event, context)
