"""Writes docs/state.md: the content of the state table.

Run `make docs` after a change to `flowwarden.state.schema`. A test compares the page with the code.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from flowwarden.state.item import Item
from flowwarden.state.schema import ITEMS, SHARED
from flowwarden.state.write_budget import MOST_WRITES

PAGE: Final = Path(__file__).parents[1] / "docs" / "state.md"
SPANS: Final = ((86_400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))
INTRODUCTION: Final = f"""\
# What the state table stores

`make docs` writes this page from `layers/flowwarden/flowwarden/state/schema.py`. Change that file instead.

Flow Warden stores its state in one DynamoDB table with the keys `pk` and `sk`. Each section describes one
kind of item. DynamoDB deletes an item some time after its retention ends, so the code never relies on the
deletion. In a key, a word in angle brackets stands for a value; hosts and addresses are IP addresses in clear
text. A batch makes at most {MOST_WRITES} writes. Each kind of item has a reserved number of them (the column
"Reserved writes"). The kinds that need more first get the {SHARED} shared writes. What a batch cannot write
is written by the next batch that contains it. [The decision](decisions/host-history-is-sets.md) explains why
sets store the state.
"""


def page(items: tuple[Item, ...] = ITEMS) -> str:
    """docs/state.md."""
    head = "| Item | Partition key | Sort key | Retention | Reserved writes |\n|---|---|---|---|---|"
    rows = "\n".join(_row(each) for each in items)
    return "\n".join([INTRODUCTION, head, rows, "", *(_section(each) for each in items)])


def _row(item: Item) -> str:
    partition, sort = item.address(*(f"<{part}>" for part in item.key))
    budget = item.per_batch or "none"
    return f"| {item.name} | `{partition}` | `{sort}` | {_kept(item)} | {budget} |"


def _section(item: Item) -> str:
    lines = [f"## {item.name[:1].upper()}{item.name[1:]}", "", item.why, ""]
    beginning = f"{_kept(item)} from " if item.ttl else ""
    lines.append(f"- **Retention:** {beginning}{item.ttl_from}")
    if item.sets:
        lines.append(f"- **Sets of numbers:** {', '.join(f'`{name}`' for name in item.sets)}")
    if item.texts:
        lines.append(f"- **Sets of texts:** {', '.join(f'`{name}`' for name in item.texts)}")
    return "\n".join([*lines, ""])


def _kept(item: Item) -> str:
    return span(item.ttl) if item.ttl else "until removed"


def span(seconds: int) -> str:
    """Seconds in the largest unit that divides them."""
    size, unit = next((size, unit) for size, unit in SPANS if seconds % size == 0)
    count = seconds // size
    return f"{count} {unit}{'' if count == 1 else 's'}"


def main() -> None:
    """Write the page."""
    PAGE.write_text(page())


if __name__ == "__main__":
    main()
