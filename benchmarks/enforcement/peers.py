"""`make peers`: compares the checks of Cloud Custodian, Prowler and Flow Warden on one account on moto.

Each tool runs its own check, in its own environment, on the same account, which this process builds, serves
and sweeps. Before the sweep, the other tools accept flow logs that do not record all traffic or do not
deliver; Flow Warden reports these. After the sweep they, too, find every VPC covered.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from moto import mock_aws
from moto.server import ThreadedMotoServer
from msgspec import Struct

from benchmarks.enforcement.account import FAILING, REGION, REJECT, Counted, build, enforcer
from flowwarden.enforcer.decide.coverage import Coverage
from flowwarden.enforcer.reporting.report import EnforcementReport
from flowwarden.enforcer.triggers.trigger import RunKind, Trigger

ENVIRONMENTS: Final = Path(__file__).parents[2] / ".venvs"
VPCS: Final = 100
HOUR: Final = 3600
TIMEOUT_SECONDS: Final = 300
POLICY: Final = {
    "policies": [
        {"name": "uncovered", "resource": "aws.vpc", "filters": [{"type": "flow-logs", "enabled": False}]}
    ]
}
"""Cloud Custodian's filter for VPCs without flow logs (its documentation, aws.vpc, flow-logs)."""


class Peer(Struct, frozen=True):
    """Another tool, and its program."""

    name: str
    program: Path


CUSTODIAN: Final = Peer("Cloud Custodian", ENVIRONMENTS / "peers-custodian" / "bin" / "custodian")
PROWLER: Final = Peer("Prowler", ENVIRONMENTS / "peers-prowler" / "bin" / "prowler")


class Findings(Struct, frozen=True):
    """The VPCs that each tool reports."""

    custodian: frozenset[str]
    prowler: frozenset[str]
    flow_warden: frozenset[str]


class Compared(Struct, frozen=True):
    """The state of each VPC, and the findings before and after the sweep."""

    states: dict[str, str]
    before: Findings
    after: Findings


def compare(vpcs: int) -> Compared:
    """Build the account, run all checks, sweep, verify, run all checks again."""
    with mock_aws(), served() as endpoint:
        states = build(vpcs, lambda text: print(f"… {text}", file=sys.stderr))
        before = check(endpoint)
        for turn in (1, 2):
            _run(turn)
        after = check(endpoint)
    return Compared(states, before, after)


def check(endpoint: str) -> Findings:
    """The findings of all tools."""
    report = _run(0, dry_run=True)
    # Flow Warden's plan, an hour after its last changes: VPCs that are not covered, or covered but failing.
    reported = {each.verdict.vpc_id for each in report.plans if each.verdict.coverage is not Coverage.COVERED}
    return Findings(custodians(endpoint), prowlers(endpoint), frozenset(reported))


def custodians(endpoint: str) -> frozenset[str]:
    """The VPCs that Cloud Custodian reports as uncovered."""
    with tempfile.TemporaryDirectory() as folder:
        policy = Path(folder) / "policy.json"
        policy.write_text(json.dumps(POLICY))
        # Without its cache, which would still contain the account's state before the sweep.
        fresh = ["run", "-s", folder, "--region", REGION, "--cache-period", "0", str(policy)]
        _call(endpoint, [str(CUSTODIAN.program), *fresh])
        found = json.loads((Path(folder) / "uncovered" / "resources.json").read_text())
    return frozenset(each["VpcId"] for each in found)


def prowlers(endpoint: str) -> frozenset[str]:
    """The VPCs that Prowler fails."""
    with tempfile.TemporaryDirectory() as folder:
        scope = ["-c", "vpc_flow_logs_enabled", "-f", REGION, "--scan-unused-services"]
        output = ["-M", "json-ocsf", "-o", folder, "-F", "output", "-b", "--no-color", "--ignore-exit-code-3"]
        _call(endpoint, [str(PROWLER.program), "aws", *scope, *output])
        found = json.loads((Path(folder) / "output.ocsf.json").read_text())
    return frozenset(_vpc(each) for each in found if each["status_code"] == "FAIL")


@contextmanager
def served() -> Iterator[str]:
    """Serve the account of this process over HTTP; the endpoint."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        server.stop()


def _run(turn: int, *, dry_run: bool = False) -> EnforcementReport:
    now = int(time.time()) + (turn + 1) * HOUR
    trigger = Trigger(kind=RunKind.SWEEP, reason="a sweep", happened_at=now, idempotency_key=f"sweep {turn}")
    return enforcer(Counted(Counter()), dry_run=dry_run).reconcile(trigger, now)


def _call(endpoint: str, command: list[str]) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": tempfile.gettempdir(),
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": REGION,
    }
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False
    )
    if done.returncode:
        raise RuntimeError(
            f"{command[0]} exited with {done.returncode}: {(done.stdout + done.stderr)[-2000:]}"
        )


def _vpc(finding: dict[str, Any]) -> str:
    (resource,) = finding["resources"]
    return str(resource["uid"]).rpartition("/")[2]


def main() -> int:
    """Print the findings; 1 if a tool still finds an uncovered VPC after the sweep."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.enforcement.peers", description=__doc__)
    parser.add_argument("--vpcs", type=int, default=VPCS)
    compared = compare(parser.parse_args().vpcs)
    states, before, after = compared.states, compared.before, compared.after
    wrong = {vpc for vpc, state in states.items() if state in {FAILING, REJECT}}
    print(f"{len(states)} VPCs; {len(wrong)} have a flow log that fails, or records only REJECTs\n")
    print("                        before  of the wrong ones  after")
    for name, one, two in (
        (CUSTODIAN.name, before.custodian, after.custodian),
        (PROWLER.name, before.prowler, after.prowler),
        ("Flow Warden", before.flow_warden, after.flow_warden),
    ):
        print(f"{name:22} {len(one):7} {len(one & wrong):18} {len(two):6}")
    failing = {vpc for vpc, state in states.items() if state == FAILING}
    print(f"\nFlow Warden still reports the failing flow logs of: {sorted(after.flow_warden)}")
    return 0 if not after.custodian | after.prowler and after.flow_warden == failing else 1


if __name__ == "__main__":
    sys.exit(main())
