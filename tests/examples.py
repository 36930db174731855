"""The number of examples of property tests: the profile's number, times a factor of the test.

`make test` uses `ci`, `make reliability` uses `deep`; `dev` is for quick runs
(`ARGS=--hypothesis-profile=dev`).
"""

from __future__ import annotations

from typing import Final

from hypothesis import settings

PROFILES: Final = {"dev": 5, "ci": 7, "deep": 300}
"""Number of examples of a property test, by profile."""


def examples(times: float) -> settings:
    """A decorator: run `times` as many examples as the profile defines."""
    return settings(max_examples=max(1, round(settings().max_examples * times)))
