"""Writes the file of a report."""

from __future__ import annotations

from pathlib import Path


def written(path: str, text: str) -> str:
    """Write a file, in UTF-8; return the problem if that is not possible, else ''."""
    try:
        Path(path).write_bytes(text.encode("utf-8", "backslashreplace"))
    except OSError as error:
        return f"--report {path}: cannot be written: {error.strerror or error}"
    return ""
