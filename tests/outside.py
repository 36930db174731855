"""Real records and events beside the project; tests that need them skip on machines without."""

from __future__ import annotations

from pathlib import Path
from typing import Final

DATA: Final = Path(__file__).parents[2] / "shared" / "data"
