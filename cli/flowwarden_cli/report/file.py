"""Writes the file of a report."""

from __future__ import annotations

import os
from pathlib import Path


def unwritable(path: str) -> str:
    """Why a file cannot be written, as far as that is known before; '' if it can.

    A replay of a large archive takes long, so it must not end without its report.
    """
    file = Path(path)
    try:
        if not file.exists():
            file, folder = file.parent, file.parent
            if not folder.is_dir():
                return f"--report {path}: the folder {folder} does not exist"
        elif file.is_dir():
            return f"--report {path}: is a folder; write the name of a file"
        return "" if os.access(file, os.W_OK) else f"--report {path}: cannot be written: permission denied"
    except OSError as error:
        return f"--report {path}: cannot be written: {error.strerror or error}"


def written(path: str, text: str) -> str:
    """Write a file, in UTF-8; return the problem if that is not possible, else ''."""
    try:
        Path(path).write_bytes(text.encode("utf-8", "backslashreplace"))
    except OSError as error:
        return f"--report {path}: cannot be written: {error.strerror or error}"
    return ""
