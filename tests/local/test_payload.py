"""Example events become payloads; other files are refused with a reason."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowwarden.records.subscription import LogBatch, decode
from local import invoke, payload

EVENTS = Path(__file__).parents[2] / "events"
FLOW_LOG = {"flow_log_id": "fl-1", "resource_id": "vpc-1"}


def with_members(**members: object) -> str:
    """A file with an event and these members."""
    return json.dumps({"event": {"detail-type": "x"}} | members)


def test_a_monitor_event_is_encoded_like_a_subscription_event() -> None:
    """Decoding returns the original event."""
    event = payload.read(EVENTS / "monitor" / "reject-burst.json")
    assert event.function == payload.MONITOR
    batch = decode(event.payload["awslogs"]["data"], 1 << 20)
    assert isinstance(batch, LogBatch)
    assert list(batch.lines) == [each["message"] for each in event.event["logEvents"]]


def test_an_enforcer_event_is_passed_as_it_is() -> None:
    """EventBridge does not encode events."""
    event = payload.read(EVENTS / "enforcer" / "create-vpc.json")
    assert event.function == payload.ENFORCER
    assert event.payload == event.event


@pytest.mark.parametrize(
    "path", sorted(EVENTS.glob("*/*.json")), ids=lambda path: f"{path.parent.name}-{path.stem}"
)
def test_every_event_of_the_folder_can_be_invoked(path: Path) -> None:
    """The folder determines its function."""
    function = {
        "monitor": payload.MONITOR,
        "enforcer": payload.ENFORCER,
        "dispatcher": payload.DISPATCHER,
    }[path.parent.name]
    assert payload.read(path).function == function


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "No such file"),
        ("{", "not JSON"),
        ("", "not JSON"),
        ("NaN", "not JSON"),
        ('{"event": {"messageType": "\\ud800"}}', "not JSON"),
        ("\ud800", "not JSON"),
        ('{"event": ' + '{"detail-type": ' * 99_999, "nested too deeply"),
        ("[]", "Expected `object`, got `array`"),
        ("null", "Expected `object`, got `null`"),
        ("{}", "missing required field `event`"),
        ('{"event": []}', "Expected `object`, got `array`.*event"),
        ('{"event": {"Records": []}}', "neither `messageType`"),
        (with_members(title=7), "Expected `str`, got `int`.*title"),
        (with_members(settings=[]), "Expected `object`, got `array`.*settings"),
        (with_members(settings={"LOG_LEVEL": 7}), "Expected `str`, got `int`.*settings"),
        (with_members(settings={"LOG LEVEL": "INFO"}), "matching regex.*settings"),
        (with_members(settings={"LOG_LEVEL": "\0"}), "matching regex.*settings"),
        (with_members(account=[]), "Expected `object`, got `array`.*account"),
        (with_members(account={"vpcs": {}}), r"got `object`.*account\.vpcs"),
        (with_members(account={"vpcs": [7]}), r"got `int`.*account\.vpcs"),
        (with_members(account={"vpcs": [{"vpc_id": "vpc-1"}]}), "missing required field `owner_id`"),
        (with_members(account={"vpcs": [{"vpc_id": "", "owner_id": "1" * 12}]}), "matching regex.*vpc_id"),
        (with_members(account={"flow_logs": [FLOW_LOG | {"flow_log_id": 1}]}), "got `int`.*flow_log_id"),
        (
            with_members(account={"flow_logs": [FLOW_LOG | {"traffic_type": "all"}]}),
            "Invalid enum.*traffic_type",
        ),
        (
            with_members(account={"flow_logs": [FLOW_LOG | {"log_group_name": "a b"}]}),
            "regex.*log_group_name",
        ),
    ],
    ids=lambda value: str(value)[:60],
)
def test_a_file_that_is_not_an_event_is_refused(tmp_path: Path, content: str | None, reason: str) -> None:
    """The message contains the file, the problem, and the folders of valid events."""
    path = tmp_path / "event.json"
    if content is not None:
        path.write_text(content, errors="surrogatepass")
    with pytest.raises(payload.NotAnEvent, match=reason) as refusal:
        payload.read(path)
    assert str(path) in str(refusal.value)


def test_a_folder_is_refused(tmp_path: Path) -> None:
    """A path may be a folder."""
    with pytest.raises(payload.NotAnEvent, match="directory"):
        payload.read(tmp_path)


def test_an_undecodable_file_name_is_reported(tmp_path: Path) -> None:
    """Python reads such names as lone surrogates, which a terminal cannot print."""
    with pytest.raises(payload.NotAnEvent) as refusal:
        payload.read(tmp_path / os.fsdecode(b"odd-\xff.json"))
    assert "odd-\ufffd.json: No such file" in str(refusal.value)


def test_members_used_only_by_tests_are_ignored(tmp_path: Path) -> None:
    """The files also contain the expected results; the shortest file has only the event."""
    path = tmp_path / "an event.json"
    path.write_text(with_members(expected={"result": {}}, account={"refuses": {}, "late": []}))
    assert payload.read(path) == payload.ReadableEvent(event={"detail-type": "x"})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
MEMBERS = st.sampled_from(["event", "title", "settings", "account"])


@given(st.dictionaries(MEMBERS, JSON) | JSON)
def test_any_document_is_an_event_or_is_refused(document: object) -> None:
    """For any content of a file."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "event.json"
        path.write_text(json.dumps(document))
        with suppress(payload.NotAnEvent):
            event = payload.read(path)
            assert json.dumps(event.payload)


@pytest.mark.parametrize("given_event", ["", "no such event.json"])
def test_make_passes_a_path_with_spaces_as_one_argument(given_event: str) -> None:
    """Without a path it passes none, so that the usage is printed."""
    recipe = subprocess.run(
        ["make", "--dry-run", "--no-print-directory", "--old-file=setup", "invoke", f"EVENT={given_event}"],
        cwd=EVENTS.parent,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()[-1]
    _, _, arguments = recipe.partition("local.invoke")
    assert shlex.split(arguments) == ([given_event] if given_event else [])


def test_the_command_prints_the_payload(capsys: pytest.CaptureFixture[str]) -> None:
    """As input for `sam local invoke -e -`."""
    assert payload.main([str(EVENTS / "monitor" / "accept-only.json")]) == 0
    assert json.loads(capsys.readouterr().out)["awslogs"]["data"]


@pytest.mark.parametrize("arguments", [[], ["no-such-event.json"]])
def test_wrong_arguments_end_with_a_code_and_a_reason(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither command runs without an event."""
    assert payload.main(arguments) == 2
    assert invoke.main(arguments) == 2
    message = capsys.readouterr()
    assert "event" in message.err + message.out


@pytest.mark.parametrize(
    ("code", "stdout", "error"),
    [
        (0, '{"Flows": 3}\n', ""),
        (0, 'stray print\n{"Flows": 3}', ""),
        (0, "null", ""),
        (
            0,
            '{"errorType": "LogFormatError", "errorMessage": "empty"}',
            "the handler raised LogFormatError: empty",
        ),
        (0, "", "killed or timed out"),
        (0, "Function timed out", "killed or timed out"),
        (1, '{"Flows": 3}', "exit code 1"),
    ],
)
def test_sams_exit_code_is_not_sufficient(code: int, stdout: str, error: str) -> None:
    """Only a JSON response without an error is a success."""
    result, message = invoke.read_outcome(code, stdout)
    assert (error in message) if error else (message == "")
    assert result == ({"Flows": 3} if not error and "Flows" in stdout else None)
