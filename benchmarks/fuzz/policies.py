"""Kind of input: policies with changed settings, for `flowwarden policy check` and both functions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from random import Random
from typing import Any, Final

from benchmarks.fuzz.console import run_command
from benchmarks.fuzz.draw import changed, damaged
from benchmarks.fuzz.enforcing import process
from benchmarks.fuzz.kind import Kind, Problem
from benchmarks.fuzz.monitoring import handle
from tests.functions.test_policy import SWEEP, Enforced, Monitor, batch
from tests.policy.fakes import MemoryPolicy

_WHOLE: Final[dict[str, Any]] = {
    "own_cidrs": ["203.0.113.0/24", "2001:db8::/32"],
    "partner_cidrs": ["198.51.100.0/24"],
    "service_ports": [8080, 9000],
    "private_subnets": ["subnet-0123456789abcdef0", "10.1.0.0/16"],
    "listener_only": ["eni-0123456789abcdef0", "i-0123456789abcdef0", "10.0.0.9"],
    "exempt": ["10.0.0.5"],
    "thresholds": {"scan_hour": 12, "lateral_hosts": 3},
    "role_tags": ["Role"],
    "flow_logs": {
        "grace_minutes": 5,
        "default": {"traffic_type": "ALL", "max_aggregation_interval": 60, "tags": {"team": "network"}},
        "rules": [{"name": "pci", "where": {"tags": {"env": ["pci"]}}, "flow_log": {"traffic_type": "ALL"}}],
        "exemptions": [
            {"where": {"vpcs": ["vpc-0123456789abcdef0"]}, "reason": "a lab", "until": "2027-01-01"}
        ],
    },
}  # fmt: skip
_SMALL: Final[tuple[Any, ...]] = ({}, {"exempt": ["10.0.0.5"]}, {"flow_logs": {"grace_minutes": 5}})


def make(random: Random) -> str:
    """A policy."""
    whole = changed(random, random.choice((_WHOLE, _WHOLE, *_SMALL)), 3)
    text = json.dumps(whole, ensure_ascii=random.random() < 0.5)  # noqa: PLR2004
    if random.randrange(5):
        return text
    return damaged(random, text.encode("utf-8", "surrogatepass")).decode("utf-8", "surrogateescape")


def check(text: str) -> Iterator[Problem]:
    """Check the policy with the command, then use it in both functions, which must work whatever it is."""
    yield from run_command(["policy", "check", "-"], text.encode("utf-8", "surrogatepass"))
    monitors = Monitor(MemoryPolicy())
    done = handle(monitors.container(text), batch(), monitors.pages, monitors.operations)
    yield from done.problems
    if done.result is None:
        yield Problem("a policy that fails a batch")
    enforced = Enforced(MemoryPolicy())
    yield from process(enforced.container(text), SWEEP, enforced.fakes.sink.sent)


KIND: Final = Kind(
    name="policies",
    what="policies with changed settings: `flowwarden policy check`, the monitor, the enforcer",
    make=make,
    check=check,
    share=0.01,
)
