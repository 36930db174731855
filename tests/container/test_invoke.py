"""Both functions in containers, with `sam local invoke`: their results and notifications."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from local import engine
from local.invoke import Container
from local.payload import ReadableEvent, read
from local.server import EmbeddedAws
from local.stack import build, deploy

pytestmark = pytest.mark.container

EVENTS = Path(__file__).parents[2] / "events"


def why_not() -> str:
    """The reason why these tests cannot run here; '' if they can."""
    lacking = engine.why_no_engine()
    if lacking:
        return lacking
    return "" if engine.has_image() else f"the image {engine.image()} is not here"


@pytest.fixture(scope="module")
def container() -> Iterator[Container]:
    """The deployed stack on an AWS emulator that containers can reach."""
    reason = why_not()
    if reason:
        pytest.skip(f"`sam local invoke` cannot run: {reason}")
    with EmbeddedAws("container-tests", host=engine.address_for_containers()) as aws:
        built = build(aws.name)
        yield Container(aws, built, deploy(aws, built))


def test_the_monitor_pages(container: Container) -> None:
    """A batch of REJECTs: the handler returns its counts, and the page arrives."""
    invoked = container.invoke(read(EVENTS / "monitor" / "reject-burst.json"))
    assert invoked.error == ""
    assert invoked.result["Notifications"] == 1
    (page,) = invoked.deliveries
    assert page.detector == "blocked-connection"
    assert "PostgreSQL" in page.text


def test_the_enforcer_covers_a_new_vpc(container: Container) -> None:
    """CreateVpc: the flow log is created, and the report arrives."""
    invoked = container.invoke(read(EVENTS / "enforcer" / "create-vpc.json"))
    assert invoked.error == ""
    (vpc,) = invoked.result["created"]
    (report,) = invoked.deliveries
    assert vpc in report.subject


def test_a_handler_that_raises_is_an_error(container: Container) -> None:
    """Sam exits 0, which does not count as success."""
    good = read(EVENTS / "monitor" / "accept-only.json")
    broken = ReadableEvent(title="", event=good.event, settings={"LOG_FORMAT": "${no such field}"})
    invoked = container.invoke(broken)
    assert "LogFormatError" in invoked.error
    assert invoked.result is None
    assert invoked.deliveries == ()
