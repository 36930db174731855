"""Runs ministack, the AWS emulator, in its own environment; `server` starts this program.

It changes two things, for which ministack has no settings:

- ministack reads what a function logs until no line has arrived for 5 ms. On a busy machine the last line,
  which has the metrics, can arrive later: it is then missing in the log of its invocation. Here, ministack
  waits longer.
- ministack unpacks both layers, 2,300 files, at each start of a function, which takes a quarter of the start.
  Here, they are unpacked once, and linked from then on.
"""

from __future__ import annotations

import os
import runpy
import shutil
import tempfile
import threading
import zipfile
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from typing import Final

from ministack.core.lambda_runtime import Worker

FIRST_LINE_SECONDS: Final = 0.05
"""How long to wait for the first line; as in ministack."""
IDLE_SECONDS: Final = 0.05
"""The time without a new line after which the log is complete."""
MOST_SECONDS: Final = 1.0
"""How long to wait for a log at most."""
LARGE: Final = 1_000_000
"""The size of an archive, in bytes, from which on it is that of a layer."""


class LinkedArchive(zipfile.ZipFile):
    """An archive that is unpacked once if it is large. Nothing may write to the unpacked files."""

    _lock = threading.Lock()

    def extractall(
        self,
        path: str | os.PathLike[str] | None = None,
        members: Iterable[str | zipfile.ZipInfo] | None = None,
        pwd: bytes | None = None,
    ) -> None:
        """Unpack all files to a folder."""
        if members or not self.filename or not path or Path(self.filename).stat().st_size < LARGE:
            super().extractall(path, members, pwd)
            return
        with self._lock:
            unpacked = self._unpacked(Path(self.filename))
        shutil.copytree(unpacked, path, copy_function=os.link, dirs_exist_ok=True)

    def _unpacked(self, source: Path) -> Path:
        folder = Path(tempfile.gettempdir()) / "unpacked" / sha256(source.read_bytes()).hexdigest()
        if not folder.exists():
            partial = folder.with_suffix(".partial")
            super().extractall(partial)
            partial.rename(folder)
        return folder


def main() -> None:
    """Run ministack with both changes, until it is stopped."""
    Worker._drain_stderr_bounded.__defaults__ = (FIRST_LINE_SECONDS, IDLE_SECONDS, MOST_SECONDS)  # noqa: SLF001
    zipfile.ZipFile = LinkedArchive  # type: ignore[misc]
    runpy.run_module("ministack", run_name="__main__")


if __name__ == "__main__":
    main()
