"""The table of sinks: it is complete, and the template, the docs and the command agree with it."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

import flowwarden.sinks
from flowwarden.bootstrap.more_sinks import NONE
from flowwarden.bootstrap.sinks import AwsEdges, build, on_aws
from flowwarden.errors import SettingsError
from flowwarden.https.webhook import Clock
from flowwarden.notify.alert import Route
from flowwarden.notify.ports import tracks_incidents
from flowwarden.parameters import PARAMETERS
from flowwarden.sinks.base import SinkKind
from flowwarden.sinks.sns import SnsSink
from flowwarden.sinks.table import NEED_END, ROUTES, SINKS, configured
from flowwarden_cli.commands import test_page
from tests.sinks.recorded import RecordingEdges
from tests.template import stack

ROOT = Path(__file__).parents[2]
CLOCK = Clock(monotonic=lambda: 0.0, wait=lambda _seconds: None, unix=lambda: 0.0)


def test_the_table_has_every_sink_of_the_folder() -> None:
    """Each file that ends with its `KIND`."""
    folder = Path(flowwarden.sinks.__path__[0])
    names = [each.stem for each in folder.glob("*.py") if "KIND: Final = SinkKind(" in each.read_text()]
    kinds = [importlib.import_module(f"flowwarden.sinks.{each}").KIND for each in names]
    assert {each.name for each in kinds} == {each.name for each in SINKS}
    assert len({each.name for each in SINKS}) == len(SINKS) > 2


def test_the_table_knows_the_sinks_that_need_the_end_of_each_incident() -> None:
    """Those that track incidents one by one, and Security Hub, which takes several at once; no chat."""
    arn = "arn:aws:sns:eu-west-1:111122223333:chat"
    tracking = {each.name for each in SINKS if tracks_incidents(each.make(arn, RecordingEdges()))}
    assert tracking == {"pagerduty", "eventbridge"}
    assert tracking | {"securityhub"} == NEED_END


@pytest.mark.parametrize("kind", SINKS, ids=[each.name for each in SINKS])
def test_a_sink_is_off_by_default_and_documented(kind: SinkKind) -> None:
    """Its parameter is in the template, its steps and limits are in the docs, and it can be tested."""
    assert stack.PARAMETERS[kind.parameter]["Default"] in {"", "no"}
    assert PARAMETERS[kind.parameter].default in {"", "no"}
    assert f"{kind.name}=" in stack.environment("Monitor")["SINKS"]["Fn::Sub"][0]
    page = (ROOT / "docs" / "notifications.md").read_text()
    section = page.partition(f"\n### {kind.title}\n")[2].partition("\n### ")[0]
    assert f"{kind.parameter}=" in section
    assert "1. " in section
    assert all(each in section for each in kind.limits)
    words = {route: word for word, route in ROUTES.items()}
    assert f"| {kind.title} | `{kind.parameter}` | {', '.join(words[each] for each in kind.routes)} |" in page
    assert kind.name in test_page.SINKS
    security = (ROOT / "SECURITY.md").read_text()
    assert kind.title in security


def test_the_command_knows_the_topics_and_the_sinks() -> None:
    """And nothing else."""
    assert ("pages", "operations", *(each.name for each in SINKS)) == test_page.SINKS


def test_nothing_is_built_for_a_stack_without_sinks() -> None:
    """As the template sets the variable by default."""
    everything = ";".join(f"{each.name}=" for each in SINKS)
    assert on_aws("", "eu-west-1", CLOCK) is NONE
    assert on_aws(f"{everything};routes=", "eu-west-1", CLOCK).by_name == {}


def test_a_configured_sink_gets_its_routes() -> None:
    """The usual ones, or those of the parameter."""
    edges = RecordingEdges()
    usual = build("pagerduty=a;slack=b;teams=;routes=", edges)
    assert {*usual.by_name} == {"pagerduty", "slack"}
    assert names(usual.by_route[Route.PAGES]) == ["pagerduty", "slack"]
    assert names(usual.by_route[Route.OPERATIONS]) == ["slack"]
    changed = build("pagerduty=a;slack=b;routes=pagerduty=pages,operations slack=digests", edges)
    assert names(changed.by_route[Route.PAGES]) == ["pagerduty"]
    assert names(changed.by_route[Route.OPERATIONS]) == ["pagerduty"]
    assert names(changed.by_route[Route.DIGEST]) == ["slack"]


def names(sinks: object) -> list[str]:
    """The names of sinks."""
    assert isinstance(sinks, tuple)
    return [each.name for each in sinks]


def test_the_topics_come_first() -> None:
    """A page reaches SNS before a service outside AWS is asked."""
    topic = SnsSink(Named())
    sinks = build("pagerduty=a;slack=b", RecordingEdges()).routes(pages=topic, operations=topic, digest=topic)
    assert {route: [each.name for each in some] for route, some in sinks.items()} == {
        Route.PAGES: ["sns:topic", "pagerduty", "slack"],
        Route.OPERATIONS: ["sns:topic", "slack"],
        Route.DIGEST: ["sns:topic", "slack"],
    }


class Named:
    """A topic that is never used."""

    name = "topic"

    def publish(self, *_arguments: object) -> None:
        """See the port."""
        pytest.fail("nothing is sent")


@pytest.mark.parametrize(
    "routes",
    [
        "chat=pages",
        "slack",
        "slack=",
        "slack=pager",
        "slack=pages,",
        "slack=pages slack2=pages",
        "slack=pages slack=digests",
    ],
)
def test_a_route_that_cannot_be_read_is_refused(routes: str) -> None:
    """By the function and, before a deployment, by the check of the settings."""
    with pytest.raises(ValueError, match="write"):
        configured(f"routes={routes}")
    with pytest.raises(SettingsError, match="SINKS="):
        on_aws(f"slack=a;routes={routes}", "eu-west-1", CLOCK)


def test_the_edges_on_aws_make_no_call_before_something_is_sent() -> None:
    """Neither a client nor a connection: a stack that only configures a sink starts as fast."""
    sinks = build("pagerduty=a;slack=b;teams=c;eventbridge=d;securityhub=e", AwsEdges("eu-west-1", CLOCK))
    assert {*sinks.by_name} == {"pagerduty", "slack", "teams", "eventbridge", "securityhub"}
