"""Descriptions of boards, and recordings with damage anywhere: read, or refused in a sentence."""

import random
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.fake_line import HELLO

from tinytracker.errors import TinyTrackerError
from tinytracker.measure.board import contract_of, gaze_cm, parse_hello, tensors_as_json
from tinytracker.measure.playback import replay
from tinytracker.measure.protocol import Message
from tinytracker.measure.results import summarize_session

RECORDED = Path(__file__).parent / "data" / "emulated_session.jsonl"
MESSAGES = [Message(*re.fullmatch(r"m-tt-([a-z]+)-\[(.*)\]", line).groups()) for line in HELLO]


@settings(deadline=None, max_examples=400)
@given(st.data())
def test_a_damaged_description_is_a_board_or_a_reason(data):
    messages = list(MESSAGES)
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(messages) - 1))
        name, value = messages[at].name, messages[at].value
        cut = data.draw(st.integers(0, len(value)))
        inserted = data.draw(st.text("0123456789abcdefx,-]inf", max_size=4))
        messages[at] = Message(name, value[:cut] + inserted + value[cut + data.draw(st.integers(0, 3)) :])
    try:
        board = parse_hello(messages)
    except ValueError:
        return  # `Link` makes a sentence of it
    assert board.ticks_per_s > 0
    assert board.input_bytes >= 0
    assert len(set(board.phases)) == len(board.phases)


def test_what_goes_into_a_header_comes_out_of_it():
    io = parse_hello(MESSAGES).io
    assert contract_of(tensors_as_json(io.inputs), tensors_as_json(io.outputs)) == io
    assert gaze_cm(io, b"\x0d\x17") == pytest.approx((1.0, 2.0), abs=1e-6)
    assert gaze_cm(io, b"\x0d") is None


def test_recordings_with_damage_anywhere_are_read_or_refused(tmp_path):
    rng = random.Random(1)
    lines = RECORDED.read_bytes().splitlines(keepends=True)
    content = b"".join([*lines[:60], *lines[-3:]])
    path = tmp_path / "s.jsonl"
    read = refused = 0
    for _ in range(150):
        data = bytearray(content)
        for _ in range(rng.randrange(1, 4)):
            at = rng.randrange(len(data))
            if rng.random() < 0.5:
                data[at] ^= 1 << rng.randrange(8)
            else:
                del data[at : at + rng.randrange(1, 200)]
        path.write_bytes(bytes(data))
        try:
            replay(path)
            summarize_session(path)
            read += 1
        except TinyTrackerError:
            refused += 1
    assert read > 50
    assert read + refused == 150
