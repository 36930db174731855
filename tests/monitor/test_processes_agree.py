"""Every container comes to the same result: Python seeds its hashes anew in each process."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from tests.monitor.outcomes import outcomes


def test_a_process_with_another_seed_has_the_same_outcomes() -> None:
    """What it sends, and what it stores: a retry in another container must not count anything else."""
    here = json.loads(json.dumps(outcomes()))
    seed = str(int(os.environ.get("PYTHONHASHSEED", "0").replace("random", "0")) + 1)
    there = subprocess.run(
        [sys.executable, "-m", "tests.monitor.outcomes"],
        env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        check=True,
        text=True,
    )
    assert json.loads(there.stdout) == here
