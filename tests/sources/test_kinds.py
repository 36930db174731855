"""The kind of a source depends on its content."""

from __future__ import annotations

import pytest

from flowwarden.errors import NotFlowLogs
from flowwarden.sources.kinds import SourceKind, detect_kind
from tests.sources.held import ACCEPTED, HEADER, gz


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (gz(ACCEPTED), SourceKind.GZIP),
        (b"PAR1\0\0", SourceKind.PARQUET),
        (b'{"a": 1}', SourceKind.JSON),
        (b'\n  {"a": 1}', SourceKind.JSON),
        (b'[{"a": 1}]', SourceKind.JSON),
        (b"[\n  {", SourceKind.JSON),
        (b"[]", SourceKind.JSON),
        (b"[ERROR] no record", SourceKind.TEXT),
        (b'"srcaddr","dstaddr"\n', SourceKind.CSV),
        (b"timestamp,message\n", SourceKind.CSV),
        (HEADER.encode(), SourceKind.TEXT),
        (ACCEPTED.encode(), SourceKind.TEXT),
        (b"2023-11-14T22:13:20.000Z 2 1", SourceKind.TEXT),
        (b"", SourceKind.TEXT),
        (b"\xe9", SourceKind.TEXT),
    ],
)
def test_the_first_bytes_determine_the_kind(head: bytes, kind: SourceKind) -> None:
    """Magic numbers, brackets, the first line."""
    assert detect_kind("held", head) is kind


@pytest.mark.parametrize(
    ("head", "words"),
    [
        (b"PK\x03\x04", "a zip archive; unpack it first"),
        (b"\x28\xb5\x2f\xfd", "zstd; unpack it first"),
        (b"BZh9", "bzip2; unpack it first"),
        (b"\xfd7zXZ\0", "xz; unpack it first"),
        (b"2026.log".ljust(257, b"\0") + b"ustar\x0000", "a tar archive; unpack it first"),
        (b"2026.log".ljust(257, b"\0") + b"ustar  \0", "a tar archive; unpack it first"),
        (b"Obj\x01", "Avro; convert it"),
        (b"ORC", "ORC; convert it"),
        ("\ufeffsrcaddr".encode("utf-16-le"), "UTF-16; convert it to UTF-8"),
        (b"\x7fELF\0\0", "begins with 7f 45 4c 46"),
    ],
)
def test_other_kinds_are_errors_with_a_remedy(head: bytes, words: str) -> None:
    """The message begins with the name of the source."""
    with pytest.raises(NotFlowLogs, match=r"^held: ") as caught:
        detect_kind("held", head)
    assert words in str(caught.value)


def test_a_text_with_the_word_of_tar_archives_at_their_place_is_text() -> None:
    """Only the zero bytes of the archive tell them apart."""
    assert detect_kind("held", b"x" * 257 + b"ustar 1 2 3\n") is SourceKind.TEXT
