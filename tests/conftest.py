"""What holds for all tests: no test fails because the machine is busy, and which run in one process."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from typing import Final

import pytest
from hypothesis import HealthCheck, settings
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from tests.examples import PROFILES

for name, count in PROFILES.items():
    slow = [HealthCheck.too_slow]
    settings.register_profile(name, deadline=None, suppress_health_check=slow, max_examples=count)
settings.load_profile("ci")


TOGETHER: Final = "tests/e2e/"
"""A folder whose tests share what takes long to make. All others share it within a file at most."""
LONGEST: Final = (TOGETHER, "tests/benchmarks/")
"""Folders that take longest: begun with, so that no process is left with them alone in the end."""


class Scheduler(LoadScopeScheduling):  # type: ignore[misc]  # it has no types
    """With several processes: each runs whole files, and one of them the whole folder `TOGETHER`."""

    def _split_scope(self, nodeid: str) -> str:
        return TOGETHER if nodeid.startswith(TOGETHER) else nodeid.partition("::")[0]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduler:
    """As pytest-xdist asks for it."""
    return Scheduler(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest."""
    items.sort(key=lambda item: not item.nodeid.startswith(LONGEST))


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Processes that the test starts take SIGINT, also where this one runs as a shell's background job.

    A shell starts these with SIGINT ignored, and a process inherits that. A handler is not inherited.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
