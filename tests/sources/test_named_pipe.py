"""Named pipes: read as streams if a program writes, an error if none does."""

from __future__ import annotations

import os
from pathlib import Path
from threading import Thread

import pytest

from flowwarden.errors import SourceNotOpened
from flowwarden.sources.inputs import Input
from flowwarden.sources.named_pipe import open_pipe
from tests.sources.held import ACCEPTED, REJECTED, flows_of, read_all


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    """A named pipe."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    return path


def test_a_pipe_without_a_writer_is_an_error(pipe: Path) -> None:
    """It would never end."""
    with pytest.raises(SourceNotOpened, match="pipe: is a named pipe that no program writes to"):
        open_pipe(pipe, "pipe", tries=1)


def test_a_pipe_is_read_to_the_end_of_its_writer(pipe: Path) -> None:
    """Including what is written while it is opened."""
    lines = [ACCEPTED, REJECTED] * 5_000
    writer = Thread(target=pipe.write_text, args=("\n".join(lines),))
    writer.start()
    held = read_all(Input(str(pipe), None, pipe))
    writer.join()
    assert held.flows == flows_of(*lines)


def test_a_writer_may_be_silent_at_first(pipe: Path) -> None:
    """As `tail -f` is."""
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)  # a writer can open the pipe only with a reader
    writer = os.open(pipe, os.O_WRONLY)
    with open_pipe(pipe, "pipe", tries=1) as opened:
        os.write(writer, b"late")
        os.close(writer)
        assert opened.read() == b"late"
    os.close(reader)
