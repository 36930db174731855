"""Writes the JSON schemas of the documents that the command prints and that machines get, from their types.

Run `make docs` after a change of a type. A test compares the files with the types.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import msgspec

from flowwarden.replay.comparison import Comparison
from flowwarden.replay.explain.model import Explanation
from flowwarden.replay.interface_file import InterfaceFile
from flowwarden.replay.result import ReplayResult
from local import incident_documents as incidents
from local import report_documents as reports

FOLDER: Final = Path(__file__).parents[1] / "docs" / "schemas"
TYPES: Final[dict[str, Any]] = {
    "replay-1": ReplayResult,
    "replay-comparison-1": Comparison,
    "explain-1": Explanation,
    "interfaces-1": InterfaceFile,
}
"""Of the command: by the name of the file, which ends with the version, the type of the document."""
SENT: Final[dict[str, tuple[Any, str]]] = {
    "incident-1": (
        incidents.IncidentDocument,
        "An incident that is opened, updated or reopened, or a roll-up of several",
    ),
    "resolved-1": (incidents.ResolvedDocument, "An incident that is resolved"),
    "several-resolved-1": (incidents.SeveralResolvedDocument, "Several incidents that are resolved"),
    "hourly-digest-1": (reports.HourlyDigestDocument, "The findings of an hour that do not page"),
    "daily-digest-1": (reports.DailyDigestDocument, "REJECTs of internet hosts on a day"),
    "enforcement-1": (reports.EnforcementDocument, "What a run of the enforcer did"),
    "learning-report-1": (reports.LearningReportDocument, "What was learned of roles"),
    "policy-1": (reports.PolicyDocument, "A policy that cannot be used"),
    "mute-expired-1": (reports.MuteExpiredDocument, "Mutes of the policy that have ended"),
    "test-1": (incidents.TestDocument, "The test page of flowwarden test-page"),
}
"""Of notifications: the same, with the title of the schema."""
_VERSIONS: Final = (
    "Version 1. Members may be added; one that is removed or changes its meaning makes a new version."
)


def path_of(name: str) -> Path:
    """The file of a schema."""
    return FOLDER / f"{name}.json"


def schema(name: str) -> str:
    """The schema of a document, as the text of its file."""
    found = msgspec.json.schema(TYPES[name]) if name in TYPES else _of_notification(*SENT[name])
    return json.dumps(found, indent=1) + "\n"


def _of_notification(document: Any, title: str) -> dict[str, Any]:  # noqa: ANN401 - any type
    (reference,), parts = msgspec.json.schema_components([document], ref_template="#/$defs/{name}")
    whole = parts.pop(reference["$ref"].rpartition("/")[2])
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **whole,
        "title": title,
        "description": _VERSIONS,
        **({"$defs": parts} if parts else {}),
    }


def main() -> None:
    """Write all schemas."""
    for name in (*TYPES, *SENT):
        path_of(name).write_text(schema(name))


if __name__ == "__main__":
    main()
