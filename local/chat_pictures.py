"""`make chat-pictures`: what chat messages look like, as pictures in `docs/pictures`.

The messages are the golden ones of the tests. A page of HTML shows them approximately as the services do, by
their public documents: the elements, their order, and what is cut or hidden. Fonts and distances differ.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterable, Mapping
from html import escape, unescape
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

ROOT: Final = Path(__file__).parents[1]
GOLDEN: Final = ROOT / "tests" / "sinks" / "golden"
PICTURES: Final = ROOT / "docs" / "pictures"
BROWSER: Final = "/usr/bin/chromium"
EXAMPLES: Final = ("opened", "updated", "resolved", "hourly-digest")
IN_DOCS: Final = ("opened", "resolved")
"""The examples in the pictures of the docs."""
WIDTH: Final = 760
TIMEOUT: Final = 60
_COLORS: Final = {"attention": "#c4314b", "warning": "#8a6d00", "good": "#237b4b", "default": "#242424"}
_STYLE: Final = """
body { font: 14px/1.4 "DejaVu Sans", Arial, sans-serif; color: #1d1c1d; margin: 12px; width: 730px }
h1 { font-size: 13px; color: #616061; font-weight: normal; margin: 14px 0 4px }
.slack { border-left: 4px solid; padding: 2px 0 2px 12px }
.slack .header { font-size: 17px; font-weight: bold; margin: 4px 0 }
.fields { display: grid; grid-template-columns: 1fr 1fr; gap: 2px 16px; margin: 6px 0 }
.section { margin: 8px 0; white-space: pre-wrap }
.context { font-size: 12px; color: #1264a3 } .context span { margin-right: 14px }
pre { background: #f8f8f8; border: 1px solid #ddd; padding: 6px; font-size: 11px; white-space: pre-wrap;
  overflow-wrap: anywhere; margin: 6px 0 }
.card { border: 1px solid #d1d1d1; border-radius: 4px; padding: 12px; background: #fff }
.line { min-height: 1em; white-space: pre-wrap } .small { font: 11px "DejaVu Sans Mono", monospace }
.medium { font-size: 17px } .bolder { font-weight: bold } .gap { margin-top: 10px }
.button { display: inline-block; border: 1px solid #d1d1d1; border-radius: 4px; padding: 4px 12px;
  margin: 10px 8px 0 0; font-weight: bold; font-size: 13px }
.q { border-left: 4px solid #ddd; padding-left: 12px } .q b { font-size: 15px } ul { margin: 4px 0 }
"""

type Document = Mapping[str, Any]


def slack(document: Document) -> str:
    """A message of an incoming webhook: Block Kit blocks in an attachment, beside a colored bar."""
    (attachment,) = document["attachments"]
    inner = "".join(map(_block, attachment["blocks"]))
    return f'<div class="slack" style="border-color: {escape(attachment["color"])}">{inner}</div>'


def _block(block: Document) -> str:
    if block["type"] == "context":
        return (
            f'<div class="context">{_all(f"<span>{_title(each)}</span>" for each in block["elements"])}</div>'
        )
    if "fields" in block:
        fields = _all(f"<div>{escape(each['text'])}</div>" for each in block["fields"])
        return f'<div class="fields">{fields}</div>'
    text = block["text"]
    if text["type"] == "plain_text":
        return f'<div class="{block["type"]}">{escape(text["text"])}</div>'
    return f"<pre>{escape(unescape(text['text'].strip('`')))}</pre>"


def _title(link: Document) -> str:
    """The title of a link, which is `<address|title>`."""
    return link["text"].removesuffix(">").rpartition("|")[2]  # type: ignore[no-any-return]


def teams(document: Document) -> str:
    """An Adaptive Card, with its hidden parts hidden."""
    card = document["attachments"][0]["content"]
    actions = _all(f'<span class="button">{escape(each["title"])}</span>' for each in card["actions"])
    return f'<div class="card">{_all(map(_element, card["body"]))}{actions}</div>'


def _element(element: Document) -> str:
    if element["type"] == "Container":
        return _all(map(_element, element["items"])) if element["isVisible"] else ""
    gap = " gap" if element["spacing"] != "none" else ""
    return f'<div class="line{gap}">{_all(map(_run, element["inlines"]))}</div>'


def _run(run: Document) -> str:
    classes = f"{run.get('size', '')} {run.get('weight', '')}"
    color = _COLORS[run.get("color", "default")]
    return f'<span class="{classes}" style="color: {color}">{escape(run["text"])}</span>'


def amazonq(document: Document) -> str:
    """A custom notification, as Amazon Q Developer shows it in Slack."""
    content = document["content"]
    steps = _all(f"<li>{escape(each.partition('](')[0].lstrip('['))}</li>" for each in content["nextSteps"])
    head = f"<b>{escape(content['title'])}</b><pre>{escape(content['description'].strip('`').strip())}</pre>"
    words = escape(", ".join(content["keywords"]))
    listed = f"Next steps<ul>{steps}</ul>" if steps else ""
    return f'<div class="q">{head}{listed}<div class="context">Keywords: {words}</div></div>'


SERVICES: Final[Mapping[str, Callable[[Document], str]]] = {
    "slack": slack, "teams": teams, "amazonq": amazonq,
}  # fmt: skip


def page(service: str, examples: Iterable[str]) -> str:
    """The messages of a service as HTML."""
    shown = _all(
        f"<h1>{each}</h1>{SERVICES[service](message)}"
        for each in examples
        for message in [_golden(service, each)]
    )
    return f'<!doctype html><meta charset="utf-8"><style>{_STYLE}</style>{shown}'


def _golden(service: str, example: str) -> Document:
    (request,) = json.loads((GOLDEN / service / f"{example}.json").read_text())
    return request["document"]  # type: ignore[no-any-return]


def _all(parts: Iterable[str]) -> str:
    return "".join(parts)


def picture(html: str, target: Path, height: int) -> None:
    """Draw a page. Raises CalledProcessError or TimeoutExpired if the browser fails."""
    with TemporaryDirectory() as folder:
        source = Path(folder, "page.html")
        source.write_text(html)
        options = (
            "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
            "--no-first-run", "--hide-scrollbars", f"--user-data-dir={folder}/profile",
            f"--screenshot={target}", f"--window-size={WIDTH},{height}",
        )  # fmt: skip
        command = [BROWSER, *options, source.as_uri()]
        subprocess.run(command, check=True, timeout=TIMEOUT, capture_output=True)


HEIGHTS: Final = {"slack": 1000, "teams": 790, "amazonq": 920}
"""Of the pictures in the docs, in pixels."""


def main() -> None:
    """Draw the pictures of the docs."""
    PICTURES.mkdir(exist_ok=True)
    for service, height in HEIGHTS.items():
        picture(page(service, IN_DOCS), PICTURES / f"chat-{service}.png", height)


if __name__ == "__main__":
    main()
