"""The demo's scenario on the real template."""

from __future__ import annotations

import io

import pytest

from local.demo import narrate
from local.feed import Conversation, Host
from local.scenario import Stage
from local.scenes import Scene
from local.terminal import Terminal

pytestmark = pytest.mark.e2e

NOW = 1_764_000_000
HOST = Host(
    address="10.30.1.5",
    interface="eni-0e2e000000000001",
    instance="i-0e2e000000000001",
    subnet="subnet-0e2e0000000000001",
    vpc="vpc-0e2e0000000000001",
)


def test_the_demo_has_the_expected_results(stage: Stage) -> None:
    """VPCs are covered, a second sweep does nothing, every scene has exactly its pages."""
    output = io.StringIO()
    assert narrate(Terminal(output), stage) == 0, output.getvalue()
    for page in ("is blocked from PostgreSQL", "was rejected at 24", "on the internet"):
        assert page in output.getvalue()


def test_a_page_has_the_attributes_that_subscribers_filter_by(stage: Stage) -> None:
    """Severity, detector, account, region and VPC are message attributes."""
    played = stage.play(_refused(HOST, "10.30.9.9", pages=("blocked-connection",)), NOW)
    assert played.problems == ()
    (page,) = played.deliveries
    assert page.attributes == {
        "kind": "incident",
        "severity": "medium",
        "detector": "blocked-connection",
        "account": "111122223333",
        "region": "eu-west-1",
        "event": "opened",
        "vpc": HOST.vpc,
    }
    assert page.subject.startswith("[MEDIUM] ")
    assert "10.30.9.9" in page.text


def test_an_unexpected_result_of_a_scene_is_a_problem(stage: Stage) -> None:
    """Unexpected and missing pages are problems, so the demo cannot succeed by accident."""
    surprise = stage.play(_refused(HOST, "10.30.9.10", port=6379), NOW)
    assert [problem for problem in surprise.problems if "unexpected page" in problem]
    assert [problem for problem in surprise.problems if problem.startswith("metric Notifications")]


def _refused(host: Host, server: str, port: int = 5432, pages: tuple[str, ...] = ()) -> Scene:
    return Scene(
        title="a refused connection",
        about="",
        conversations=(
            Conversation(
                at=host,
                client=host.address,
                client_port=41_000,
                server=server,
                port=port,
                accepted=False,
                packets=4,
            ),
        ),
        pages=pages,
        verdict="",
    )
