"""Portable firmware parts on the host, under sanitizers: dialogue, checksum, ring, a million bad inputs."""

import base64
import re
import struct
import subprocess
import zlib
from graphlib import TopologicalSorter
from pathlib import Path

import numpy as np
import pytest
from support.host_c import SANITIZE, STRICT

from tinytracker.emulate import deploy_dir

C = Path(__file__).parent / "c"
IMAGE = bytes(range(100, 124))
HELLO_LINES = 9


def build(out: Path, main: str, *, with_fake: bool = True, optimise: str = "-O1") -> Path:
    common = deploy_dir() / "common"
    kernels = deploy_dir().parent / "tinytracker" / "codegen" / "c"
    sources = [*sorted(common.glob("*.c")), C / main, *([C / "fake.c"] if with_fake else [])]
    program = out / main.removesuffix(".c")
    command = [
        "gcc",
        *STRICT,
        *SANITIZE,
        optimise,
        "-I",
        common,
        "-I",
        kernels,
        "-I",
        C,
        *sources,
        "-o",
        program,
    ]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return program


@pytest.fixture(scope="module")
def dialogue(tmp_path_factory):
    program = build(tmp_path_factory.mktemp("dialogue"), "dialogue_main.c")

    def talk(text: bytes, *options: str) -> list[str]:
        done = subprocess.run([program, *(options or ("loaded",))], input=text, capture_output=True)
        assert done.returncode == 0, done.stderr.decode()
        said = done.stdout.decode()
        assert said.startswith("m-init-done\r\nm-ready\r\n")
        assert said.endswith("\r\n")
        return said.split("\r\n")[2:-1]

    return talk


def load(image: bytes = IMAGE, crc: int | None = None) -> bytes:
    checksum = zlib.crc32(image) if crc is None else crc
    return b"tt load %d %08x%%" % (len(image), checksum) + image


def test_every_command_ends_with_ready(dialogue):
    said = dialogue(b"name%profile%help%timestamp%results%tt stop%%")
    assert said.count("m-ready") == 7
    assert said[0] == "m-name-dut-[fake]"
    assert said[2:4] == ["m-profile-[ULPMark for tinyML Firmware V0.0.1]", "m-model-[tinytracker]"]
    assert re.fullmatch(r"m-lap-us-\d+", said[7])


def test_hello_tells_everything(dialogue):
    said = dialogue(b"tt hello%")
    assert said[:7] == [
        "m-tt-protocol-[1]", "m-tt-board-[fake]", "m-tt-build-[test]",
        "m-tt-model-[0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef]",
        "m-tt-time-[1000,device]", "m-tt-source-[loaded]", "m-tt-phases-[capture,preprocess,inference]",
    ]  # fmt: skip
    assert said[7] == "m-tt-input-[0,im_age_,int8,1x4x3x2,3c000000,-3,24]"
    assert said[8] == "m-tt-output-[0,gaze,int8,1x2,3e800000,4,2]"
    assert struct.unpack(">f", bytes.fromhex("3c000000"))[0] == 0.0078125
    assert "m-tt-source-[camera]" in dialogue(b"tt hello%", "camera")


def test_load_and_infer(dialogue):
    said = dialogue(load() + b"infer 3 2%results%")
    assert said[:3] == ["m-tt-send-[24]", f"m-tt-loaded-[24,{zlib.crc32(IMAGE):08x}]", "m-ready"]
    assert said[3:6] == ["m-warmup-start-2", "m-warmup-done", "m-infer-start-3"]
    assert said[8] == "m-infer-done"
    stored = [IMAGE[0], np.array([sum(IMAGE)]).astype(np.int8)[0]]
    reals = ",".join(f"{0.25 * (value - 4):.6f}" for value in stored)
    results = [f"m-results-[{reals}]", f"m-results-raw-[{','.join(map(str, stored))}]", "m-ready"]
    assert said[9:] == results * 2


def test_infer_alone_is_one_inference_after_ten(dialogue):
    said = dialogue(load() + b"infer%", "rated")
    assert said[3:6] == ["m-warmup-start-10", "m-warmup-done", "m-infer-start-1"]
    assert said[-2:] == ["m-ready", "baud 0 runs 11"]


def test_a_burst_is_a_frame_with_many_inferences_once(dialogue):
    said = dialogue(load() + b"tt burst 50%tt frame 2%tt frame 1%", "rated")
    assert said[3:5] == ["m-tt-burst-[50]", "m-ready"]
    assert [line.split(",")[5] for line in said if line.startswith("m-tt-frame-[")] == ["6474"] * 3
    assert said[-1] == "baud 0 runs 101"


def test_a_counter_of_32_bits_does_not_wrap_unseen_during_many_inferences(dialogue):
    said = dialogue(load() + b"tt burst 9%tt frame 1%infer 9 7%", "loaded", "slow")
    (frame,) = (line for line in said if line.startswith("m-tt-frame-["))
    begin, end = (int(field) for field in frame.split(",")[3:5])
    assert (end - begin) >> 30 == 9
    first, last = (int(line.removeprefix("m-lap-us-")) for line in said if line.startswith("m-lap-us-"))
    assert (last - first) // 1000 >> 30 == 9  # the fake has a tick a millisecond


def test_what_the_network_saw_is_sent_back(dialogue):
    assert dialogue(b"tt inputs%") == ["e-[No inference has been run]", "m-ready"]
    said = dialogue(load() + b"tt frame 1%tt inputs%")
    body = f"0,{base64.b64encode(IMAGE).decode()}"
    assert said[-2:] == [f"m-tt-inputs-[{body},{zlib.crc32(body.encode()):08x}]", "m-ready"]


UNREADABLE = b"\xf8\x80\xfe\x80"
SILENCE = b"\0"


def test_a_host_at_the_rate_of_energy_mode_is_answered_at_its_rate(dialogue):
    said = dialogue(UNREADABLE + b"me%" + SILENCE + b"name%" + load() + b"infer 1 0%timestamp%", "rated")
    assert said[:4] == ["m-timestamp-mode-energy", "m-ready", "m-name-dut-[fake]", "m-ready"]
    assert not [line for line in said if line.startswith("m-lap-us-")]
    assert said[-3:] == ["m-ready", "m-ready", "baud 9600 runs 1"]


def test_the_rate_stays_once_a_command_has_been_read(dialogue):
    said = dialogue(b"name%" + 10 * UNREADABLE + b"%" + SILENCE + b"timestamp%", "rated")
    assert re.fullmatch(r"m-lap-us-\d+", said[-3])
    assert said[-1] == "baud 0 runs 0"
    back = dialogue(UNREADABLE + SILENCE + UNREADABLE + SILENCE + b"timestamp%", "rated")
    assert back[:4] == ["m-timestamp-mode-energy", "m-ready", "m-timestamp-mode-performance", "m-ready"]
    assert back[-1] == "baud 115200 runs 0"


def test_load_by_hex_digits(dialogue):
    text = (
        b"db load 24%db "
        + IMAGE[:16].hex().encode()
        + b"%db "
        + IMAGE[16:].hex().upper().encode()
        + b"%db print%"
    )
    said = dialogue(text + b"infer 1 0%")
    assert said[:5] == ["m-[Expecting 24 bytes]", "m-ready", "m-ready", "m-load-done", "m-ready"]
    assert said[5] == "m-buffer-" + "-".join(f"{b:02x}" for b in IMAGE[:8])
    assert any(line.startswith("m-results-[24.000000,") for line in said)


def test_frames_carry_stamps_outputs_and_a_checksum(dialogue):
    said = dialogue(load() + b"tt frame 3%")
    frames = [re.fullmatch(r"m-tt-frame-\[(.*),([0-9a-f]{8})\]", line) for line in said[3:6]]
    for number, frame in enumerate(frames):
        body, crc = frame.groups()
        assert zlib.crc32(body.encode()) == int(crc, 16)
        sequence, *stamps, outputs = body.split(",")
        assert int(sequence) == number
        assert sorted(stamps, key=int) == stamps
        assert bytes.fromhex(outputs) == bytes([IMAGE[0], sum(IMAGE) % 256])
    assert said[6:] == ["m-tt-frames-[3]", "m-ready"]


def test_frames_end_when_the_host_speaks(dialogue):
    assert "m-tt-frames-[3]" in dialogue(load() + b"tt frame 1000%", "loaded", "2")


def test_camera_frames_need_no_image(dialogue):
    said = dialogue(b"tt frame 1%", "camera")
    assert said[0].split(",")[5] == "0578"
    assert "e-[The camera failed]" in dialogue(b"tt frame 1%", "camera", "camera-fails")
    assert "e-[Inference failed]" in dialogue(load() + b"tt frame 1%", "loaded", "run-fails")
    assert "e-[Inference failed]" in dialogue(load() + b"infer 1 0%", "loaded", "run-fails")


def test_a_network_with_retrieval_has_a_phase_more(dialogue):
    assert "m-tt-phases-[capture,preprocess,inference,retrieve]" in dialogue(
        b"tt hello%", "camera", "retrieving"
    )
    frame = dialogue(b"tt frame 1%", "camera", "retrieving")[0]
    assert len(frame.split(",")) == 1 + 5 + 2
    assert frame.split(",")[6] == "0578"
    assert "m-results-[0.250000,29.000000]" in dialogue(
        load(bytes([5] * 24)) + b"infer 1 0%", "loaded", "retrieving"
    )
    for failing in ("retrieve-fails",):
        assert "e-[Inference failed]" in dialogue(b"tt frame 1%", "camera", failing)
        assert "e-[Inference failed]" in dialogue(load() + b"infer 1 0%", "loaded", failing)


GREY_FRAME = bytes(range(10, 58))
RGB_FRAME = bytes(value for value in GREY_FRAME for _ in range(3))


def aim_fields(line: str) -> tuple[list[int], int]:
    """Region and state of a record, its checksum verified."""
    body, crc = re.fullmatch(r"m-tt-frame-\[(.*),([0-9a-f]{8})\]", line).groups()
    assert zlib.crc32(body.encode()) == int(crc, 16)
    *region, state = map(int, body.split(",")[-1].split(":"))
    return region, state


def test_a_board_that_aims_says_so(dialogue):
    said = dialogue(b"tt hello%", "frames")
    assert said[0] == "m-tt-protocol-[2]"
    assert said[-2:] == ["m-tt-aim-[8,6,frames]", "m-ready"]
    assert "m-tt-aim-[8,6,inputs]" in dialogue(b"tt hello%", "aim-camera")


def test_a_whole_frame_grey_or_not_is_cut_by_the_board(dialogue):
    grey, rgb = (dialogue(load(frame) + b"tt frame 2%", "frames") for frame in (GREY_FRAME, RGB_FRAME))
    assert grey[1] == f"m-tt-loaded-[48,{zlib.crc32(GREY_FRAME):08x}]"
    for one, other in zip(
        grey[3:5], rgb[3:5], strict=True
    ):  # the same pixels, the same records, but for the time
        assert (one.split(",")[5], aim_fields(one)) == (other.split(",")[5], aim_fields(other))
    # The first look is as wide as the frame: 8 x 3 px in the middle of 8 x 6. The presence is the input's sum.
    region, state = aim_fields(grey[3])
    assert region == [16 * 4, 16 * 3 + 8, 16 * 8]
    presence = sum(RGB_FRAME[:24]) % 256
    assert grey[3].split(",")[5] == bytes([10 + i for i in range(39)] + [presence]).hex()
    assert state in (0, 1, 5, 2)


def test_frames_of_the_networks_own_size_are_not_aimed(dialogue):
    record = dialogue(load() + b"tt frame 1%", "frames")[3]
    assert ":" not in record
    assert len(record.split(",")) == 7


def test_the_search_starts_again(dialogue):
    said = dialogue(load(RGB_FRAME) + b"tt frame 3%tt search%tt frame 3%", "frames")
    records = [line for line in said if line.startswith("m-tt-frame-[")]
    aims = [aim_fields(line) for line in records]
    assert aims[:3] == aims[3:]
    assert "e-[This network does not aim]" in dialogue(b"tt search%")


def test_a_frame_without_eyes_has_no_gaze(dialogue):
    # Presence below all thresholds: the sum of 24 bytes is 128 (a code of 0) in the first, and the controller searches.
    blind = bytes([0] * 23 + [128]) + bytes(120)
    calibrate = "000100000000000000000000000000000001000000000000"
    command = f"tt calibrate {calibrate} {zlib.crc32(calibrate.encode()):08x}%".encode()
    said = dialogue(command + load(blind) + b"tt frame 1%tt gaze%infer 1 0%", "frames")
    assert aim_fields(next(line for line in said if line.startswith("m-tt-frame-[")))[1] == 0
    assert "m-tt-gaze-[none]" in said
    assert "m-results-[nan,nan]" in said


def test_a_crop_that_fails_is_the_cameras_failure(dialogue):
    assert "e-[The camera failed]" in dialogue(load(RGB_FRAME) + b"tt frame 1%", "frames", "cut-fails")
    assert "e-[The frame cannot be cut]" in dialogue(load(RGB_FRAME) + b"infer 1 0%", "frames", "cut-fails")
    said = dialogue(b"tt frame 1%", "aim-camera")
    assert aim_fields(said[0])[0][2] == 16 * 8


def test_a_frame_does_not_reach_into_the_networks_input(dialogue):
    said = dialogue(load(RGB_FRAME) + b"db print%db 00%" + load(RGB_FRAME)[:-9] + b"db 00%", "frames")
    assert [line for line in said if line.startswith("m-buffer-")] == []
    assert said.count("e-[More bytes than expected, or half a byte]") == 1
    assert "e-[The network takes 24 bytes]" in dialogue(load(RGB_FRAME))


def test_clock(dialogue):
    number, received, sent, crc = re.fullmatch(
        r"m-tt-clock-\[(\d+),(\d+),(\d+),([0-9a-f]{8})\]", dialogue(b"tt clock 42%")[0]
    ).groups()
    assert int(crc, 16) == zlib.crc32(f"{number},{received},{sent}".encode())
    assert number == "42"
    assert int(received) < int(sent)


@pytest.mark.parametrize(
    ("sent", "error"),
    [
        (b"bogus%", "Unknown command: bogus"),
        (b"\x01\xff]x%", "Unknown command: ???x"),
        (b"   %", "Empty command"),
        (b"x" * 81 + b"%", "Command longer than 80 characters"),
        (b"tt%", "Unknown tt command: "),
        (b"tt dance%", "Unknown tt command: dance"),
        (b"db%", "db needs load N, print or hex digits"),
        (b"db load 23%", "The network takes 24 bytes"),
        (b"db load 99999999999999%", "The network takes 24 bytes"),
        (b"db 00%", "More bytes than expected, or half a byte"),
        (b"db load 24%db 0%", "More bytes than expected, or half a byte"),
        (b"db load 24%db 0g%", "Invalid hex digit: g"),
        (b"infer%", "No image is loaded"),
        (b"infer x%", "Inference iterations must be 1 to 1000000"),
        (b"tt burst%", "Inferences of a frame must be 1 to 1000000"),
        (b"tt burst 0%", "Inferences of a frame must be 1 to 1000000"),
        (b"infer 0%", "Inference iterations must be 1 to 1000000"),
        (b"infer -1%", "Inference iterations must be 1 to 1000000"),
        (b"infer 1000001%", "Inference iterations must be 1 to 1000000"),
        (b"infer 1 x%", "Warm-up iterations must be 0 to 1000000"),
        (b"infer 1 1%", "No image is loaded"),
        (b"results%", "No inference has been run"),
        (b"tt frame 1%", "No image is loaded"),
        (b"tt frame 0%", "Frames must be 1 to 1000000"),
        (b"tt clock%", "tt clock needs a number below 2^32"),
        (b"tt clock 4294967296%", "tt clock needs a number below 2^32"),
        (b"tt load 25 00000000%", "The network takes 24 bytes"),
        (b"tt load 24 123%", "tt load needs a size and a CRC-32 of 8 hexadecimal digits"),
        (b"tt load 24 123456789%", "tt load needs a size and a CRC-32 of 8 hexadecimal digits"),
        (load(crc=1), "Checksum of the image is wrong"),
        (load()[:-5], "Image incomplete: 19 of 24 bytes"),
    ],
)
def test_bad_input_is_answered_and_survived(dialogue, sent, error):
    said = dialogue(sent)
    assert said[-2:] == [f"e-[{error}]", "m-ready"]


def test_an_image_that_fails_leaves_no_image(dialogue):
    assert "e-[No image is loaded]" in dialogue(load() + load(crc=1) + b"infer 1%")


def test_checksum_is_that_of_zlib(tmp_path):
    (tmp_path / "main.c").write_text(
        '#include <stdio.h>\n#include "tt_crc32.h"\nint main(void) { uint32_t crc = TT_CRC32_START; int c;\n'
        "while ((c = getchar()) != EOF) { const uint8_t b = (uint8_t)c; crc = tt_crc32(crc, &b, 1u); }\n"
        'printf("%08x", (unsigned)crc); return 0; }\n'
    )
    common = deploy_dir() / "common"
    command = [
        "gcc",
        *STRICT,
        "-I",
        common,
        tmp_path / "main.c",
        common / "tt_crc32.c",
        "-o",
        tmp_path / "crc",
    ]
    subprocess.run(list(map(str, command)), check=True)
    rng = np.random.default_rng(1)
    for length in (0, 1, 2, 9216):
        content = rng.bytes(length)
        out = subprocess.run([tmp_path / "crc"], input=content, capture_output=True, check=True).stdout
        assert int(out, 16) == zlib.crc32(content)


def test_ring_never_loses_order(tmp_path):
    program = build(tmp_path, "ring_main.c", with_fake=False)
    assert subprocess.run([program]).returncode == 0


def test_a_million_bad_inputs(tmp_path):
    program = build(tmp_path, "fuzz_main.c", optimise="-O2")
    done = subprocess.run([program, "1000000", "12345"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    assert done.stdout.startswith("1000000 inputs")


def test_every_header_stands_alone(tmp_path):
    common = deploy_dir() / "common"
    kernels = deploy_dir().parent / "tinytracker" / "codegen" / "c"
    for header in sorted(common.glob("*.h")):
        if header.name == "tt_app.h":  # needs the generated model.h
            continue
        source = tmp_path / "alone.c"
        source.write_text(f'#include "{header.name}"\n#include "{header.name}"\nextern int unit;\n')
        command = ["gcc", *STRICT, "-fsyntax-only", "-I", common, "-I", kernels, source]
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


def test_no_parts_include_each_other_in_a_circle():
    """A .c file and its header are one part."""
    parts: dict[str, set[str]] = {}
    for file in (deploy_dir() / "common").glob("*.[ch]"):
        included = re.findall(r'#include "(\w+)\.h"', file.read_text())
        parts.setdefault(file.stem, set()).update(name for name in included if name != file.stem)
    assert "tt_commands_own" in parts["tt_session"]
    TopologicalSorter(parts).prepare()  # raises CycleError
