"""The figures for people: Markdown whose tables also line up on a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from benchmarks.clock import Samples
from benchmarks.goals import MB, goals
from benchmarks.results import Results, machine
from benchmarks.stages import Stages
from benchmarks.ways.table import PROJECT, STDLIB_FLOOR, WAYS, WHEELS_FLOOR

_ABOUT = (
    "Written by `make bench`; [README.md](README.md) says what is measured and how. Ratios are medians of\n"
    "the rounds' ratios. Times are those of one machine, busy with others too, and mean little elsewhere."
)


def markdown(results: Results) -> str:
    """The whole report."""
    blocks = [
        "# Results",
        _ABOUT,
        ", ".join(f"{name}: {value}" for name, value in machine(pinned=results.pinned).items()) + ".",
        "## Goals",
        _goals(results),
        *_speed(results),
        *_memory(results),
        *_start(results),
        *_layers(results),
    ]
    return "\n\n".join(blocks) + "\n"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table in aligned columns; all but the first are numbers and stand at the right."""
    whole = [list(head), *map(list, rows)]
    widths = [max(len(row[column]) for row in whole) for column in range(len(head))]
    lines = [_row(row, widths) for row in whole]
    rule = [f":{'-' * (width - 1)}" if i == 0 else f"{'-' * (width - 1)}:" for i, width in enumerate(widths)]
    return "\n".join([lines[0], _row(rule, widths), *lines[1:]])


def stages(measured: Stages) -> str:
    """What each stage costs, and its share."""
    whole, quiet = sum(measured.usual.values()), sum(measured.without_collector.values())
    rows = [
        (name, f"{each:,.0f}", f"{each / whole:.0%}", f"{measured.without_collector[name]:,.0f}")
        for name, each in measured.usual.items()
    ]
    head = "Stage", "ns/record", "share", "collector off"
    return table(head, [*rows, ("all", f"{whole:,.0f}", "100%", f"{quiet:,.0f}")])


def _row(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = zip(cells, widths, strict=True)
    return f"| {' | '.join([first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)])} |"


def _goals(results: Results) -> str:
    rows = [
        (
            goal.what,
            f"{goal.figure:.2f}",
            f"{'at least' if goal.at_least else 'at most'} {goal.limit:g}",
            "yes" if goal.met else "no",
        )
        for goal in goals(results)
    ]
    return table(("Goal", "measured", "limit", "met"), rows)


def _speed(results: Results) -> Iterator[str]:
    for (layout, records), samples in results.samples.items():
        yield f"## Layout {layout}, {records:,} records a payload"
        yield _times(samples)


def _times(samples: Samples) -> str:
    rows = [
        (
            WAYS[way].title,
            f"{samples.ratio(way, STDLIB_FLOOR):.2f}",
            f"{samples.ratio(way, WHEELS_FLOOR):.2f}",
            f"{samples.ratio(way, PROJECT):.2f}",
            f"{samples.nanoseconds(way):,.0f}",
            f"{samples.least(way):,.0f}",
        )
        for way in WAYS
        if way in samples.times
    ]
    head = "Way", "÷ stdlib floor", "÷ wheels floor", "÷ Flow Warden", "ns/record", "least"
    return f"{table(head, rows)}\n\n{samples.rounds} rounds."


def _memory(results: Results) -> Iterator[str]:
    if not results.memory:
        return
    yield "## Memory for 10,000 records, at the peak"
    rows = [
        (
            f"{layout}: {WAYS[way].title}",
            "?" if memory.rss is None else f"{memory.rss / MB:.1f}",
            f"{memory.traced / MB:.1f}",
        )
        for (layout, way), memory in results.memory.items()
    ]
    yield table(("Layout and way", "resident, MB", "as Python counts, MB"), rows)


def _start(results: Results) -> Iterator[str]:
    if results.start is None or results.uncompiled is None:
        return
    yield "## Cold start of the monitor, milliseconds"
    rows = [
        (what, f"{getattr(results.start, name):.0f}", f"{getattr(results.uncompiled, name):.0f}")
        for what, name in (
            ("importing boto3 alone", "boto3"),
            ("importing the monitor after it", "monitor"),
            ("settings, policy, service, reader", "wiring"),
            ("both together: import to ready", "ready"),
            ("clients of DynamoDB and SNS", "clients"),
            ("client of EC2, for a log group not met before", "ec2_client"),
        )
    ]
    yield table(("Part", "as built", "without bytecode"), rows)


def _layers(results: Results) -> Iterator[str]:
    yield "## Layers, unzipped"
    if results.layers is None:
        yield "Not built: `sam build`, or a test that builds, comes before."
        return
    rows = [
        ("flowwarden", f"{results.layers.flowwarden / MB:.1f}"),
        ("dependencies", f"{results.layers.dependencies / MB:.1f}"),
        ("together", f"{results.layers.together / MB:.1f}"),
    ]
    yield table(("Layer", "MB"), rows)
