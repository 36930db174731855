"""The golden queries: the SQL of each detector, in `golden/`, and the steps that they share in `steps.sql`.

`make golden` rewrites them. A changed file is a changed query for users.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Final

from flowwarden.policy.policy import Policy
from flowwarden.records.log_format import STACK_LOG_FORMAT
from flowwarden_cli.athena import flows
from flowwarden_cli.athena.archive import Partitions
from flowwarden_cli.athena.period import of_day
from flowwarden_cli.athena.queries import QUERIES, text_of
from flowwarden_cli.athena.scope import Scope

FOLDER: Final = Path(__file__).parent / "golden"
STEPS: Final = "steps"
SCOPE: Final = Scope(
    layout=STACK_LOG_FORMAT,
    policy=Policy(
        own_cidrs=("2001:db8::/56",),
        partner_cidrs=("10.200.0.0/16",),
        private_subnets=("10.0.1.0/24", "subnet-0a"),
        listener_only=("10.0.2.0/24", "eni-0b", "i-0c"),
        exempt=("10.0.0.9",),
    ),
    table="flow_logs",
    partitions=Partitions(),
    period=of_day(date(2026, 1, 2)),
)


def texts() -> dict[str, str]:
    """The content of each file, by its name."""
    queries = {each: _shortened(text_of(each, SCOPE)) for each in QUERIES}
    return {STEPS: ",\n".join(flows.steps(SCOPE)), **queries}


def _shortened(query: str) -> str:
    """A query with references in place of the shared steps."""
    for earlier in (0, 86_400):
        shared = flows.steps(SCOPE, earlier)
        for step in shared:
            query = query.replace(step, f"[{step.partition(' ')[0]}]")
    return query


def path_of(name: str) -> Path:
    """The golden file of a query."""
    return FOLDER / f"{name}.sql"


def main() -> None:
    """Write all golden files."""
    FOLDER.mkdir(exist_ok=True)
    for name, text in texts().items():
        path_of(name).write_text(f"{text}\n")


if __name__ == "__main__":
    main()
