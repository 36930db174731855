"""Real records and events outside the project; tests that need them are skipped if they are missing."""

from __future__ import annotations

from pathlib import Path
from typing import Final

DATA: Final = Path(__file__).parents[2] / "shared" / "data"
LABELED: Final = DATA / "labelled"
"""Records with published labels. The folder keeps the spelling of its source."""
