"""What the removal needs of AWS, as a Protocol; `aws/removal` implements it, tests use fakes."""

from __future__ import annotations

from typing import Protocol

from msgspec import Struct

from flowwarden.removal.inventory import Inventory
from flowwarden.removal.plan import Step


class Deletion(Struct, frozen=True, kw_only=True):
    """How far CloudFormation is with the deletion of the stack."""

    status: str
    """'' if the stack is gone."""
    left: int = 0
    """Resources that are not deleted yet."""
    failures: tuple[str, ...] = ()
    """Resources that could not be deleted, with the reason."""

    @property
    def is_over(self) -> bool:
        """Whether CloudFormation does nothing more."""
        return not self.status.endswith("_IN_PROGRESS")


class Account(Protocol):
    """The account with one installation. All methods raise CallRefused and CallFailed."""

    def inventory(self) -> Inventory:
        """What there is now."""

    def carry_out(self, step: Step) -> None:
        """Take a step. What does not exist any more counts as removed. Only begins to delete the stack."""

    def deletion(self) -> Deletion:
        """How far the deletion of the stack is."""
