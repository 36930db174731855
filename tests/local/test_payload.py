"""Readable events become payloads; what is no event is refused with a reason."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from flowwarden.records.subscription import LogBatch, decode
from local import invoke, payload

EVENTS = Path(__file__).parents[2] / "events"


def test_a_monitor_event_is_packed_as_a_subscription_does() -> None:
    """What is packed unpacks to what is readable."""
    event = payload.read(EVENTS / "monitor" / "reject-burst.json")
    assert event.function == payload.MONITOR
    batch = decode(event.payload["awslogs"]["data"], 1 << 20)
    assert isinstance(batch, LogBatch)
    assert batch.lines == [each["message"] for each in event.event["logEvents"]]


def test_an_enforcer_event_is_passed_as_it_is() -> None:
    """EventBridge packs nothing."""
    event = payload.read(EVENTS / "enforcer" / "create-vpc.json")
    assert event.function == payload.ENFORCER
    assert event.payload == event.event


@pytest.mark.parametrize(
    "path", sorted(EVENTS.glob("*/*.json")), ids=lambda path: f"{path.parent.name}-{path.stem}"
)
def test_every_event_of_the_folder_can_be_invoked(path: Path) -> None:
    """The folder tells which function it is for."""
    function = {"monitor": payload.MONITOR, "enforcer": payload.ENFORCER}[path.parent.name]
    assert payload.read(path).function == function


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "No such file"),
        ("{", "not JSON"),
        ("[]", "no `event`"),
        ('{"event": {"Records": []}}', "no `event`"),
    ],
)
def test_what_is_no_event_is_refused(tmp_path: Path, content: str | None, reason: str) -> None:
    """The message names the file, what is wrong, and where events stand."""
    path = tmp_path / "event.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(payload.NotAnEvent, match=reason) as refusal:
        payload.read(path)
    assert str(path) in str(refusal.value)


def test_the_command_prints_the_payload(capsys: pytest.CaptureFixture[str]) -> None:
    """For piping into `sam local invoke -e -`."""
    assert payload.main([str(EVENTS / "monitor" / "accept-only.json")]) == 0
    assert json.loads(capsys.readouterr().out)["awslogs"]["data"]


@pytest.mark.parametrize("arguments", [[], ["no-such-event.json"]])
def test_wrong_arguments_end_with_a_code_and_a_reason(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither command goes on without an event."""
    assert payload.main(arguments) == 2
    assert invoke.main(arguments) == 2
    told = capsys.readouterr()
    assert "event" in told.err + told.out


@pytest.mark.parametrize(
    ("code", "stdout", "error"),
    [
        (0, '{"Flows": 3}\n', ""),
        (0, 'stray print\n{"Flows": 3}', ""),
        (0, "null", ""),
        (0, '{"errorType": "LayoutError", "errorMessage": "empty"}', "the handler raised LayoutError: empty"),
        (0, "", "killed or ran out of time"),
        (0, "Function timed out", "killed or ran out of time"),
        (1, '{"Flows": 3}', "exit code 1"),
    ],
)
def test_sams_exit_code_is_not_believed(code: int, stdout: str, error: str) -> None:
    """Only an answer that is JSON and no error is success."""
    result, told = invoke.read_outcome(code, stdout)
    assert (error in told) if error else (told == "")
    assert result == ({"Flows": 3} if not error and "Flows" in stdout else None)
