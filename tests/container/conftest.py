"""Whether a test in containers may be skipped: not where REQUIRE_CONTAINERS is set."""

from __future__ import annotations

import os
from collections.abc import Generator

import pytest

REQUIRED = "REQUIRE_CONTAINERS"
"""Set, to anything but nothing, where a container engine is known to be there, as in the project's CI."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    call: pytest.CallInfo[None],
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Make a skip a failure where containers are required: nothing would have been tried."""
    report = yield
    if report.skipped and os.environ.get(REQUIRED):
        reason = call.excinfo.value if call.excinfo else "skipped"
        report.outcome = "failed"
        report.longrepr = f"{REQUIRED} is set, so this must not be skipped: {reason}"
    return report
