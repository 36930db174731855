"""What holds for all tests: no test fails because the machine is busy."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Processes that the test starts take SIGINT, also where this one runs as a shell's background job.

    A shell starts these with SIGINT ignored, and a process inherits that. A handler is not inherited.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
