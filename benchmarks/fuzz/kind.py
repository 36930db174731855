"""The type of a kind of input: how inputs are made and processed. Also the verdict on one input."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from random import Random
from typing import Any, Final

from msgspec import Struct

from benchmarks.fuzz.guard import SECONDS, Hung, guarded
from flowwarden.notify.notification import Notification
from tests.hostile import is_visible, texts

_PROJECT: Final = Path(__file__).parents[2]
LONGEST_LINE: Final = 2000
"""Characters of a line of a page or of a message on the terminal."""
RAISED: Final = "raised"
SLOW: Final = "took too long"


class Problem(Struct, frozen=True):
    """An invariant that an input breaks."""

    what: str
    """The invariant and the place of the violation: equal for inputs with the same cause."""
    detail: str = ""


class Kind(Struct, frozen=True, kw_only=True):
    """A kind of input."""

    name: str
    what: str
    """The input and what processes it, for docs/reliability.md."""
    make: Callable[[Random], Any]
    """Makes a group of inputs that are processed together."""
    check: Callable[[Any], Iterable[Problem]]
    """Processes a group and returns the problems; raises what the code under test raises."""
    size: int = 1
    """Number of inputs in a group."""
    share: float
    """The share of this kind among all inputs of a run."""


def verdict(kind: Kind, given: Any, seconds: float = SECONDS) -> list[Problem]:  # noqa: ANN401 - an input
    """The problems in the processing of an input; empty if there are none.

    Every exception that a check raises is a problem: a check catches the exceptions that its subject may
    raise, and the command line may raise none. An input that takes too long is processed once more, because
    the first input of a process also loads modules.
    """
    found = _verdict(kind, given, seconds)
    return _verdict(kind, given, seconds) if any(each.what == SLOW for each in found) else found


def _verdict(kind: Kind, given: Any, seconds: float) -> list[Problem]:  # noqa: ANN401
    begin, found = time.process_time(), list[Problem]()
    try:
        with guarded(seconds):
            found += kind.check(given)
    except Hung:
        return [Problem(SLOW)]
    except Exception as error:  # noqa: BLE001 - the first invariant is that nothing is raised
        found.append(Problem(f"{RAISED} {type(error).__name__} {_place(error)}", str(error)))
    if time.process_time() - begin > seconds:
        found.append(Problem(SLOW))
    return found


def _place(error: BaseException) -> str:
    """The innermost line of the project's own code in the error's traceback."""
    frames = [
        each for each in traceback.extract_tb(error.__traceback__) if each.filename.startswith(str(_PROJECT))
    ]
    own = [each for each in frames if "/.venv" not in each.filename] or frames
    return f"at {Path(own[-1].filename).relative_to(_PROJECT)}:{own[-1].lineno}" if own else ""


def raw(where: str, text: str, longest: int | None = None) -> Iterator[Problem]:
    """The problems of a text for people: it must consist of lines of visible characters.

    Args:
        where: the place of the text, for the problem.
        text: the text.
        longest: maximum length of a line; None for no limit.
    """
    if not is_visible(text):
        bad = next((each for each in text if each != "\n" and not each.isprintable()), "")
        yield Problem(f"raw text in {where}", f"{bad!r} in {text[:500]!r}")
    if longest is not None and any(len(line) > longest for line in text.split("\n")):
        yield Problem(f"a line without a bound in {where}")


def raw_pages(sent: Iterable[Notification]) -> Iterator[Problem]:
    """The problems of notifications."""
    for each in sent:
        yield from raw("a page", each.text, LONGEST_LINE)
        parts = {"subject": (each.subject,), "attributes": each.attributes.values()}
        for name, values in parts.items():
            if not all(map(str.isprintable, values)):
                yield Problem(f"raw text in the {name} of a page", repr(values)[:500])
        for text in texts(each.document):
            yield from raw("the document of a page", text)
