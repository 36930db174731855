"""Findings in Security Hub."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, Final

from flowwarden.aws.answers import Answer
from flowwarden.aws.delivering import delivered, failed_part

ACTIONS = ("securityhub:BatchImportFindings",)
"""The IAM actions that this file needs."""
MOST_FINDINGS: Final = 100
"""Findings in a call."""
WHAT: Final = "Security Hub"


class ImportedFindings:
    """The findings of this product in the account and Region."""

    def __init__(self, make_client: Callable[[], Any], wait: Callable[[float], None]) -> None:
        self._make_client = make_client
        self._wait = wait

    @cached_property
    def _client(self) -> Any:  # noqa: ANN401 - the environment has no stubs of it
        return self._make_client()

    def put(self, findings: Sequence[Mapping[str, Any]]) -> None:
        """Create or update findings by their `Id`; at most `MOST_FINDINGS`.

        Raises:
            PublishFailed: Security Hub did not accept one of them, or did not answer. A repetition does no
                harm.
        """
        call = {"Findings": [*findings]}
        answer = Answer(delivered(lambda: self._client.batch_import_findings(**call), WHAT, self._wait))
        errors = [
            failed_part(each.text("ErrorCode"), each.text("ErrorMessage"), WHAT)
            for each in answer.each("FailedFindings")
        ]
        # What may pass is retried, with all others: they are updated to the same again.
        for error in sorted(errors, key=lambda each: type(each).__name__):
            raise error
