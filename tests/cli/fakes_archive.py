"""A log group and its interfaces in memory, for `flowwarden replay` and `flowwarden interfaces`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from flowwarden.bootstrap.log_archive import LogArchive
from flowwarden.network.interface import NetworkInterface
from flowwarden.replay.follow import LogEvent
from flowwarden.replay.interface_file import InterfaceFile
from flowwarden_cli.terminal.ending import Ending
from tests.replay.archives import BEGIN, LAYOUT, SCANNER, end_of, ordinary, scan

INTERFACES: Final = InterfaceFile(
    account="111122223333",
    region="eu-west-1",
    interfaces=(
        NetworkInterface(
            interface_id=f"eni-{66:017x}", vpc_id="vpc-1", addresses=(SCANNER,), tags={"Role": "inventory"}
        ),
    ),
)


def log_group() -> LogArchive:
    """A log group with a scan, whose interfaces are known."""
    lines = [*ordinary(1, 3), *scan(BEGIN + 600)]
    return LogArchive(
        messages=lambda *_: iter([lines]),
        events=lambda *_: iter([events_of(lines)]),
        layouts=(LAYOUT,),
        known=INTERFACES,
    )


def events_of(lines: Sequence[str]) -> list[LogEvent]:
    """Log events with these lines, at the times of their ends."""
    return [LogEvent(str(number), end_of(each) * 1000, each) for number, each in enumerate(lines)]


class EndingAfter(Ending):
    """Ends after some waits, of which it notes the seconds, as a user would who presses Ctrl-C."""

    def __init__(self, waits: int, then: Callable[[float], None] = lambda _: None) -> None:
        """Call `then` for each wait."""
        super().__init__()
        self.waited: list[float] = []
        self._most = waits
        self._then = then

    def wait(self, seconds: float) -> None:
        """Note it."""
        self.waited.append(seconds)
        self._then(seconds)
        self.is_ended = len(self.waited) >= self._most
