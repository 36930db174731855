"""`flowwarden policy check` says before a deployment what would fail it."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO, StringIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import settings_check
from flowwarden_cli.main import run
from flowwarden_cli.terminal.console import Console
from tests.examples import examples

DAY = 86_400
S3 = {"flow_logs": {"default": {"destination_type": "s3", "destination": "arn:aws:s3:::flows"}}}
INVALID = (
    '{"exemt": ["10.0.9.9"]}',
    '{"exempt": ["0.0.0.0/0"]}',
    '{"exempt": [], "exempt": []}',
    '{"thresholds": {"scan_hour": 0}}',
    "{",
    "",
    "[]",
    '{"flow_logs": {"default": {"retention_days": 31}}}',
    '{"exempt": [' + " " * 1800 + "]}",
)


def checked(*arguments: str, stdin: bytes = b"") -> tuple[int, str, str]:
    """The exit code, the output and the errors of a check."""
    out, err = BytesIO(), StringIO()
    console = Console(
        BytesIO(stdin), out, err, shows_progress=False, clock=lambda: 0.0, now=lambda: 2.5 * DAY
    )
    code = run(["policy", "check", *arguments], console)
    return code, out.getvalue().decode(), err.getvalue()


def deployment_error(policy: str) -> str:
    """The reason with which the deployment of a policy fails."""
    event = {"RequestType": "Create", "ResourceProperties": {"Policy": policy}}
    return settings_check.problem_of(event, settings_check.check) or ""


def test_a_valid_policy_is_accepted(tmp_path: Path) -> None:
    """From a file and from standard input."""
    path = tmp_path / "policy.json"
    path.write_text('{"exempt": ["10.0.9.9"]}\n')
    assert checked(str(path)) == (0, "The policy is valid.\n", "")
    assert checked("-", stdin=path.read_bytes()) == (0, "The policy is valid.\n", "")


@pytest.mark.parametrize("policy", INVALID)
def test_the_message_is_that_of_the_deployment(policy: str) -> None:
    """Both make the same check."""
    code, out, err = checked("-", stdin=policy.encode())
    assert (code, out) == (1, "")
    assert err.startswith("error: policy: ")
    assert deployment_error(policy).startswith(err.removeprefix("error: ").rstrip("\n"))


def test_line_breaks_at_the_end_do_not_count() -> None:
    """A shell's `$(cat FILE)` drops them; spaces count."""
    assert checked("-", stdin=b'{"exempt": []}' + b"\n" * 2000)[0] == 0
    assert checked("-", stdin=b'{"exempt": []}' + b" " * 2000)[0] == 1


def test_a_policy_that_needs_a_parameter_says_so_and_is_refused_if_it_is_no() -> None:
    """The parameter grants permissions, so it is never set silently."""
    policy = json.dumps(S3).encode()
    code, out, _ = checked("-", stdin=policy)
    assert code == 0
    assert "Deploy it with OtherDestinations=yes: flow_logs.default.destination_type" in out
    assert checked("--parameter", "OtherDestinations=yes", "-", stdin=policy)[1] == "The policy is valid.\n"
    code, _, err = checked("--parameter", "OtherDestinations=no", "-", stdin=policy)
    assert code == 1
    assert "needs the parameter OtherDestinations=yes" in err


def test_other_parameters_are_checked_too() -> None:
    """And their names."""
    code, _, err = checked("--parameter", "LogFormat=${version} ${srcadr}", "-", stdin=b"{}")
    assert (code, "parameter LogFormat" in err) == (1, True)
    code, _, err = checked("--parameter", "LogFormt=x", "-", stdin=b"{}")
    assert (code, "'LogFormt' is not a parameter" in err) == (1, True)


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("a", "b"),
        ("--parameter", "LogFormat", "-"),
        ("--parameter", "DryRun=no", "--parameter", "DryRun=yes", "-"),
    ],
)
def test_wrong_usage_is_exit_code_2(arguments: tuple[str, ...]) -> None:
    """As in the other commands."""
    with pytest.raises(SystemExit) as ended:
        checked(*arguments)
    assert ended.value.code == 2


def test_a_file_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    """The error names it."""
    (tmp_path / "utf16.json").write_bytes("{}".encode("utf-16"))
    (tmp_path / "large").write_bytes(b" " * 1_000_001)
    for name, expected in (
        ("none.json", "No such file"),
        ("", "Is a directory"),
        ("utf16.json", "save the file as UTF-8"),
        ("large", "more than 1,000,000 bytes"),
    ):
        code, out, err = checked(f"{tmp_path}/{name}")
        assert (code, out) == (1, "")
        assert expected in err
        assert str(tmp_path) in err


def test_a_named_pipe_is_read_and_does_not_hang(tmp_path: Path) -> None:
    """As the shell's `<(command)` passes it; without a program that writes to it, it is an error."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    with ThreadPoolExecutor() as pool:
        writer = pool.submit(path.write_text, '{"exempt": ["10.0.9.9"]}')
        assert checked(str(path))[:2] == (0, "The policy is valid.\n")
        writer.result()
    code, out, err = checked(str(path))
    assert (code, out) == (1, "")
    assert "is a named pipe that no program writes to" in err


@pytest.mark.parametrize(
    ("parameter", "message"),
    [
        ("DryRun=maybe", "parameter DryRun: 'maybe'; write yes or no"),
        ("LogLevel=LOUD", "parameter LogLevel: 'LOUD'; write DEBUG, INFO, WARNING or ERROR"),
        ("FlowLogRetentionDays=8", "parameter FlowLogRetentionDays: '8'; write a retention that"),
        ("SuppressionMinutes=0", "parameter SuppressionMinutes: '0'; write a whole number from 1 to"),
        ("SuppressionMinutes=1.5", "parameter SuppressionMinutes: '1.5'; write a whole number from 1 to"),
        ("FlowLogGroupName=/aws/flows", "parameter FlowLogGroupName: '/aws/flows'; write 1 to 512"),
        ("PolicyProfile=x", "parameter PolicyProfile: 'x'; write three ids separated by slashes"),
        ("MaxInflatedMiB=", "parameter MaxInflatedMiB: it is empty; leave it out to use its default"),
    ],
)
def test_a_value_that_the_template_refuses_is_refused(parameter: str, message: str) -> None:
    """In the words of the template, without the name of a variable or a regular expression."""
    code, out, err = checked("--parameter", parameter, "-", stdin=b"{}")
    assert (code, out) == (1, "")
    assert err.startswith(f"error: {message}")


def test_what_has_ended_is_named(tmp_path: Path) -> None:
    """A mute and an exemption; the policy is valid, because one that is deployed must stay so."""
    mutes = [
        {"detector": "scan", "until": day, "reason": "x"} for day in ("1970-01-02", "1970-01-03", "never")
    ]
    where = {"where": {"vpcs": ["vpc-0a"]}, "reason": "x"}
    exemptions = [where | {"until": "1970-01-02"}, where | {"until": "1970-01-03"}, where]
    path = tmp_path / "policy.json"
    path.write_text(json.dumps({"mutes": mutes, "flow_logs": {"exemptions": exemptions}}))
    code, out, err = checked(str(path))
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "The policy is valid.",
        "mutes[0] has ended (1970-01-02), so it matches nothing: extend or remove it.",
        "flow_logs.exemptions[0] has ended (1970-01-02), so its VPCs need flow logs: extend or remove it.",
    ]


@examples(1)
@given(st.binary(max_size=300))
def test_any_bytes_are_valid_or_refused(content: bytes) -> None:
    """In one line, without an exception."""
    code, _, err = checked("-", stdin=content)
    assert code in {0, 1}
    assert err.count("\n") == code
