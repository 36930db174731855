"""`make sweep`: measures sweeps over a thousand VPCs, in process on moto.

Seconds are processor time of one thread. Most of it is spent in moto and botocore; on AWS, calls take their
time on the server.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter

from moto import mock_aws

from benchmarks.enforcement.account import Counted, build, enforcer
from flowwarden.enforcer.reporting.report import EnforcementReport
from flowwarden.enforcer.triggers.trigger import RunKind, Trigger

GOAL_SECONDS = 60
HOUR = 3600


def main() -> int:
    """Build the account, sweep it three times, print the times; 1 if the first sweep misses the goal."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.enforcement", description=__doc__)
    parser.add_argument("--vpcs", type=int, default=1000)
    options = parser.parse_args()
    with mock_aws():
        states = build(options.vpcs, lambda text: print(f"… {text}", file=sys.stderr))
        summary = ", ".join(f"{number} {state}" for state, number in Counter(states.values()).most_common())
        print(f"{len(states)} VPCs: {summary}\n")
        counted = Counted(Counter())
        seconds = [sweep(counted, turn) for turn in range(3)]
    print(f"goal: the first sweep in {GOAL_SECONDS} s; it took {seconds[0]:.1f} s")
    return 0 if seconds[0] < GOAL_SECONDS else 1


def sweep(counted: Counted, turn: int) -> float:
    """Run a sweep, an hour after the previous one; return its seconds of processor time."""
    counted.calls.clear()
    now = int(time.time()) + (turn + 1) * HOUR
    service = enforcer(counted)
    begin = time.process_time()
    report = service.reconcile(
        Trigger(kind=RunKind.SWEEP, reason="a sweep", happened_at=now, idempotency_key=f"sweep {turn}"), now
    )
    seconds = time.process_time() - begin
    print(f"sweep {turn + 1}: {seconds:.1f} s; {results(report)}")
    for call, number in sorted(counted.calls.items()):
        print(f"    {number:5} {call}")
    print()
    return seconds


def results(report: EnforcementReport) -> str:
    """The number of VPCs by result."""
    ended = Counter(each.result.lower() for each in report.outcomes)
    return ", ".join(f"{number} {result}" for result, number in ended.most_common())


if __name__ == "__main__":
    sys.exit(main())
