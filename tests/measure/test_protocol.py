"""The host's parser: what boards say becomes events; damage costs a line and is named."""

import random
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinytracker.measure.protocol import (
    LINE_BYTES_MAX,
    Aimed,
    ClockReply,
    Complaint,
    Damaged,
    FrameReply,
    FramesDone,
    Gated,
    Lost,
    Message,
    Other,
    Ready,
    Receiver,
    Started,
)

NOW = 77


def with_crc(start: bytes, body: bytes) -> bytes:
    return b"%s%s,%08x]\r\n" % (start, body, zlib.crc32(body))


def frame_line(sequence, stamps=(1, 2, 3, 4), outputs=b"\x80\x7f", aim=None, gated=None):
    numbers = ",".join(str(n) for n in (sequence, *stamps))
    region = "" if aim is None else f",{aim.x}:{aim.y}:{aim.width}:{aim.state + 4 * aim.has_eyes}"
    if gated is not None:
        times = (gated.gate_ticks, gated.little_ticks, gated.big_ticks)
        region += "," + ":".join(str(n) for n in (gated.path, gated.answered_width, *times))
    return with_crc(b"m-tt-frame-[", f"{numbers},{outputs.hex()}{region}".encode())


def feed(data, receiver=None, in_frames=True):
    receiver = receiver or Receiver(4)
    if in_frames:
        receiver.expect_frames()
    return receiver.feed(data, NOW)


def test_every_kind_of_line():
    lines = (
        b"m-init-done\r\nm-ready\r\nm-tt-board-[qemu]\r\nm-tt-time-[25000000,emulated]\r\n"
        b"e-[No image is loaded]\r\nm-name-dut-[x]\r\n\r\n"
        + with_crc(b"m-tt-clock-[", b"4711,100,101")
        + frame_line(5)
        + b"m-tt-frames-[1]\r\n"
    )
    assert feed(lines, in_frames=False) == [
        Started(), Ready(), Message("board", "qemu"), Message("time", "25000000,emulated"),
        Complaint("No image is loaded"), Other("m-name-dut-[x]"), ClockReply(4711, 100, 101, NOW),
        FrameReply(5, (1, 2, 3, 4), b"\x80\x7f", NOW), FramesDone(1),
    ]  # fmt: skip


def test_records_with_and_without_a_gate():
    aim, gated = Aimed(16, -32, 480, 1, True), Gated(0, 320, 1234, 0, 4294967295)
    lines = frame_line(1) + frame_line(2, aim=aim) + frame_line(3, aim=aim, gated=gated)
    assert feed(lines) == [
        FrameReply(1, (1, 2, 3, 4), b"\x80\x7f", NOW), FrameReply(2, (1, 2, 3, 4), b"\x80\x7f", NOW, aim),
        FrameReply(3, (1, 2, 3, 4), b"\x80\x7f", NOW, aim, gated),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (frame_line(5)[:-3] + b"\r\n", "checksum"),
        (frame_line(5).replace(b"2,3", b"2,4"), "checksum"),
        (frame_line(5, stamps=(1, 2, 3)), "3 time stamps"),
        (frame_line(5, stamps=(1, 3, 2, 4)), "time runs backwards"),
        (frame_line(-5), "not a number"),
        (frame_line(5, stamps=(1, 2, 3, 1 << 63)), "not a number"),
        (with_crc(b"m-tt-frame-[", b"5, 1,2,3,4,00"), "not a number"),
        (with_crc(b"m-tt-frame-[", b"5,1,2,3,4,0g"), "outputs are not hexadecimal"),
        (with_crc(b"m-tt-frame-[", b""), "not a number"),
        (with_crc(b"m-tt-frame-[", b"5,1,2,3,4,00,1:2:3"), "not a region"),
        (with_crc(b"m-tt-frame-[", b"5,1,2,3,4,00,1:2:0:1"), "not a region"),
        (with_crc(b"m-tt-frame-[", b"5,1,2,3,4,00,1:2:-3:1"), "not a region"),
        (with_crc(b"m-tt-frame-[", b"5,1,2,3,4,00,1:2:3:3"), "not a region"),
        (with_crc(b"m-tt-frame-[", b"5,1,2,3,4,00,1:2:3:8"), "not a region"),
        (with_crc(b"m-tt-frame-[", b"5,1,2,3,4,00,1:2:99999999:1"), "not a region"),
        (with_crc(b"m-tt-frame-[", b"5,1,2,3,4,1:2:3:1"), "3 time stamps"),
        (with_crc(b"m-tt-frame-[", b"5,1,2,3,4,00,1:2:3:1,4:1:1:1:1"), "not a gate"),
        (with_crc(b"m-tt-frame-[", b"5,1,2,3,4,00,1:2:3:1,0:1:1:1"), "5 time stamps"),
        (with_crc(b"m-tt-frame-[", b"5,1,2,3,4,00,1:2:3:1,0:-1:1:1:1"), "not a gate"),
        (with_crc(b"m-tt-frame-[", b"5,1,2,3,4,00,1:2:3:1,0:1:99999999999:1:1"), "not a gate"),
        (with_crc(b"m-tt-frame-[", b"5,1,2,3,4,00,0:1:1:1:1"), "not a gate"),
        (b"m-tt-frame-[\r\n", "checksum"),
        (b"m-tt-frames-[x]\r\n", "not a number"),
        (b"m-tt-clock-[1,2]\r\n", "checksum"),
        (with_crc(b"m-tt-clock-[", b"1,2"), "not three numbers"),
        (b"m-tt-board-[qemu\r\n", "not a whole message"),
        (b"hello\r\n", "not a line of the protocol"),
    ],
)
def test_damage_is_named_and_the_next_line_is_read(line, reason):
    damaged, after = feed(line + frame_line(6))
    assert isinstance(damaged, Damaged)
    assert damaged.reason == reason
    assert after == FrameReply(6, (1, 2, 3, 4), b"\x80\x7f", NOW)


def test_an_end_of_line_that_was_lost_costs_one_record():
    first, second = frame_line(5).rstrip(b"\r\n")[:-4], frame_line(6)
    damaged, frame = feed(first + second)
    assert damaged == Damaged("merged with the next line", first.decode(), NOW)
    assert frame.sequence == 6


def test_a_complaint_may_quote_anything():
    assert feed(b"e-[Unknown command: m-ready]\r\n") == [Complaint("Unknown command: m-ready")]


def test_a_stream_without_ends_is_dropped_up_to_the_next_line():
    receiver = Receiver(4)
    events = [event for _ in range(100) for event in feed(b"\xff" * 1000, receiver)]
    assert [event.reason for event in events] == ["no end of line"]
    assert len(receiver._rest) <= LINE_BYTES_MAX
    assert feed(b"rest\r\n" + frame_line(0), receiver)[0].sequence == 0


@pytest.mark.parametrize(
    ("arriving", "done", "lost", "next_number"),
    [
        ((0, 1, 2), 3, [], 3),
        ((0, 2), 3, [Lost(1, 0)], 3),
        ((0, 1), 3, [Lost(1, 1)], 3),
        ((1, 2), 3, [Lost(1, 2)], 3),  # nobody can know that it was the first
        ((), 3, [Lost(3, None)], 3),
        ((7, 9), 4, [Lost(1, 7), Lost(1, 9)], 11),
    ],
)
def test_missing_records_are_counted_once(arriving, done, lost, next_number):
    receiver = Receiver(4)
    receiver.expect_frames()
    events = receiver.feed(b"".join(frame_line(k) for k in arriving) + b"m-tt-frames-[%d]\r\n" % done, NOW)
    assert [event for event in events if isinstance(event, Lost)] == lost
    receiver.expect_frames()
    after = receiver.feed(frame_line(next_number) + b"m-tt-frames-[1]\r\n", NOW)
    assert [type(event) for event in after] == [FrameReply, FramesDone]


def test_numbers_that_fall_mean_a_new_start():
    assert [type(e) for e in feed(frame_line(5) + frame_line(3))] == [FrameReply, Started, FrameReply]


LINES = st.lists(
    st.one_of(
        st.integers(0, 50).map(frame_line),
        st.sampled_from([b"m-ready\r\n", b"e-[x]\r\n", b"m-tt-frames-[3]\r\n", b"m-tt-clock-[1,2,3,0]\r\n"]),
        st.binary(max_size=40),
    ),
    max_size=12,
)


@settings(deadline=None, max_examples=300)
@given(LINES, st.lists(st.integers(0, 400), max_size=6))
def test_pieces_do_not_matter(lines, cuts):
    data = b"".join(lines)
    whole = feed(data)
    receiver, pieces, at = Receiver(4), [], 0
    receiver.expect_frames()
    for cut in [*sorted(min(c, len(data)) for c in cuts), len(data)]:
        pieces += receiver.feed(data[at:cut], NOW)
        at = cut
    assert pieces == whole


AIMS = st.none() | st.builds(
    Aimed, st.integers(-(2**18), 2**18), st.integers(-(2**18), 2**18), st.integers(1, 2**18),
    st.integers(0, 2), st.booleans(),
)  # fmt: skip


@settings(deadline=None, max_examples=300)
@given(
    st.integers(0, 2**32),
    st.lists(st.integers(0, 2**62), min_size=4, max_size=4),
    st.binary(max_size=60),
    AIMS,
)
def test_records_come_back_as_they_were_sent(sequence, stamps, outputs, aim):
    stamps.sort()
    expected = FrameReply(sequence, tuple(stamps), outputs, NOW, aim)
    assert feed(frame_line(sequence, stamps, outputs, aim)) == [expected]


def test_thousands_of_damaged_streams_never_raise_and_never_invent_a_record():
    rng = random.Random(3)
    aims = [None, Aimed(-5, 1234, 80, 1, True)]
    sent = {k: FrameReply(k, (k, k + 1, k + 2, k + 9), bytes([k]), NOW, aims[k % 2]) for k in range(20)}
    clean = b"".join(frame_line(k, f.stamps, f.outputs, f.aim) for k, f in sent.items())
    arrived = 0
    for _ in range(3_000):
        data = bytearray(clean)
        for _ in range(rng.randrange(1, 6)):
            kind, at = rng.randrange(4), rng.randrange(len(data))
            if kind == 0:
                data[at] ^= 1 << rng.randrange(8)
            elif kind == 1:
                del data[at : at + rng.randrange(1, 30)]
            elif kind == 2:
                data[at:at] = rng.randbytes(rng.randrange(1, 30))
            else:
                data[at : at + 8] = data[: rng.randrange(9)]
        for event in feed(bytes(data)):
            if isinstance(event, FrameReply):
                arrived += 1
                assert event == sent[event.sequence]
    assert arrived > 3_000 * 10
