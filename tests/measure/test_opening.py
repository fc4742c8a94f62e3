"""Boards are opened by the name of their target, as its row says."""

import pytest
from support.fake_line import FakeLine

from tinytracker.errors import UnknownNameError, UsageError
from tinytracker.measure.opening import Request, open_board
from tinytracker.measure.transport import SILENCE_S
from tinytracker.targets import TARGETS, Target, with_part

LOST = [
    ("spresense", "The serial port of the board is not known."),
    ("coralmicro", "The serial port of the board is not known."),
    ("pico2", "The serial port of the board is not known."),
    ("emulated", "The emulated board needs a network."),
    ("host", "This computer needs a network to run."),
    ("imx500", "Give --model network.rpk."),
]


def test_every_board_has_a_case():
    assert {name for name, _ in LOST} == set(with_part("board"))


@pytest.mark.parametrize(("target", "sentence"), LOST)
def test_what_is_missing_is_said(target, sentence, monkeypatch):
    monkeypatch.setattr("tinytracker.measure.serial_board.known_ports", list)
    with pytest.raises(UsageError) as caught, open_board(target, Request()):
        pass
    assert sentence in str(caught.value)


def test_an_unknown_board_is_named():
    with pytest.raises(UnknownNameError, match="Unknown target 'toaster'"), open_board("toaster", Request()):
        pass


@pytest.mark.parametrize("target", ["spresense", "coralmicro"])
def test_the_only_port_is_taken_and_of_several_none(target, monkeypatch):
    with FakeLine(tcp=True) as board:
        monkeypatch.setattr("tinytracker.measure.serial_board.known_ports", lambda: [board.port])
        with open_board(target, Request(silence_s=60)) as source:
            assert source.board.name == "fake"
    monkeypatch.setattr("tinytracker.measure.serial_board.known_ports", lambda: ["/dev/a", "/dev/b"])
    with (
        pytest.raises(UsageError, match="Ports with hardware: /dev/a, /dev/b"),
        open_board(target, Request()),
    ):
        pass


def test_patience_is_the_users_the_targets_or_the_usual():
    slow, usual = TARGETS["emulated"], Target("toy", "toy")
    assert [Request(silence_s=1).patience_s(t) for t in (slow, usual)] == [1, 1]
    assert [Request().patience_s(t) for t in (slow, usual)] == [120, SILENCE_S]
