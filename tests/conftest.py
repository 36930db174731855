"""Settings for all tests: no deadlines, so that a busy machine fails no test, and their distribution."""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Iterator
from typing import Final

import pytest
from hypothesis import HealthCheck, settings
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from tests.examples import PROFILES
from tests.matrix import split

for name, count in PROFILES.items():
    slow = [HealthCheck.too_slow]
    settings.register_profile(
        name,
        deadline=None,
        suppress_health_check=slow,
        max_examples=count,
        derandomize=name == "ci",  # each run has the same examples, and a failure repeats
    )
settings.load_profile("ci")

os.environ["MOTO_EC2_LOAD_DEFAULT_AMIS"] = "false"
"""moto otherwise creates 1,300 images for each test that asks EC2, which takes a third of a second."""


gc.set_threshold(500_000, 20, 20)
"""Collecting garbage less often saves a twentieth of the run time."""


TOGETHER: Final = "tests/e2e/"
"""A folder whose tests share slow fixtures. In most others, only tests of the same file share them."""
APART: Final = "tests/e2e/apart/"
"""Its tests that start AWS emulators of their own, so that another process can run them."""
INSTALLATION: Final = "tests/e2e/apart/installation/"
"""The tests that share a second stack, which some of them remove."""
LONGEST: Final = (TOGETHER, "tests/benchmarks/")
"""The slowest folders: they run first, so that no process is left with only them at the end."""

LOWER: Final = 5
"""By how much the processes that do not run `TOGETHER` lower their priority."""


def scope_of(nodeid: str) -> str:
    """What one process runs as a whole: a file, or all tests that share slow fixtures."""
    if nodeid.startswith(INSTALLATION):
        return INSTALLATION
    shared = nodeid.startswith(TOGETHER) and not nodeid.startswith(APART)
    return TOGETHER if shared else nodeid.partition("::")[0]


class Scheduler(LoadScopeScheduling):  # type: ignore[misc]  # untyped
    """With several processes: each runs whole files, and one process runs all that share the fixtures."""

    def _split_scope(self, nodeid: str) -> str:
        return scope_of(nodeid)


def pytest_xdist_auto_num_workers() -> int:
    """One more process than cores, because the tests of `TOGETHER` mostly wait."""
    return (os.process_cpu_count() or 1) + 1


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduler:
    """Distribute tests with `Scheduler`; pytest-xdist calls this."""
    return Scheduler(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Run a slice of each matrix; the slowest folders first, and `TOGETHER` before all, in one process."""
    items[:], left_out = split(items)
    config.hook.pytest_deselected(items=left_out)
    items.sort(key=lambda item: (scope_of(item.nodeid) != TOGETHER, not item.nodeid.startswith(LONGEST)))


def pytest_collection_finish() -> None:
    """Exclude what exists before the first test from garbage collection, because it stays until the end."""
    gc.collect()
    gc.freeze()


def pytest_sessionfinish() -> None:
    """Collect garbage once. pytest then does so five times, and each would look at all objects again."""
    gc.collect()
    gc.freeze()


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Prefer the tests of `TOGETHER` and their emulator on busy cores: they take longest, and mostly wait.

    The other processes lower their priority at their first test.
    """
    if "PYTEST_XDIST_WORKER" in os.environ and os.nice(0) == 0 and scope_of(item.nodeid) != TOGETHER:
        os.nice(LOWER)


@pytest.fixture(scope="module")
def state_table() -> Iterator[None]:
    """The state table on moto, shared by the tests of a module."""
    # Imported here, because few tests need boto3.
    from moto import mock_aws  # noqa: PLC0415

    from tests.aws.clients import make_state_table  # noqa: PLC0415
    from tests.aws.dynamodb.damage import TABLE  # noqa: PLC0415

    with mock_aws():
        make_state_table(TABLE)
        yield


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Make the test and its child processes react to SIGINT, even if this process is a background job.

    A shell starts background jobs with SIGINT ignored, and child processes inherit that. Handlers are not
    inherited.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
