"""The terminal: no colors in files, and limited line width."""

from __future__ import annotations

import io
import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.invocations import Invocation
from local.terminal import WIDTH, Terminal, wrapped
from tests.monitor.render.golden import page_of


def test_a_file_gets_no_colors() -> None:
    """Escape codes are only for terminals."""
    file = io.StringIO()
    terminal = Terminal(file)
    terminal.title("title", "about")
    terminal.good("good")
    terminal.bad("bad\nworse")
    terminal.notification("subject", "text", 1.25)
    assert "\033" not in file.getvalue()
    assert "arrived after 1.2 s" in file.getvalue()


def test_a_closed_pipe_ends_the_program_without_a_traceback() -> None:
    """As in `make demo | head`; the `with` blocks of the program end what it started."""
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as file, pytest.raises(SystemExit) as ended:
        Terminal(file).good("good")
    assert ended.value.code == 1


def test_a_step_is_printed_before_it_is_done() -> None:
    """The user sees which step is running; the line of a failed step has no seconds."""
    file = io.StringIO()
    terminal = Terminal(file)
    with terminal.step("sam build"):
        assert file.getvalue().endswith("sam build ")
    assert file.getvalue().endswith(" s\n")
    with pytest.raises(KeyError), terminal.step("sam deploy"):
        raise KeyError
    assert file.getvalue().endswith("sam deploy \n")


def test_values_continue_under_their_column() -> None:
    """So tables stay readable."""
    (finding,) = [line for line in page_of("scan").split("\n") if line.startswith("Where ")]
    column = finding.index("111122223333")
    first, *rest = wrapped("Where".ljust(column) + "word " * 40, 60)
    assert first.startswith("Where".ljust(column) + "word")
    assert rest
    assert all(line.startswith(" " * column + "word") for line in rest)


def test_a_mute_stays_one_line_so_that_it_can_be_pasted() -> None:
    """A space in it is not a place to wrap."""
    (mute,) = [line for line in page_of("scan").split("\n") if line.startswith('  {"detector"')]
    (shown,) = wrapped(mute, 40)
    assert json.loads(shown)["detector"] == "scan"


@given(st.lists(st.text("abc", min_size=1, max_size=20)).map(" ".join))
def test_no_line_is_too_wide_and_no_word_is_lost(line: str) -> None:
    """For any notification."""
    parts = wrapped(line, WIDTH)
    assert all(len(part) <= WIDTH for part in parts)
    assert " ".join(parts).split() == line.split()


def test_metrics_are_read_from_the_lines_that_contain_them() -> None:
    """Embedded metric format among other lines; with single values or lists."""
    metric = (
        '{"_aws": {"CloudWatchMetrics": [{"Metrics": [{"Name": "Flows"}, {"Name": "Findings"}]}]}, '
        '"Flows": [3.0, 2.0], "Findings": 1}'
    )
    invocation = Invocation(("START", '{"message": "done"}', "[1]", metric, "REPORT"))
    assert invocation.metrics == {"Flows": 5.0, "Findings": 1}
