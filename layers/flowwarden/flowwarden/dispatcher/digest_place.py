"""What digests say of the stack."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

DOCUMENT_VERSION: Final = "1"
"""Raised when a member of the JSON document is removed or changes its meaning."""


class DigestPlace(Struct, frozen=True):
    """The account and Region of the stack, and the base address of its runbooks."""

    account: str
    region: str
    runbooks: str

    @property
    def attributes(self) -> dict[str, str]:
        """The account and Region as attributes of a notification."""
        return {"account": self.account, "region": self.region}

    def runbook(self, detector: str) -> str:
        """The address of a detector's runbook."""
        return f"{self.runbooks}/{detector}.md"
