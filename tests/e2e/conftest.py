"""One AWS emulator with the real template deployed, for all tests of this folder.

The tests share it in any order: each has VPCs, interfaces and addresses of its own, so that its
incidents are its own.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from local.scenario import Stage
from local.scenes import POLICY
from local.server import EmbeddedAws
from local.stack import build, deploy


@pytest.fixture(scope="session")
def deployed() -> Iterator[Stage]:
    """The deployed stack that all tests share."""
    with EmbeddedAws("tests") as aws:
        yield Stage(aws, deploy(aws, build(aws.name), {"Policy": json.dumps(POLICY)}))


@pytest.fixture
def stage(deployed: Stage) -> Stage:
    """The deployed stack, without notifications of earlier tests."""
    deployed.pages.take()
    deployed.operations.take()
    deployed.monitor.skip()
    deployed.enforcer.skip()
    return deployed
