"""Streams: peeking at the first bytes, gzip with all its members, damage reported with sizes."""

from __future__ import annotations

import gzip
from io import BytesIO

import pytest

from flowwarden.errors import DamagedSource
from flowwarden.sources.stream import BLOCK, LONGEST_HEAD, Inflated, Stream
from tests.sources.held import ACCEPTED, HEADER, NODATA, REJECTED, flows_of, gz, read_all, trickle

MANY = "\n".join([ACCEPTED, REJECTED, NODATA] * 8_000)


def stream(data: bytes) -> Stream:
    """A stream of these bytes."""
    return Stream(BytesIO(data), "held", len(data))


@pytest.mark.parametrize(
    ("data", "head"),
    [
        (b"", b""),
        (b"one", b"one"),
        (b"first\nsecond", b"first\nsecond"),
        (b"\xef\xbb\xbffirst\n", b"first\n"),
        (b"x" * 10 * LONGEST_HEAD, b"x" * LONGEST_HEAD),
    ],
)
def test_peeking_at_the_head_consumes_nothing(data: bytes, head: bytes) -> None:
    """A byte order mark is not content."""
    peeked = stream(data)
    assert peeked.head() == head
    assert peeked.head() == head
    assert b"".join(peeked.blocks(lambda: None)) == data.removeprefix(b"\xef\xbb\xbf")


@pytest.mark.parametrize("size", [1, 3, 50])
def test_the_head_contains_the_first_non_blank_line_even_of_a_slow_pipe(size: int) -> None:
    """A pipe returns the bytes that are available."""
    with trickle(f"\n \n{HEADER}\n{ACCEPTED}\n", size).open() as pipe:
        assert f"{HEADER}\n".encode() in Stream(pipe, "pipe").head()


def test_the_bytes_read_are_counted_at_each_block() -> None:
    """For the progress bar, from 0 to the total size."""
    data = MANY.encode() * 4
    counted = stream(data)
    seen: list[int] = []
    for _ in counted.blocks(lambda: seen.append(counted.taken)):
        pass
    assert (seen[0], seen[-1]) == (0, len(data))
    assert len(seen) > len(data) // BLOCK > 5


@pytest.mark.parametrize("times", [1, 2, 3])
def test_all_gzip_members_are_read_through_several_compression_layers(times: int) -> None:
    """Archives are concatenated, and Firehose compresses data that CloudWatch Logs has already compressed."""
    data = gz(f"{HEADER}\n{ACCEPTED}\n", "", f"{HEADER}\n{REJECTED}\n")
    for _ in range(times - 1):
        data = gzip.compress(data)
    assert read_all(data).flows == flows_of(ACCEPTED, REJECTED)


def test_a_line_can_continue_in_the_next_member() -> None:
    """Member boundaries are not line boundaries."""
    assert read_all(gz(ACCEPTED[:20], ACCEPTED[20:])).flows == flows_of(ACCEPTED)


def test_zeros_after_the_last_member_are_padding() -> None:
    """As in gzip itself."""
    assert read_all(gz(ACCEPTED) + b"\0" * 512).flows == flows_of(ACCEPTED)


@pytest.mark.parametrize("content", ["", "\n"])
def test_an_empty_gzip_file_has_no_records(content: str) -> None:
    """This is not an error."""
    assert read_all(gz(content)).malformed == []


@pytest.mark.parametrize("lost", [1, 8, 9, 1000])
def test_truncated_gzip_is_an_error_with_sizes(lost: int) -> None:
    """Truncated in the trailer or in the data: the checksum is missing."""
    whole = gz(MANY)
    with pytest.raises(DamagedSource) as caught:
        read_all(whole[:-lost])
    assert str(caught.value).startswith("held: the gzip data is truncated: ")
    assert f"{len(whole) - lost} bytes inflated to " in str(caught.value)
    assert str(caught.value).endswith("the data up to that point was read; download the file again")


def test_the_data_before_the_damage_is_read() -> None:
    """Nearly all of it is returned."""
    whole = gz(MANY)
    broken = Inflated(stream(whole[: len(whole) // 2]))
    parts: list[bytes] = []
    with pytest.raises(DamagedSource, match=f"{len(whole) // 2} of {len(whole) // 2} bytes inflated to"):
        parts.extend(broken.blocks(lambda: None))
    read = b"".join(parts)
    assert MANY.encode().startswith(read)
    assert len(read) > len(MANY) // 4


@pytest.mark.parametrize(
    "data",
    [
        b"\x1f\x8b",
        b"\x1f\x8b\x08\x00garbage and more",
        gz(ACCEPTED) + b"garbage",
        gz(MANY)[:-8] + b"\1\2\3\4" + gz(MANY)[-4:],
        gz(MANY)[:300] + b"\xff" * 300 + gz(MANY)[600:],
    ],
    ids=["magic only", "no data", "trailing garbage", "wrong checksum", "damage within"],
)
def test_damaged_gzip_is_an_error_with_the_name_of_the_source(data: bytes) -> None:
    """Regardless of the error of the inflating library."""
    with pytest.raises(DamagedSource, match="held: the gzip data "):
        read_all(data)


def test_a_read_failure_is_an_error_with_the_name_of_the_source() -> None:
    """For example of a disk or a network file system."""

    class Failing(BytesIO):
        def read1(self, size: int | None = -1, /) -> bytes:
            raise OSError(5, f"Input/output error, of {size}")

    with pytest.raises(DamagedSource, match=r"disk: cannot be read beyond 0 bytes: .*Input/output error"):
        Stream(Failing(), "disk").head()
