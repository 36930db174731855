"""Inputs: the files for paths, in a stable order."""

from __future__ import annotations

import os
import sys
from io import BytesIO
from pathlib import Path

import pytest

from flowwarden.errors import SourceNotOpened
from flowwarden.sources.chunks import Note
from flowwarden.sources.inputs import Input, find

STDIN = BytesIO(b"from a pipe")


def names(*paths: str | Path) -> list[str]:
    """The names of the files found."""
    return [each.name for each in find(map(str, paths), STDIN) if isinstance(each, Input)]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A folder of files in folders."""
    for name in (
        "b.log",
        "a/2.log",
        "a/10.log",
        "a/.hidden",
        "_SUCCESS",
        ".git/x",
        "_temporary/y",
        "c/d/e.gz",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    (tmp_path / "empty").mkdir()
    return tmp_path


def test_a_folder_gives_all_files_below_it_sorted(tree: Path) -> None:
    """Hidden files are excluded."""
    assert names(tree) == [str(tree / name) for name in ("a/10.log", "a/2.log", "b.log", "c/d/e.gz")]


def test_an_explicit_path_is_read_even_if_its_name_is_hidden(tree: Path) -> None:
    """Paths keep the order in which they are given."""
    assert names(tree / "b.log", tree / "_SUCCESS") == [str(tree / "b.log"), str(tree / "_SUCCESS")]


def test_sizes_are_known_for_files_only(tree: Path) -> None:
    """The progress bar needs them."""
    found = list(find([str(tree / "b.log"), "-"], STDIN))
    assert [each.size for each in found if isinstance(each, Input)] == [5, None]


def test_a_dash_is_standard_input(tree: Path) -> None:
    """It is already open."""
    (found,) = find(["-"], STDIN)
    assert isinstance(found, Input)
    assert (found.name, found.open().read()) == ("standard input", b"from a pipe")
    assert names(tree / "empty", "-") == ["standard input"]


def test_links_to_files_are_followed_and_links_to_folders_below_are_not(tree: Path) -> None:
    """This prevents endless loops; a link given as a path is followed."""
    (tree / "c" / "circle").symlink_to(tree)
    (tree / "c" / "link.log").symlink_to(tree / "b.log")
    assert names(tree / "c") == [str(tree / "c/d/e.gz"), str(tree / "c/link.log")]
    assert names(tree / "c" / "circle" / "a") == [
        str(tree / "c/circle/a/10.log"),
        str(tree / "c/circle/a/2.log"),
    ]


def test_a_missing_path_yields_an_error_in_its_place(tree: Path) -> None:
    """The other paths are found."""
    first, second, third = find(
        [str(tree / "missing"), str(tree / "b.log"), str(tree / "b.log" / "x")], STDIN
    )
    assert isinstance(first, SourceNotOpened)
    assert str(first) == f"{tree / 'missing'}: No such file or directory; check the path and its permissions"
    assert isinstance(second, Input)
    assert isinstance(third, SourceNotOpened)


def test_a_file_that_is_deleted_before_it_is_opened_is_an_error(tree: Path) -> None:
    """It existed when the paths were searched."""
    (found,) = find([str(tree / "b.log")], STDIN)
    (tree / "b.log").unlink()
    assert isinstance(found, Input)
    with pytest.raises(SourceNotOpened, match=r"b\.log: No such file"):
        found.open()


def test_a_named_pipe_is_a_stream_of_unknown_size(tmp_path: Path) -> None:
    """Process substitution in a shell creates named pipes."""
    os.mkfifo(tmp_path / "pipe")
    (found,) = find([str(tmp_path / "pipe")], STDIN)
    assert isinstance(found, Input)
    assert found.size is None


def identity(path: Path) -> tuple[int, int]:
    """Device and number of a file."""
    status = path.stat()
    return status.st_dev, status.st_ino


def test_unread_entries_of_a_folder_are_noted(tree: Path) -> None:
    """Links to folders, pipes, and the command's own output."""
    (tree / "circle").symlink_to(tree)
    os.mkfifo(tree / "pipe")
    own = {identity(tree / "b.log")}
    notes = [each.text for each in find([str(tree)], STDIN, own) if isinstance(each, Note)]
    assert notes == [
        f"{tree / 'b.log'}: is the output of this command, which is not read",
        f"{tree / 'circle'}: is a link to a folder, which is not followed; give it as a PATH to read it",
        f"{tree / 'pipe'}: is not a regular file; give it as a PATH to read it",
    ]


def test_the_own_output_as_a_path_is_an_error(tree: Path) -> None:
    """Under any of its names, and as standard input."""
    (tree / "same.log").hardlink_to(tree / "b.log")
    own = {identity(tree / "b.log")}
    with (tree / "b.log").open("rb") as stdin:
        found = list(find([str(tree / "b.log"), str(tree / "same.log"), "-"], stdin, own))
    assert ["is the output of this command" in str(each) for each in found] == [True] * 3
    assert all(isinstance(each, SourceNotOpened) for each in found)


def test_standard_input_is_read_once() -> None:
    """A second dash is an error."""
    first, second = find(["-", "-"], STDIN)
    assert isinstance(first, Input)
    assert isinstance(second, SourceNotOpened)


def test_a_path_with_a_zero_is_an_error() -> None:
    """No system call accepts it."""
    (found,) = find(["a\0b"], STDIN)
    assert isinstance(found, SourceNotOpened)


def test_folders_can_be_nested_deeply(tmp_path: Path) -> None:
    """Deeper than Python's recursion limit."""
    folders = [tmp_path]
    for _ in range(sys.getrecursionlimit() + 10):
        folders.append(folders[-1] / "d")
        folders[-1].mkdir()
    (folders[-1] / "x.log").write_text("x")
    found = names(tmp_path)
    (folders[-1] / "x.log").unlink()
    for folder in reversed(folders[1:]):
        folder.rmdir()
    assert [Path(name).name for name in found] == ["x.log"]
