"""The functions in containers, with `sam local invoke`: their results and notifications."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from local import engine
from local.invoke import Container, Invoked
from local.payload import ReadableEvent, read, read_expected
from local.scenes import MANY_PAGES
from local.server import EmbeddedAws
from local.stack import build, deploy

pytestmark = pytest.mark.container

EVENTS = Path(__file__).parents[2] / "events"


def why_not() -> str:
    """The reason why these tests cannot run here; '' if they can."""
    lacking = engine.why_no_engine()
    if lacking:
        return lacking
    return "" if engine.has_image() else f"the image {engine.image()} is missing"


@pytest.fixture(scope="module")
def container() -> Iterator[Container]:
    """The deployed stack on an AWS emulator that containers can reach."""
    reason = why_not()
    if reason:
        pytest.skip(f"`sam local invoke` cannot run: {reason}")
    with EmbeddedAws("container-tests", host=engine.address_for_containers()) as aws:
        built = build()
        yield Container(aws, built, deploy(aws, built, MANY_PAGES))


def invoke(container: Container, name: str) -> Invoked:
    """Run an event, and compare the outcome with the one that it states."""
    return container.invoke(read(EVENTS / name), read_expected(EVENTS / name))


def test_an_event_has_the_same_outcome_again_and_leaves_nothing_behind(container: Container) -> None:
    """A page is not suppressed as a repeat; a sweep finds only the VPCs of its event and their log group."""
    for name in ("monitor/scan.json", "monitor/scan.json", "enforcer/delete-log-group.json"):
        assert invoke(container, name).differences == (), name
    swept = invoke(container, "enforcer/sweep.json")
    assert [each.what for each in swept.differences if each.what == "created"] == []


def test_another_outcome_is_a_difference(container: Container) -> None:
    """The event is run with the expected outcome of another one."""
    expected = read_expected(EVENTS / "monitor" / "scan.json")
    invoked = container.invoke(read(EVENTS / "monitor" / "accept-only.json"), expected)
    assert [each.what for each in invoked.differences] == ["flows", "pages"]


def test_the_monitor_pages(container: Container) -> None:
    """A batch of REJECTs: the handler returns its counts, and the page arrives."""
    invoked = invoke(container, "monitor/reject-burst.json")
    assert invoked.error == ""
    assert invoked.differences == ()
    assert invoked.result["Notifications"] == 1
    (page,) = invoked.deliveries
    assert page.detector == "blocked-connection"
    assert "PostgreSQL" in page.text


def test_the_enforcer_covers_a_new_vpc(container: Container) -> None:
    """CreateVpc: the flow log is created, and the report arrives."""
    invoked = invoke(container, "enforcer/create-vpc.json")
    assert invoked.error == ""
    assert invoked.differences == ()
    (vpc,) = invoked.result["created"]
    (report,) = invoked.deliveries
    assert vpc in report.subject


@pytest.mark.parametrize("name", ["pending", "resolved"])
def test_the_dispatcher_sends_once(container: Container, name: str) -> None:
    """What stayed pending, and that an incident is over."""
    invoked = invoke(container, f"dispatcher/{name}.json")
    assert invoked.error == ""
    assert invoked.differences == ()


def test_a_handler_that_raises_is_an_error(container: Container) -> None:
    """`sam local invoke` exits with 0, which does not count as success."""
    good = read(EVENTS / "monitor" / "accept-only.json")
    broken = ReadableEvent(title="", event=good.event, settings={"LOG_FORMAT": "${no such field}"})
    invoked = container.invoke(broken)
    assert "LogFormatError" in invoked.error
    assert invoked.result is None
    assert invoked.deliveries == ()
