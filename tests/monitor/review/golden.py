"""The golden report on learning, in `golden/`. `make golden` regenerates it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from flowwarden.monitor.review.text import Review, notification
from tests.monitor.review.examples import KNOWN, ROLES

FILE: Final = Path(__file__).parent / "golden" / "learning-report.txt"


def report() -> str:
    """Subject, text, and JSON document."""
    sent = notification(Review.of(ROLES, KNOWN), "key0", "111122223333", "eu-west-1")
    document = json.dumps(sent.document, indent=1, ensure_ascii=False)
    return f"{sent.subject}\n\n{sent.text}\n{document}\n"


def main() -> None:
    """Write the report."""
    FILE.write_text(report())


if __name__ == "__main__":
    main()
