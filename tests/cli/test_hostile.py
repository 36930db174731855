"""Whatever a source, a line or a name contains, there is no exception, and no raw text in the terminal."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cli.fakes_console import Ended, flowwarden
from tests.cli.hostile import sources, texts
from tests.examples import examples
from tests.sources.held import ACCEPTED, REJECTED

LONGEST = 2000
ALL = ("--flows", "--gaps", "--malformed")
ESCAPES = "\x1b]0;x\x07\x1b[31m\x9b2J\u202e\r\n"


def demand_harmless(ended: Ended) -> None:
    """Check that the command ended without an exception, and printed only visible characters.

    Lines of standard error have a bounded length.
    """
    assert ended.code in (0, 1)
    assert all(line.isprintable() and len(line) <= LONGEST for line in ended.stderr.split("\n"))
    assert all(line.isprintable() for line in ended.stdout.split("\n"))


@examples(3)
@given(sources())
def test_no_source_raises_or_reaches_the_terminal_raw(data: bytes) -> None:
    """Each printed line is JSON, and every record that is counted is printed."""
    ended = flowwarden(["read", *ALL, "-"], data)
    demand_harmless(ended)
    assert all(isinstance(record, dict) for record in ended.records)
    (summary,) = [line for line in ended.stderr.split("\n") if " in 1 source" in line and " flow" in line]
    counts = [int(part.split()[0].replace(",", "")) for part in summary.split(", ") if part[0].isdigit()]
    assert len(ended.records) == counts[0] + counts[1] + int(
        summary.split(" malformed")[0].split()[-1].replace(",", "")
    )


@examples(1)
@given(texts())
def test_no_explained_line_raises_or_reaches_the_terminal_raw(text: str) -> None:
    """Python decodes invalid bytes of arguments to lone surrogates."""
    demand_harmless(flowwarden(["read", f"--explain={text}"]))


_NAMES = st.binary(min_size=1, max_size=30).filter(
    lambda name: not {*b"/\0"} & {*name} and name not in (b".", b"..")
)


@examples(1)
@given(
    _NAMES, st.sampled_from([b"", b"odd", ACCEPTED.encode(), b"srcaddr,dstaddr,\x1b[31m\n1,2,3", b"\x1f\x8b"])
)
def test_no_name_of_a_file_raises_or_reaches_the_terminal_raw(name: bytes, content: bytes) -> None:
    """A name can be any bytes."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / os.fsdecode(name)
        path.write_bytes(content)
        for argument in (folder, path):
            demand_harmless(flowwarden(["read", *ALL, argument]))


@pytest.mark.parametrize(
    "content",
    [
        f"srcaddr,dstaddr,{ESCAPES[:-2]}\n10.0.0.1,10.0.0.2,x\n",
        json.dumps({"srcaddr": "10.0.0.1", "dstaddr": "10.0.0.2", f"x{ESCAPES}": 1, "y\udcff": 2}),
        f"{ESCAPES[:-2]}\n",
        json.dumps({"message": f"a{ESCAPES}b"}),
        '{"srcaddr": "10.0.0.1", "dstaddr": "10.0.0.2", "instance-tag": "\\u001b[31m\\u009b2J\\u202e"}',
        '{"srcaddr": "10.0.0.1", "dstaddr": "10.0.0.2", "instance-tag": "\\ud800"}',
        "\n".join(f"srcaddr dstaddr {'x' * 90}{n}\n1 2 3" for n in range(100)),
    ],
    ids=["column", "key", "line", "message", "tag", "surrogate", "long names"],
)
def test_names_and_values_are_escaped(content: str) -> None:
    """In notes, in the first malformed line, and in records."""
    demand_harmless(flowwarden(["read", *ALL, "-"], content.encode()))
    demand_harmless(flowwarden(["read", "-"], content.encode()))


@pytest.mark.parametrize("argument", [f"--{ESCAPES}", f"--only={ESCAPES}", f"--format={ESCAPES}"])
def test_wrong_usage_is_escaped(argument: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A shell's pattern can put a file's name where an option is expected."""
    with pytest.raises(SystemExit):
        flowwarden(["read", "x", argument])
    assert all(line.isprintable() for line in capsys.readouterr().err.split("\n"))


COMMAND = [sys.executable, "-m", "flowwarden_cli"]


def test_a_folder_with_the_output_is_read_without_it(tmp_path: Path) -> None:
    """Otherwise it would grow forever."""
    (tmp_path / "a.log").write_text(f"{ACCEPTED}\n")
    (tmp_path / "z.log").write_text(f"{REJECTED}\n")
    command = [*COMMAND, "read", str(tmp_path)]
    with (tmp_path / "out.jsonl").open("wb") as output, (tmp_path / "err.txt").open("wb") as errors:
        done = subprocess.run(command, stdout=output, stderr=errors, check=False, timeout=60)
    assert done.returncode == 0
    assert (tmp_path / "out.jsonl").read_text().count("\n") == 2
    assert "out.jsonl: is the output of this command" in (tmp_path / "err.txt").read_text()


def test_standard_input_given_twice_is_an_error() -> None:
    """It is read once."""
    ended = flowwarden(["read", "-", "-"], f"{ACCEPTED}\n".encode())
    assert (ended.code, len(ended.records)) == (1, 1)
    assert "error: standard input: can be read only once" in ended.stderr


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", ">&- 2>&- <&-"])
def test_closed_streams_end_without_a_traceback(closed: str) -> None:
    """Some schedulers start programs without standard streams."""
    script = f'exec "$0" -m flowwarden_cli read - {closed}'
    done = subprocess.run(
        ["sh", "-c", script, sys.executable], input=f"{ACCEPTED}\n".encode(), capture_output=True, check=False
    )
    assert b"Traceback" not in done.stderr
    assert done.returncode == (1 if ">&-" in closed.replace("2>&-", "") and "<" not in closed else 0)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("odd\n", 1),
        ("1 2 3\n4 5 6\n", 1),
        (f"odd\n{ACCEPTED}\n", 0),
        ("", 0),
        ("\n \n", 0),
        ("srcaddr dstaddr\n", 0),
    ],
)
def test_nothing_but_malformed_lines_is_an_error_with_advice(text: str, code: int) -> None:
    """The lines have another format, or are no flow logs."""
    ended = flowwarden(["read", "-"], text.encode())
    assert ended.code == code
    assert ("--format" in ended.stderr) is bool(code)


@pytest.mark.parametrize("form", ["\n{}\n", "\n\n\r\n{}\n \n", "\ufeff\n{}", '{{"message": "{}"}}\n\n'])
def test_blank_lines_are_counted_in_no_form(form: str) -> None:
    """Neither as malformed nor as anything else."""
    assert "1 flow, 0 gaps, 0 malformed" in flowwarden(["read", "-"], form.format(ACCEPTED).encode()).stderr
