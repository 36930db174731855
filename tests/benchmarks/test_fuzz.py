"""A slice of the fuzzed inputs of `make reliability`, and faults that the fuzzer must find."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from concurrent.futures.process import BrokenProcessPool
from datetime import UTC, datetime
from random import Random
from typing import Any, Final

import pytest
from msgspec.structs import force_setattr, replace

from benchmarks.fuzz import report
from benchmarks.fuzz.__main__ import shown
from benchmarks.fuzz.console import read_source, run_command
from benchmarks.fuzz.guard import Hung, guarded
from benchmarks.fuzz.kind import RAISED, SLOW, Kind, Problem, raw, raw_pages, verdict
from benchmarks.fuzz.kinds import KINDS
from benchmarks.fuzz.monitoring import handle
from benchmarks.fuzz.run import ENDED, Failure, Outcome, first_of_each, given, part, run
from benchmarks.fuzz.shrink import smallest
from benchmarks.reliability.sections import FUZZED, composed, sections, write
from flowwarden.errors import PolicyError, PublishFailed, SourceError, StateUnavailable
from flowwarden.notify.notification import Notification
from flowwarden.records.subscription import encode
from flowwarden_cli.commands import COMMANDS
from flowwarden_cli.commands.command import Command
from flowwarden_cli.terminal.console import Console
from tests.functions.test_monitor_events import BLOCKED, ROOT, Harness, document
from tests.notify.fakes import MemorySink

SEED: Final = 3
GROUPS: Final = {
    "lines": 4,
    "payloads": 15,
    "events": 150,
    "policies": 25,
    "items": 15,
    "incidents": 12,
    "files": 80,
}
"""Groups of each kind: some hundred inputs, or some dozen of the slowest kinds."""


@pytest.mark.parametrize("name", KINDS)
def test_no_input_of_the_slice_breaks_an_invariant(name: str) -> None:
    """If this fails, the message says how to repeat it."""
    found = part(KINDS[name], SEED, range(GROUPS[name]))
    assert [shown(each, SEED) for each in first_of_each([*found.failures])] == []
    assert found.groups == GROUPS[name]


def test_the_same_seed_gives_the_same_inputs() -> None:
    """Another one gives others, and so does another kind."""
    for kind in KINDS.values():
        assert repr(given(kind, 1, 4)) == repr(given(kind, 1, 4)) != repr(given(kind, 2, 4))


def test_the_shares_of_all_kinds_add_up_to_one() -> None:
    """Each kind gets its share of the inputs of a run."""
    assert sum(each.share for each in KINDS.values()) == pytest.approx(1)


def kind_of(check: Callable[[Any], Iterator[Problem]], make: Callable[[Random], Any] = Random.random) -> Kind:
    """A kind whose inputs are checked in this way."""
    return Kind(name="planted", what="a planted fault", make=make, check=check, share=1)


class BrokenSink(MemorySink):
    """Stores each notification with a terminal sequence in its text, then runs a fault."""

    def __init__(self, fault: Callable[[], None]) -> None:
        super().__init__()
        self._fault = fault

    def send(self, notification: Notification) -> None:
        """Store it and run the fault."""
        force_setattr(notification, "text", f"{notification.text}\x1b[2J")
        self.sent.append(notification)
        self._fault()


def planted(fault: Callable[[], None]) -> Kind:
    """A batch through the monitor's handler, whose pages go to a broken sink."""

    def check(_given: object) -> Iterator[Problem]:
        sink = BrokenSink(fault)
        yield from handle(Harness(sink=sink).handler(), encode(document(BLOCKED)), sink).problems

    return kind_of(check)


def spin() -> None:
    """Loop forever."""
    while True:
        pass


def fail() -> None:
    """Raise an error that is not one of the project."""
    raise KeyError("planted")


def refuse() -> None:
    """Raise an error after which Lambda retries the batch."""
    raise PublishFailed("planted")


def miss() -> None:
    """Raise an error of the project that no handler may raise: pages do not need the table."""
    raise StateUnavailable("planted")


def problems_of(kind: Kind, seconds: float = 1.0) -> list[str]:
    """The problems of an input."""
    return [each.what.rsplit(":", 1)[0] for each in verdict(kind, 0, seconds)]


def test_an_error_that_a_handler_must_not_raise_is_found() -> None:
    """With its place, even an error of the project; an error after which Lambda retries is allowed."""
    place = "at tests/benchmarks/test_fuzz.py"
    assert problems_of(planted(fail)) == [f"{RAISED} KeyError {place}"]
    assert problems_of(planted(miss)) == [f"{RAISED} StateUnavailable {place}"]
    assert RAISED not in str(problems_of(planted(refuse)))


def escaping(error: Exception) -> Command:
    """A command that raises this error."""

    def run_it(_options: object, _console: object) -> int:
        raise error

    return replace(COMMANDS[0], run=run_it)


def silent(_options: object, console: Console) -> int:
    """A command that fails without a message."""
    console.print("x")
    return 1


@pytest.mark.parametrize("error", [SourceError("planted"), PolicyError("planted"), KeyError("planted")])
def test_an_error_that_leaves_the_command_line_is_found(error: Exception) -> None:
    """Whether it is one of the project or not: a user gets a message and an exit code, and no traceback."""
    command = escaping(error)
    kind = kind_of(lambda _: run_command([command.name, "-"], b"", (command,)))
    assert problems_of(kind) == [f"{RAISED} {type(error).__name__} at tests/benchmarks/test_fuzz.py"]


def test_a_command_that_fails_without_a_message_is_found() -> None:
    """The commands print one for wrong arguments and for unreadable input."""
    command = replace(COMMANDS[0], run=silent)
    kind = kind_of(lambda _: run_command([command.name, "-"], b"", (command,)))
    assert problems_of(kind) == ["an end with an error and without a message"]
    assert problems_of(kind_of(lambda _: run_command(["read", "--nonsense"]))) == []
    assert problems_of(kind_of(lambda _: run_command(["read", "-"], b"\xff\x00"))) == []


def test_an_endless_input_is_found() -> None:
    """Whether it uses the processor or waits; one that ends in time is not found."""
    assert problems_of(planted(spin), 0.2) == [SLOW]
    with pytest.raises(Hung), guarded(1, waiting=0.05):
        time.sleep(5)
    assert SLOW not in problems_of(planted(lambda: None))


def test_a_call_that_does_not_return_to_python_ends_the_process() -> None:
    """No exception can interrupt such a call."""
    code = "from benchmarks.fuzz.guard import guarded\nwith guarded(0.1, last=0.2):\n    sum(range(10**12))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=False)
    assert done.returncode == -signal.SIGVTALRM


def test_raw_text_and_overlong_lines_are_found_in_pages_and_logs() -> None:
    """Ordinary text is not."""
    assert problems_of(planted(lambda: None)) == ["raw text in a page"]
    good = Notification(subject="s", text="a\nb", document={"a": "b"}, attributes={"a": "b"})
    assert [*raw_pages([good])] == []
    for part_of in ("subject", "document", "attributes"):
        bad = Notification(subject="s", text="a", document={"a": "b"}, attributes={"a": "b"})
        force_setattr(bad, part_of, "\u202e" if part_of == "subject" else {"a": "\u202e"})
        assert [part_of in each.what for each in raw_pages([bad])] == [True]
    assert [each.what for each in raw("the log", "a\x9bb")] == ["raw text in the log"]
    assert [*raw("the log", "x" * 3000)] == []
    assert [each.what for each in raw("a page", "x" * 3000, 2000)] == ["a line without a bound in a page"]


def test_records_that_are_not_printed_are_found() -> None:
    """With `--only`, the command prints fewer than it counts."""
    assert [*read_source(BLOCKED.encode())] == []
    problems = [each.what for each in read_source(BLOCKED.encode(), "--only=ACCEPT")]
    assert problems == ["records that are counted and not printed"]


def test_a_failing_input_is_shown_minimized_with_the_command_that_repeats_it() -> None:
    """Only what the failure needs is left of it."""

    def check(group: tuple[str, ...]) -> Iterator[Problem]:
        if any("#" in each for each in group):
            yield Problem("a mark", "#")

    def make(random: Random) -> tuple[str, ...]:
        return tuple("abc#"[random.randrange(4)] * 50 for _ in range(20))

    kind = kind_of(check, make)
    (failure,) = part(kind, 1, range(1)).failures
    text = shown(failure, seed=1)
    assert "--kind planted --seed 1 --first 0 --count 1" in text
    assert "input: ('#',)" in text
    document = {"a": [1, {"b": "xx#"}], "c": "d"}
    assert smallest(document, lambda each: "#" in repr(each)) == {"a": [{"b": "#"}]}


class BrokenPool(Executor):
    """A pool of processes in which a process ends at the second part."""

    def __init__(self, _processes: int, initializer: Any, initargs: Any) -> None:
        initializer(*initargs)
        self._parts = 0

    def submit(self, task: Any, /, *given: Any, **_: Any) -> Future[Any]:
        """Run it at once."""
        done: Future[Any] = Future()
        self._parts += 1
        if self._parts > 1:
            done.set_exception(BrokenProcessPool())
        else:
            done.set_result(task(*given))
        return done


def test_a_process_that_ends_is_a_failure() -> None:
    """The inputs that were not processed are not counted as such."""
    reached = list[int]()

    def end(_given: object) -> Iterator[Problem]:
        yield from ()

    before = signal.getsignal(signal.SIGINT)
    try:
        outcome = run(kind_of(end), 1, range(120), 1, lambda groups, _: reached.append(groups), BrokenPool)
    finally:
        signal.signal(signal.SIGINT, before)
    assert [each.problem.what for each in outcome.failures] == [ENDED]
    assert outcome.inputs == max(reached) == 50


def test_a_problem_is_shown_once() -> None:
    """With the first input that causes it."""
    kind = kind_of(lambda _: iter(()))
    failures = [Failure(kind, number, Problem("one", str(number))) for number in (5, 2)]
    assert [each.number for each in first_of_each([*failures, Failure(kind, 9, Problem("two"))])] == [2, 9]


def test_the_page_has_the_section() -> None:
    """If this fails, run `make reliability`."""
    outcomes = [Outcome(name, 1000, 2.0, 0.01, (), 0) for name in KINDS]
    made = report.section(outcomes, 7, 2, datetime(2026, 1, 2, tzinfo=UTC))
    assert "2026-01-02, seed 7, 7,000 inputs on 2 processes" in made[FUZZED]
    written = unpadded((ROOT / "docs" / "reliability.md").read_text())
    prose = [
        line
        for line in unpadded(composed(made))
        if not line.startswith(("The last run", *(f"| {name} " for name in KINDS))) or " `" in line
    ]
    assert [line for line in prose if line not in written] == []


def unpadded(text: str) -> list[str]:
    """The lines, without the padding of tables, which depends on the figures."""
    return [re.sub(r"-+", "-", " ".join(line.split())) for line in text.splitlines()]


def test_a_section_is_written_beside_the_others(tmp_path: Any) -> None:
    """Each command writes its own."""
    page = tmp_path / "page.md"
    write({FUZZED: "one\n\n### two\n", "Load run": "load"}, page)
    write({FUZZED: "three"}, page)
    assert sections(page.read_text()) == {"Load run": "load", FUZZED: "three"}
    assert page.read_text().startswith("# Reliability\n")
