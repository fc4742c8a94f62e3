"""The checked FlatBuffer reader: what the library wrote is what is read; damage is an error, never a crash."""

import math
import random
import struct

import flatbuffers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinytracker.flatbuffer import DamagedError, Table, span

NUMBERS = {
    "u8": ("Uint8", 0, 2**8 - 1), "u16": ("Uint16", 0, 2**16 - 1), "u32": ("Uint32", 0, 2**32 - 1),
    "u64": ("Uint64", 0, 2**64 - 1), "i16": ("Int16", -(2**15), 2**15 - 1), "i32": ("Int32", -(2**31), 2**31 - 1),
    "i64": ("Int64", -(2**63), 2**63 - 1),
}  # fmt: skip

fields = st.sampled_from(sorted(NUMBERS)).flatmap(
    lambda kind: st.tuples(st.just(kind), st.integers(*NUMBERS[kind][1:]))
)


def finished(b: flatbuffers.Builder, *slots: tuple[int, str, object]) -> bytes:
    b.StartObject(20)
    for number, kind, value in slots:
        getattr(b, f"Prepend{kind}Slot")(number, value, 0)
    b.Finish(b.EndObject())
    return bytes(b.Output())


def strings(values: list[bytes]) -> bytes:
    """A table whose slot 0 is a vector of byte vectors."""
    b = flatbuffers.Builder(64)
    offsets = [b.CreateByteVector(v) for v in values]
    b.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        b.PrependUOffsetTRelative(offset)
    return finished(b, (0, "UOffsetTRelative", b.EndVector()))


def nested(texts: list[str]) -> bytes:
    """A table with a list of tables (slot 1) that have a text (slot 0) and a float (slot 2)."""
    b = flatbuffers.Builder(64)
    tables = []
    for i, text in enumerate(texts):
        name = b.CreateString(text)
        b.StartObject(3)
        b.PrependUOffsetTRelativeSlot(0, name, 0)
        b.PrependFloat32Slot(2, i / 4, 0.0)
        tables.append(b.EndObject())
    b.StartVector(4, len(tables), 4)
    for offset in reversed(tables):
        b.PrependUOffsetTRelative(offset)
    return finished(b, (1, "UOffsetTRelative", b.EndVector()))


@given(st.lists(fields, max_size=20))
def test_numbers_read_as_the_library_wrote_them(values):
    b = flatbuffers.Builder(64)
    data = finished(b, *((i, NUMBERS[kind][0], value) for i, (kind, value) in enumerate(values)))
    table = Table.root(data)
    assert [getattr(table, kind)(i) for i, (kind, _) in enumerate(values)] == [v for _, v in values]
    assert table.u32(len(values) + 20, 7) == 7


@given(st.lists(st.text(max_size=300), max_size=8))
def test_texts_and_tables_read_as_the_library_wrote_them(texts):
    tables = Table.root(nested(texts)).tables(1)
    assert [t.text(0) for t in tables] == texts
    assert [t.f32(2) for t in tables] == [i / 4 for i in range(len(texts))]
    for table, text in zip(tables, texts, strict=True):
        assert text.encode().startswith(table.shown_text(0, 10).split("\ufffd")[0].encode())


@given(st.lists(st.binary(max_size=50), max_size=8))
def test_byte_vectors_read_as_the_library_wrote_them(values):
    assert Table.root(strings(values)).contents(0) == values


def test_absent_fields_have_their_default():
    table = Table.root(finished(flatbuffers.Builder(64)))
    assert (table.u8(3), table.i32(3, -4), table.f32(3, 0.5), table.text(3), table.content(3)) == (
        0,
        -4,
        0.5,
        "",
        b"",
    )
    assert (table.length(3), table.table(3), table.tables(3), table.contents(3)) == (0, None, [], [])
    with pytest.raises(DamagedError, match="the memory table is missing"):
        table.required_table(1, "memory")


def test_longer_lists_than_the_limit_are_refused():
    root = Table.root(nested(["a"] * 5))
    assert len(root.tables(1, 5)) == 5
    with pytest.raises(DamagedError, match="a list has 5 entries; the limit is 4"):
        root.tables(1, 4)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_floats_are_finite(value):
    b = flatbuffers.Builder(64)
    with pytest.raises(DamagedError, match="a number is"):
        Table.root(finished(b, (0, "Float32", value))).f32(0)


def test_text_that_is_not_utf8_is_refused_or_shown():
    data = nested(["gaze"]).replace(b"gaze", b"g\xff\xfee")
    (table,) = Table.root(data).tables(1)
    with pytest.raises(DamagedError, match="not text"):
        table.text(0)
    assert table.shown_text(0) == "g\ufffd\ufffde"


def test_shared_strings_do_not_multiply_the_work():
    b = flatbuffers.Builder(64)
    text = b.CreateString("x" * 5_000)
    b.StartVector(4, 5_000, 4)
    for _ in range(5_000):
        b.PrependUOffsetTRelative(text)
    with pytest.raises(DamagedError, match="overlap"):
        Table.root(finished(b, (0, "UOffsetTRelative", b.EndVector()))).contents(0)


def test_the_error_says_where():
    with pytest.raises(
        DamagedError, match=r"byte 0: an offset points outside the buffer of 3 bytes"
    ) as found:
        Table.root(b"abc")
    assert (found.value.position, found.value.problem) == (
        0,
        "an offset points outside the buffer of 3 bytes",
    )
    with pytest.raises(DamagedError):
        span(b"abc", -1, 2)


def read_all(data: bytes) -> None:
    """Everything that the reader can be asked about the two kinds of buffers here."""
    root = Table.root(data)
    root.contents(0)
    for table in root.tables(1):
        table.text(0)
        table.shown_text(0)
        table.f32(2)
        table.length(0)


def test_every_cut_and_ten_thousand_mutations_are_read_or_refused():
    """Nothing but `DamagedError` may escape."""
    rng = random.Random(22)
    refused = 0
    good = [strings([b"abc", b"", b"x" * 40]), nested(["one", "two", "three" * 9])]
    for data in good:
        for length in range(len(data)):
            try:
                read_all(data[:length])
            except DamagedError:
                continue
            assert not any(data[length:])  # only padding was lost
    for _ in range(10_000):
        bad = bytearray(rng.choice(good))
        for _ in range(rng.choice((1, 1, 2, 8))):
            position = rng.randrange(len(bad) - 4)
            if rng.random() < 0.5:
                bad[position] ^= 1 << rng.randrange(8)
            else:
                bad[position : position + 4] = struct.pack(
                    "<I", rng.choice((0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF))
                )
        try:
            read_all(bytes(bad))
        except DamagedError:
            refused += 1
    assert 2_000 < refused < 9_900
