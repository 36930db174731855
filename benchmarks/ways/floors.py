"""The lower bound of reading a payload: decoding its document, without using it.

Both return the number of events, so that freeing the document is measured, as in the ways.
"""

from __future__ import annotations

import base64
import json
import zlib

from benchmarks.ways.way import Event, Way
from flowwarden.records.log_format import LogFormat

GZIP = 31
"""zlib's window bits for a gzip header and checksum."""


def stdlib(_layout: LogFormat) -> Way:
    """Base64, gunzip and json of the standard library, in their fastest forms."""
    return Way(run=_stdlib, aggregates=None)


def document(event: Event) -> Event:
    """The document of an event, decoded with the standard library."""
    decoded: Event = json.loads(zlib.decompress(base64.b64decode(event["awslogs"]["data"]), GZIP))
    return decoded


def _stdlib(event: Event) -> int:
    return len(document(event)["logEvents"])
