"""docs/cost.md: the tables and what they mean."""

from __future__ import annotations

import re
from pathlib import Path
from textwrap import fill
from typing import Final

from benchmarks.cost import figures
from benchmarks.cost.counts import BUSY, ORDINARY, QUIET, Counts
from benchmarks.cost.model import SIZES, Line, Month, Stack, month
from benchmarks.cost.numbers import count, money, percent
from benchmarks.cost.prices import PRICES, RESOURCES, Price
from benchmarks.tables import table
from flowwarden.notify.text import plural

PAGE: Final = Path(__file__).parents[2] / "docs" / "cost.md"
TEXT: Final = Path(__file__).with_name("page.txt")
"""The text, with the names of figures and tables in braces."""
WIDTH: Final = 120
MUCH: Final = 2
"""From this share on, a factor is easier to read than a percentage."""
TRAFFICS: Final = QUIET, ORDINARY, BUSY
_FLOW_WARDEN: Final = "**Flow Warden**"


def page(counts: Counts, stack: Stack) -> str:
    """The page."""
    months = {name: [month(size, name, 1, counts, stack) for size in SIZES] for name in TRAFFICS}
    ordinary, rare = months[ORDINARY], month(SIZES[1], ORDINARY, 5, counts, stack)
    texts = {
        "summary": _summary(ordinary),
        "traffics": _traffics(months),
        "lines": _lines(ordinary),
        "samples": _samples(counts),
        "prices": _prices(),
        "resources": _resources(),
    }
    texts |= figures.of_months(ordinary, rare, counts) | figures.of_counts(counts)
    texts |= figures.of_stack(stack) | figures.of_assumptions()
    blocks = TEXT.read_text().split("\n\n")
    return "\n\n".join(filled(each.format(**texts)) for each in blocks).strip() + "\n"


def filled(block: str) -> str:
    """A paragraph or list with lines of the usual width; headings and tables stay as they are."""
    if block.startswith(("#", "|")):
        return block
    items = re.split(r"\n(?=- )", block)
    return "\n".join(
        fill(" ".join(each.split()), WIDTH, subsequent_indent="  " * each.startswith("- "),
             break_long_words=False, break_on_hyphens=False)
        for each in items
    )  # fmt: skip


def _heads(months: list[Month]) -> list[str]:
    return [f"{each.size.interfaces:,} interfaces" for each in months]


def _summary(months: list[Month]) -> str:
    rows = [
        [_FLOW_WARDEN, *(f"**{money(each.total)}**" for each in months)],
        ["Flow Warden for each interface", *(money(each.total / each.size.interfaces) for each in months)],
        ["the flow logs: delivery and storage", *(money(each.flow_logs_total) for each in months)],
        ["Flow Warden, relative to the flow logs", *(_share(each) for each in months)],
        ["GuardDuty's analysis of the same volume", *(money(each.guardduty) for each in months)],
        ["the same flow logs in S3 instead, without detection", *(money(each.s3) for each in months)],
    ]
    return table(("USD a month, ordinary traffic", *_heads(months)), rows)


def _share(each: Month) -> str:
    share = each.total / each.flow_logs_total
    return percent(share) if share < MUCH else f"{count(share)} times"


def _traffics(months: dict[str, list[Month]]) -> str:
    rows = []
    for name, some in months.items():
        rate = count(some[0].sample.records_per_minute)
        title = f"{name}: {rate} records per interface and minute"
        rows.append([title, *(f"{money(each.total)} / {money(each.flow_logs_total)}" for each in some)])
    return table(("Flow Warden / flow logs, USD a month", *_heads(months[ORDINARY])), rows)


def _lines(months: list[Month]) -> str:
    own = [list(each.flow_warden) for each in months]
    logs = [list(each.flow_logs) for each in months]
    rows = [_row(lines) for lines in zip(*own, strict=True)]
    rows.append([_FLOW_WARDEN, *(f"**{money(each.total)}**" for each in months)])
    rows += [_row(lines) for lines in zip(*logs, strict=True)]
    rows.append(["**flow logs**", *(f"**{money(each.flow_logs_total)}**" for each in months)])
    return table(("USD a month (amount)", *_heads(months)), rows)


def _row(lines: tuple[Line, ...]) -> list[str]:
    return [lines[0].name, *(f"{money(each.dollars)} ({count(each.amount)} {each.unit})" for each in lines)]


def _samples(counts: Counts) -> str:
    head = ("Sample", "records / min", "records / batch", "writes", "reads", "log, KB")
    rows = [
        [
            f"{each.traffic}, batches of {each.batch_minutes} min, {plural(each.containers, 'container')}",
            count(each.records_per_minute),
            count(each.records / each.batches),
            count(each.write_units / each.batches),
            count(each.read_units / each.batches),
            count(each.log_bytes / each.batches / 1000),
        ]
        for each in counts.samples
    ]
    return table(head, rows)


def _prices() -> str:
    return table(("Price", "USD", "for one", "AWS page"), [_price(each) for each in PRICES])


def _price(price: Price) -> list[str]:
    parts = [
        f"{dollars:.10f}".rstrip("0").rstrip(".") + (f" for {size:,.0f}" if size else "")
        for size, dollars in price.steps
    ]
    steps = ", then ".join(parts)
    return [price.what, steps, price.unit, price.source]


def _resources() -> str:
    rows = [
        [f"`{kind}`", prices if isinstance(prices, str) else "; ".join(each.what for each in prices)]
        for kind, prices in sorted(RESOURCES.items())
    ]
    return table(("Resource", "Price"), rows)
