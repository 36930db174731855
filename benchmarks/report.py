"""The results as Markdown; the tables are also aligned on a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from benchmarks.clock import Samples, Shape
from benchmarks.results import Results, machine
from benchmarks.speed_targets import MB, targets
from benchmarks.stages import Stages
from benchmarks.tables import table
from benchmarks.targets import target_table
from benchmarks.ways.table import FINDINGS, PROJECT, STDLIB_FLOOR, WAYS, WHEELS_FLOOR

_ABOUT = (
    "Written by `make bench`; [README.md](README.md) describes the measurements. Ratios are medians of the\n"
    "rounds' ratios. Times are from one shared machine and are not comparable with other machines."
)

_MICROSECOND = 1_000


def markdown(results: Results) -> str:
    """The whole report."""
    blocks = [
        "# Results",
        _ABOUT,
        ", ".join(f"{name}: {value}" for name, value in machine(pinned=results.pinned).items()) + ".",
        "## Targets",
        target_table("Target", targets(results)),
        *_cuts(results),
        *_speed(results),
        *_memory(results),
        *_start(results),
        *_layers(results),
    ]
    return "\n\n".join(blocks) + "\n"


def stages(measured: Stages) -> str:
    """The time of each stage, and its share."""
    whole, quiet = sum(measured.usual.values()), sum(measured.without_collector.values())
    rows = [
        (name, f"{each:,.0f}", f"{each / whole:.0%}", f"{measured.without_collector[name]:,.0f}")
        for name, each in measured.usual.items()
    ]
    head = "Stage", "ns/record", "share", "collector off"
    return table(head, [*rows, ("all", f"{whole:,.0f}", "100%", f"{quiet:,.0f}")])


def package_stages(measured: Mapping[str, float]) -> str:
    """The time of each package per payload, and its share."""
    whole = sum(measured.values())
    rows = [(name, f"{each:,.0f}", f"{each / whole:.0%}") for name, each in measured.items()]
    return table(("Stage", "µs/payload, profiled", "share"), [*rows, ("all", f"{whole:,.0f}", "100%")])


def _cuts(results: Results) -> Iterator[str]:
    """All payload shapes in one table."""
    over_one = results.over_one_interface()
    rows = [
        (
            f"{shape.layout}, {_cut(shape)}",
            f"{samples.ratio(PROJECT, STDLIB_FLOOR):.2f}",
            f"{samples.ratio(FINDINGS, STDLIB_FLOOR):.2f}",
            f"{samples.nanoseconds(FINDINGS) * shape.records / _MICROSECOND:,.0f}",
            f"{over_one[shape]:.2f}" if shape in over_one else "",
        )
        for shape, samples in results.samples.items()
        if FINDINGS in samples.times
    ]
    if rows:
        yield "## Time to findings, by payload shape"
        head = "Payload", "reading ÷ floor", "findings ÷ floor", "findings, µs", "findings ÷ one interface's"
        yield table(head, rows)


def _cut(shape: Shape) -> str:
    cut = f"{shape.records:,} records"
    return cut if shape.interfaces == 1 else f"{cut} of {shape.interfaces:,} interfaces"


def _speed(results: Results) -> Iterator[str]:
    for shape, samples in results.samples.items():
        yield f"## Layout {shape.layout}, {_cut(shape)} a payload"
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
    yield table(("Layout and way", "resident, MB", "by tracemalloc, MB"), rows)


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
            ("client of EC2, for a log group of unknown format", "ec2_client"),
        )
    ]
    yield table(("Part", "as built", "without bytecode"), rows)


def _layers(results: Results) -> Iterator[str]:
    yield "## Layers, unzipped"
    if results.layers is None:
        yield "Not built: run `sam build`, or a test that builds the layers, first."
        return
    rows = [
        ("flowwarden", f"{results.layers.flowwarden / MB:.1f}"),
        ("dependencies", f"{results.layers.dependencies / MB:.1f}"),
        ("together", f"{results.layers.together / MB:.1f}"),
    ]
    yield table(("Layer", "MB"), rows)
