"""The commands about incidents on the deployed stack, as a person runs them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from local.sandbox import State
from local.scenario import TIMEOUT_SECONDS, Stage
from tests.e2e import command
from tests.e2e.test_batches import batch, invoke
from tests.e2e.test_dispatcher import about, dispatch

pytestmark = pytest.mark.e2e

ACKED, MUTED = 91, 92
"""Hosts of these tests alone."""


def run(state: State, *arguments: str) -> tuple[int, Any]:
    """The exit code of a command, and the JSON that it printed; None if it printed nothing."""
    code, printed = command.run(state, *arguments)
    return code, json.loads(printed) if printed else None


def paged(stage: Stage, host: int) -> str:
    """The key of an incident about a host, from its page."""
    assert invoke(stage, batch(stage, host))["Notifications"] == 1
    (page,) = stage.pages.take()
    key: str = page.document["incident"]
    assert f"flowwarden incidents mute {key} " in page.text
    return key


@contextmanager
def cold_monitor(stage: Stage) -> Iterator[None]:
    """The monitor in a new container, which knows no mutes, until the end of the block."""
    functions, name = stage.clients.functions, stage.stack.monitor
    before = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    functions.update_function_configuration(
        FunctionName=name, Environment={"Variables": before | {"OTHER": "value"}}
    )
    try:
        yield
    finally:
        functions.update_function_configuration(FunctionName=name, Environment={"Variables": before})


def test_an_incident_is_acknowledged_and_then_resolved_by_command(stage: Stage, state: State) -> None:
    """The dispatcher sends that it is resolved, and the command then finds it by its whole key only."""
    key = paged(stage, ACKED)
    assert run(state, "incidents", "ack", key[:12], "--by", "alice") == (
        0, {"incident": key, "state": "acknowledged"},
    )  # fmt: skip
    listed = run(state, "incidents", "list")[1]["incidents"]
    (row,) = [each for each in listed if each["incident"] == key]
    assert (row["state"], row["acknowledged"]["by"]) == ("acknowledged", "alice")
    assert run(state, "incidents", "resolve", key, "--by", "bob")[0] == 0
    dispatch(stage)
    (resolved,) = about(stage, key)
    assert resolved.attributes["event"] == "resolved"
    assert "resolved by command, by bob" in resolved.text
    assert run(state, "incidents", "show", key[:12])[0] == 1
    assert run(state, "incidents", "show", key)[1]["resolved_by"] == "bob"


def test_an_incident_is_muted_by_command(stage: Stage, state: State) -> None:
    """A container that starts later reads the mute; when it is removed, the finding is no longer muted."""
    key = paged(stage, MUTED)
    code, done = run(state, "incidents", "mute", key, "--for", "7d", "--reason", "a test")
    assert code == 0
    (mute,) = done["mutes"]
    listed = run(state, "mutes", "list")[1]["mutes"]
    assert mute in listed
    with cold_monitor(stage):
        again = invoke(stage, batch(stage, MUTED))
    assert (again["Muted"], again["Notifications"], again["Suppressed"]) == (1, 0, 0)
    assert about(stage, key) == []
    assert run(state, "mutes", "remove", mute["id"])[0] == 0
    assert mute not in run(state, "mutes", "list")[1]["mutes"]


@pytest.mark.parametrize("sink", ["pages", "operations"])
def test_a_test_page_goes_the_whole_way(stage: Stage, state: State, sink: str) -> None:
    """Both notifications arrive, and nothing stays open."""
    code, done = run(state, "test-page", "--sink", sink)
    assert (code, done["sent"], done["resolved"]) == (0, True, True)
    inbox = stage.pages if sink == "pages" else stage.operations
    page, resolved = inbox.wait(2, TIMEOUT_SECONDS)
    assert page.subject.startswith("[TEST] ")
    assert [each.attributes["event"] for each in (page, resolved)] == ["opened", "resolved"]
    assert {each.attributes["kind"] for each in (page, resolved)} == {"test"}
    listed = run(state, "incidents", "list")[1]["incidents"]
    assert done["incident"] not in [each["incident"] for each in listed]
