"""The monitor's verdicts about the initiator, in the letters of the truth."""

from __future__ import annotations

from typing import Final

from flowwarden.network.addresses import AddressClassifier
from flowwarden.network.direction import resolve
from flowwarden.network.initiator import Initiator
from flowwarden.network.traffic import Traffic
from flowwarden.records.columnar.flow_table import FlowTable
from flowwarden.records.model import Flow

_LETTERS: Final = {Initiator.SOURCE: "s", Initiator.DESTINATION: "d", Initiator.UNKNOWN: "n"}
_CLASSIFIER: Final = AddressClassifier()


def initiators(flows: list[Flow]) -> list[tuple[str, float]]:
    """The initiator of each flow of a batch, in the letters of the truth, and the confidence."""
    verdicts = (directed.verdict for directed in resolve(Traffic(FlowTable.of(flows)), _CLASSIFIER))
    return [(_LETTERS[verdict.initiator], verdict.confidence) for verdict in verdicts]
