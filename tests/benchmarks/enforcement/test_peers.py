"""Other tools agree with Flow Warden after a sweep. Needs the environments that `make peers` creates."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PROGRAMS = tuple(
    ROOT / ".venvs" / name
    for name in ("peers-world/bin/python", "peers-custodian/bin/custodian", "peers-prowler/bin/prowler")
)


def test_after_a_sweep_cloud_custodian_and_prowler_find_every_vpc_covered() -> None:
    """The exit code of the comparison is its result."""
    missing = [str(each.relative_to(ROOT)) for each in PROGRAMS if not each.exists()]
    if missing:
        pytest.skip(f"run make peers first; missing: {', '.join(missing)}")
    done = subprocess.run(
        [str(PROGRAMS[0]), "-m", "benchmarks.enforcement.peers"],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": "layers/flowwarden:cli:."},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
