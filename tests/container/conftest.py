"""Container tests must not be skipped if REQUIRE_CONTAINERS is set."""

from __future__ import annotations

import os
from collections.abc import Generator

import pytest

REQUIRED = "REQUIRE_CONTAINERS"
"""Set to a non-empty value if a container engine must be available, as in the project's CI."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    call: pytest.CallInfo[None],
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skip into a failure if containers are required, because a skip tests nothing."""
    report = yield
    if report.skipped and os.environ.get(REQUIRED):
        reason = call.excinfo.value if call.excinfo else "skipped"
        report.outcome = "failed"
        report.longrepr = f"{REQUIRED} is set, so this must not be skipped: {reason}"
    return report
