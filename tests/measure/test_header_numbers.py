"""Numbers in a session's header that the reader divides by: each is read, or refused in a sentence."""

import json
import re

import numpy as np
import pytest
from support.fake_line import HELLO
from support.sessions import write_aimed_session, write_gaze_session, write_session

from tinytracker.errors import InputFileError, TinyTrackerError
from tinytracker.live.frames import frames_of_session
from tinytracker.measure.board import parse_hello
from tinytracker.measure.protocol import Message
from tinytracker.measure.results import summarize_session
from tinytracker.measure.session_reader import read_session
from tinytracker.report.measured import session_part

MEMORY = [
    {"place": place, "address": 0, "reads": 1000, "ticks": ticks}
    for place, ticks in (("beside-code", 100), ("constants", 120))
]
IMAGES = {"expected": ["00"], "oracle": "BUILTIN_REF", "cm_per_unit": [1.0]}
ODD = ("0", "-1", "1e-300", "1e300", "NaN", "1e999", str(2**63))


def leaves(document, place=()):
    """Places of the numbers in a document."""
    if isinstance(document, bool):
        return
    if isinstance(document, int | float):
        yield place
    parts = (
        document.items()
        if isinstance(document, dict)
        else enumerate(document)
        if isinstance(document, list)
        else ()
    )
    for key, part in parts:
        yield from leaves(part, (*place, key))


def with_number(path, place, number):
    """The lines of a session whose header has another number in one place."""
    first, *rest = path.read_text().splitlines(keepends=True)
    document = json.loads(first)
    inner = document
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = "@"
    return json.dumps(document).replace('"@"', number) + "\n" + "".join(rest)


def use(path):
    """Everything that shows a session."""
    json.dumps(summarize_session(path).as_json(), allow_nan=False)
    json.dumps(session_part(path), allow_nan=False)
    list(frames_of_session(read_session(path), sleep=lambda seconds: None, repeat=False))


def outcome(path):
    """Nothing, the sentence with which a session is refused, or an error that is not a sentence."""
    try:
        use(path)
    except TinyTrackerError as error:
        return str(error).rstrip()
    except (ArithmeticError, ValueError, TypeError, Warning) as error:
        return repr(error)
    return ""


@pytest.fixture(scope="module")
def sessions(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sessions")
    edges = 2 + np.arange(5)[:, None] * 0.03 + np.array([0, 0.018, 0.019, 0.02])
    more = {"warmup": 0, "metadata": {"memory": MEMORY, "images": IMAGES}}
    return (
        write_session(folder / "latency.jsonl", edges, exchanges=3, burst=2, **more),
        write_gaze_session(folder / "gaze.jsonl", [(0, 1)] * 3, **more),
        write_aimed_session(folder / "aim.jsonl", [(100, 100, 60)] * 3, [1] * 3, [1] * 3),
    )


@pytest.mark.parametrize("number", ODD)
def test_odd_numbers_are_read_or_refused(sessions, tmp_path, number):
    path = tmp_path / "odd.jsonl"
    for session in sessions:
        use(session)
        for place in leaves(json.loads(session.read_text().splitlines()[0])):
            path.write_text(with_number(session, place, number))
            said = outcome(path)
            assert not said or said.endswith((".", "`")), f"{session.name}: {place} is {number}: {said}"


@pytest.mark.parametrize(
    ("number", "says"),
    [
        ("0", "greater than or equal to 1"),
        ("-5", "greater than or equal to 1"),
        ("1e-300", "greater than or equal to 1"),
        ("1e13", "less than or equal to 1000000000000"),
        ("NaN", "ticks_per_s: Input should be a finite number"),
        ("1e999", "ticks_per_s: Input should be a finite number"),
        ('"fast"', "valid number"),
    ],
)
def test_a_clock_that_cannot_be_is_refused(sessions, tmp_path, number, says):
    path = tmp_path / "odd.jsonl"
    path.write_text(with_number(sessions[0], ("ticks_per_s",), number))
    with pytest.raises(
        InputFileError, match=rf"odd\.jsonl: not the header of a session \(.*{re.escape(says)}"
    ):
        read_session(path)


def test_what_a_board_says_about_itself_must_be_finite_too(sessions, tmp_path):
    path = tmp_path / "odd.jsonl"
    path.write_text(with_number(sessions[0], ("board", "protocol"), "NaN"))
    with pytest.raises(InputFileError, match=r"board\.protocol: nan is not a finite number"):
        read_session(path)


@pytest.mark.parametrize("hz", ["0", "10000000000000", "9" * 400, "1e6", "-1"])
def test_a_board_with_such_a_clock_is_refused(hz):
    messages = [Message(*re.fullmatch(r"m-tt-([a-z]+)-\[(.*)\]", line).groups()) for line in HELLO]
    assert parse_hello(messages).ticks_per_s >= 1
    odd = [Message(m.name, f"{hz},device") if m.name == "time" else m for m in messages]
    with pytest.raises(ValueError, match="the clock is"):
        parse_hello(odd)


def test_a_memory_that_took_no_tick_is_not_compared(sessions, tmp_path):
    path = tmp_path / "odd.jsonl"
    path.write_text(with_number(sessions[0], ("metadata", "memory", 0, "ticks"), "0"))
    (said,) = session_part(path)["memory"]
    assert "beside-code (0x00000000) 0.0, constants (0x00000000) 120.0" in said
