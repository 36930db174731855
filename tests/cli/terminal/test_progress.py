"""The progress bar: only on a terminal, at most ten updates a second, cleared at the end."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from pathlib import Path

from flowwarden_cli.main import run
from flowwarden_cli.terminal.progress import Progress
from tests.cli.fakes_console import fake_console, written
from tests.sources.held import ACCEPTED


def ticking(seconds: float) -> Callable[[], float]:
    """A clock that advances by this step each time it is read."""
    ticks = count()
    return lambda: next(ticks) * seconds


def test_the_bar_shows_share_speed_and_size() -> None:
    """Of all sources together."""
    console = fake_console(shows_progress=True, clock=ticking(1.0))
    progress = Progress(console, 2_000_000_000)
    progress.next_source(500_000_000)
    progress.add_records(3_000)
    progress.reach(500_000_000)
    assert (
        written(console.stderr)
        == "\r\033[K 50% ▕████████████            ▏ 1.00 GB of 2.00 GB, 3,000 records, 3,000/s"
    )


def test_if_the_size_is_unknown_the_bar_shows_the_bytes_read() -> None:
    """As for a pipe."""
    console = fake_console(shows_progress=True, clock=ticking(0.5))
    Progress(console, None).reach(1_230_000_000)
    assert written(console.stderr) == "\r\033[K1.23 GB, 0 records, 0/s"


def test_small_sources_are_shown_in_megabytes() -> None:
    """In gigabytes the number would not change visibly."""
    console = fake_console(shows_progress=True, clock=ticking(1.0))
    Progress(console, 59_000_000).reach(1_200_000)
    assert "1.2 MB of 59.0 MB" in written(console.stderr)


def test_the_bar_is_drawn_at_most_ten_times_a_second() -> None:
    """Drawing costs more than reading a block."""
    console = fake_console(shows_progress=True, clock=ticking(0.01))
    progress = Progress(console, 100)
    for position in range(100):
        progress.reach(position)
    assert 1 <= written(console.stderr).count("\r") <= 10


def test_the_bar_is_cleared_at_the_end(tmp_path: Path) -> None:
    """The summary has its own line."""
    (tmp_path / "log").write_text(f"{ACCEPTED}\n" * 10_000)
    console = fake_console(shows_progress=True, clock=ticking(1.0))
    run(["read", str(tmp_path)], console)
    drawn, _, rest = written(console.stderr).rpartition("\r\033[K")
    assert "100%" in drawn
    assert rest == "10,000 flows, 0 gaps, 0 malformed lines in 1 source\n"


def test_without_a_terminal_nothing_is_drawn(tmp_path: Path) -> None:
    """Logs stay clean."""
    (tmp_path / "log").write_text(ACCEPTED)
    console = fake_console(clock=ticking(1.0))
    run(["read", str(tmp_path)], console)
    assert "\r" not in written(console.stderr)


def test_an_error_is_not_printed_after_the_bar(tmp_path: Path) -> None:
    """The bar is cleared first."""
    (tmp_path / "a").write_text(f"{ACCEPTED}\n" * 10_000)
    (tmp_path / "b").write_bytes(b"PK\x03\x04")
    console = fake_console(shows_progress=True, clock=ticking(1.0))
    assert run(["read", str(tmp_path)], console) == 1
    assert f"\r\033[Kerror: {tmp_path / 'b'}: is a zip archive" in written(console.stderr)
