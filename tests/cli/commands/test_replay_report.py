"""`flowwarden replay --report`: the file, and its errors."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from flowwarden_cli.report.library import MISSING, script
from flowwarden_cli.report.page import page
from tests.cli.fakes_console import flowwarden
from tests.cli.report.results import small
from tests.replay.archives import LAYOUT, incidents

PAGED, UNREADABLE, USAGE = 3, 1, 2


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """A file with a scan."""
    path = tmp_path / "flows.log"
    path.write_text("\n".join([" ".join(LAYOUT.names), *incidents(), ""]))
    return path


def test_the_report_is_one_file_with_the_plotting_library(archive: Path, tmp_path: Path) -> None:
    """What is printed and the exit code are as without it."""
    path = tmp_path / "report.html"
    plain = flowwarden(["replay", archive])
    ended = flowwarden(["replay", archive, "--report", path])
    assert (ended.code, ended.stdout, ended.stderr) == (PAGED, plain.stdout, "")
    text = path.read_text(encoding="utf-8")
    assert text.startswith("<!DOCTYPE html>")
    assert "vegaEmbed" in text
    assert "10.0.0.66" in text


def test_the_document_contains_what_was_seen_and_the_text_does_not_need_it(archive: Path) -> None:
    """The report draws the same members."""
    seen = json.loads(flowwarden(["replay", archive, "--format", "json"]).stdout)["observed"]
    assert {"conversations", "rejected_ports", "scans", "roles", "coverage"} <= seen.keys()


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("no/report.html", "does not exist"),
        (".", "is a folder; write the name of a file"),
        ("x" * 300, "File name too long"),
    ],
)
def test_a_report_that_cannot_be_written_is_an_error_before_anything_is_read(
    archive: Path, tmp_path: Path, name: str, why: str
) -> None:
    """A replay of a large archive takes hours."""
    ended = flowwarden(["replay", archive, "--report", tmp_path / name])
    assert (ended.code, ended.stdout) == (UNREADABLE, "")
    assert why in ended.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has this file")
def test_if_the_disk_is_full_in_the_end_the_result_is_printed(archive: Path) -> None:
    """What was replayed is not lost."""
    ended = flowwarden(["replay", archive, "--report", "/dev/full"])
    assert ended.code == UNREADABLE
    assert "cannot be written: No space left on device" in ended.stderr
    assert "Pages:" in ended.stdout


def test_a_report_is_about_one_policy(
    archive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A comparison has no report."""
    policies = [tmp_path / "a.json", tmp_path / "b.json"]
    for each in policies:
        each.write_text("{}")
    arguments = ["replay", archive, "--report", tmp_path / "r.html"]
    with pytest.raises(SystemExit) as ended:
        flowwarden([*arguments, *(each for path in policies for each in ("--policy", path))])
    assert ended.value.code == USAGE
    assert "--report is about one policy" in capsys.readouterr().err


def test_without_the_package_an_error_says_what_to_install(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before anything is replayed."""
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    ended = flowwarden(["replay", archive, "--report", tmp_path / "report.html"])
    assert ended.code == UNREADABLE
    assert ended.stderr == f"error: {MISSING}\n"
    assert "pip install '.[report]'" in MISSING
    assert ended.stdout == ""


def test_the_library_is_at_most_a_megabyte_and_cannot_end_its_element() -> None:
    """It is most of a small report."""
    library = script()
    assert len(library.encode()) < 1_500_000
    assert "</script" not in library.lower()
    assert "<!--" not in library
    assert len(page(small(), library).encode()) < 1_500_000
