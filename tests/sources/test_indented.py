"""Objects over several lines, as `aws logs tail --format json` writes them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowwarden.sources.indented import Indented
from tests.sources.held import ACCEPTED, HEADER, flows_of, read_all, trickle

PREFIX = "2026-01-01T00:00:00+00:00 eni-0a-all "
RECORD = dict(zip(HEADER.split(), ACCEPTED.split(), strict=True))
OBJECT = f"{PREFIX}{json.dumps(RECORD, indent=4)}\n"


@pytest.mark.parametrize("prefix", [PREFIX, "2026-01-01T00:00:00 "])
def test_an_object_over_several_lines_is_a_record(prefix: str) -> None:
    """After the name of the log stream, or after a timestamp alone."""
    held = read_all(OBJECT.replace(PREFIX, prefix) * 3)
    assert held.flows == flows_of(*[ACCEPTED] * 3)
    assert held.malformed == []


@given(st.integers(1, 400))
def test_an_object_may_arrive_in_parts(size: int) -> None:
    """A block ends anywhere."""
    assert read_all(trickle(OBJECT * 2, size)).flows == flows_of(ACCEPTED, ACCEPTED)


def test_objects_and_lines_may_be_mixed_and_have_their_numbers() -> None:
    """A malformed object has the number of its first line; the lines around it are read."""
    odd = OBJECT.replace("10.0.0.5", "10.0.0.555")
    held = read_all(f"{PREFIX}{ACCEPTED}\n{odd}{PREFIX}{ACCEPTED}\n{PREFIX}odd\n")
    assert held.flows == flows_of(ACCEPTED, ACCEPTED)
    assert [number for number, _ in held.malformed] == [2, 3 + odd.count("\n")]


@pytest.mark.parametrize(
    "text",
    [
        f"{PREFIX}{{\n    1\n{PREFIX}{ACCEPTED}\n",
        f"{PREFIX}{{\n{PREFIX}{{\n{PREFIX}{ACCEPTED}\n}}\n",
        f"{PREFIX}{ACCEPTED}\n{PREFIX}{{\n    1",
        f"{PREFIX}{{\n" + "    1\n" * 2000 + f"{PREFIX}{ACCEPTED}\n",
        f"{PREFIX}{{\n    {'1' * 60_000}\n    {'1' * 60_000}\n{PREFIX}{ACCEPTED}\n",
    ],
)
def test_an_object_without_an_end_costs_its_own_lines(text: str) -> None:
    """Each is malformed; nothing else is, and nothing grows with what follows."""
    held = read_all(text)
    assert held.flows == flows_of(ACCEPTED)
    assert len(held.malformed) == len(text.rstrip("\n").split("\n")) - 1


@given(st.lists(st.sampled_from(["{", "}", "    1,", " }", "x", "", "{}"]), max_size=30), st.integers(1, 7))
def test_every_line_is_in_one_result(lines: list[str], size: int) -> None:
    """In order, wherever the blocks end."""
    indented, found, places = Indented(), list[str](), list[int]()
    for at in range(0, len(lines), size):
        some = lines[at : at + size]
        whole, numbers = indented.joined(some, range(at, at + len(some)))
        found += whole
        places += numbers
    whole, numbers = indented.rest()
    found, places = [*found, *whole], [*places, *numbers]
    assert "".join("".join(found).split()) == "".join("".join(lines).split())
    assert places == sorted(set(places))
