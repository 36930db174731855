"""How many examples property tests make: what the profile says, times what a test says.

`ci` is what `make test` runs, `dev` is for a quick look (`ARGS=--hypothesis-profile=dev`), `deep` is what
`make reliability` runs.
"""

from __future__ import annotations

from typing import Final

from hypothesis import settings

PROFILES: Final = {"dev": 15, "ci": 60, "deep": 1500}
"""Examples of a property test."""


def examples(times: float) -> settings:
    """A decorator: so many times as many examples as the profile says."""
    return settings(max_examples=max(1, round(settings().max_examples * times)))
