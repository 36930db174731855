"""`flowwarden doctor`: exit codes, and JSON that a script can read."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from flowwarden.doctor.fact import Unread
from flowwarden.doctor.facts import Facts
from flowwarden.errors import StackDenied
from flowwarden_cli.commands.command import SUCCEEDED, UNREADABLE
from flowwarden_cli.commands.doctor import run
from tests.cli.fakes_console import fake_console, written
from tests.doctor.broken import STATES
from tests.doctor.sound import sound


def ran(facts: Callable[[], Facts], **given: Any) -> tuple[int, str, str]:
    """Exit code, output and errors."""
    console = fake_console()
    options = Namespace(**{"stack": "x", "region": "eu-west-1", "json": False} | given)
    code = run(options, console, lambda *_: facts())
    return code, written(console.stdout).decode(), written(console.stderr)


def test_a_sound_stack_and_one_with_warnings_have_exit_code_0() -> None:
    """Scripts that need more read the JSON."""
    for facts in (sound(), STATES["table-without-recovery"][0](sound())):
        code, printed, errors = ran(lambda facts=facts: facts)  # type: ignore[misc]  # bound early
        assert (code, errors) == (SUCCEEDED, "")
        assert "0 failed, 0 unknown" in printed


@pytest.mark.parametrize(
    "facts", [STATES["queue-filled"][0](sound()), replace(sound(), trails=Unread("denied"))]
)
def test_a_failure_and_what_is_unknown_have_exit_code_1(facts: Facts) -> None:
    """What could not be checked must not count as sound."""
    assert ran(lambda: facts)[0] == UNREADABLE
    code, printed, _ = ran(lambda: facts, json=True)
    assert code == UNREADABLE
    assert json.loads(printed)["sound"] is False


def test_a_stack_that_cannot_be_read_is_an_error() -> None:
    """The reason goes to standard error, and nothing to the output."""

    def denied() -> Facts:
        raise StackDenied("cannot read stack x: AccessDenied")

    code, printed, errors = ran(denied)
    assert (code, printed) == (UNREADABLE, "")
    assert errors.startswith("error: cannot read stack x: AccessDenied")
