"""Applications with a gate: Spresense's is complete and right in types, Coral's follows the gate of Python."""

import re
import shutil
import subprocess
import zlib

import numpy as np
import pytest
from firmware.test_spresense_app import check_syntax, small_net
from support.aim_nets import finder_net, patch_frame, patch_net
from support.coral_app import SANITIZE, SIZE, Board, make, write_header

from tinytracker.aim.answer import read_aim
from tinytracker.aim.controller import State
from tinytracker.cascade import flow
from tinytracker.cascade.device import Cascade
from tinytracker.cascade.document import CascadeSettings
from tinytracker.cascade.presence import Presence, PresenceSettings
from tinytracker.cascade.rule import GateSettings
from tinytracker.cascade.thresholds import Thresholds
from tinytracker.codegen.cascade_files import write_thresholds
from tinytracker.errors import ModelError, UsageError
from tinytracker.model.tflite_file import read_tflite
from tinytracker.package import package
from tinytracker.package.coralmicro import options as coral
from tinytracker.package.spresense import options as spresense
from tinytracker.package.spresense.app import GATE_MAKEFILE, write_app
from tinytracker.quant.contract import IoContract

GATE = GateSettings(longest=5, factor=40, floor=30, settle=1, shut=48, hold=4)
THRESHOLDS = Thresholds(GATE, PresenceSettings(patience=2, every=3), moved=55)
CAMERA = "-DCONFIG_TINYTRACKER_CAMERA=1"


def flags_of(app) -> list[str]:
    """The definitions that the application's Makefile gets."""
    assert f"-include network/{GATE_MAKEFILE}" in (app.directory / "Makefile").read_text()
    return re.findall(r"-D\S+", (app.directory / "network" / GATE_MAKEFILE).read_text())


@pytest.mark.parametrize("runtime", ["c", "tflm"])
def test_spresense_has_gate_and_network_in_one_image(tmp_path, runtime):
    app = write_app(patch_net(), tmp_path, runtime=runtime, arena_bytes=20_000, gate=THRESHOLDS)
    assert {"network/cascade.h", "common/tt_gated.c", "common/tt_flow.c"} <= set(app.files)
    numbers = ", ".join(map(str, THRESHOLDS.numbers().values()))
    assert f"{{ {numbers} }}" in (app.directory / "network" / "cascade.h").read_text()
    assert flags_of(app) == ["-DTT_CASCADE"]
    check_syntax(app.directory, "tinytracker_main.c", CAMERA, *flags_of(app))


def test_spresense_with_little_and_a_finder_has_one_arena(tmp_path):
    big, little = patch_net(3), patch_net(1)
    app = write_app(big, tmp_path, gate=THRESHOLDS, little=little, finder=finder_net())
    assert {"network/little.c", "network/model.c", "network/finder.c", "common/tt_arena.c"} <= set(app.files)
    network = app.directory / "network"
    arenas = [
        int(re.search(rf"{name.upper()}_ARENA_BYTES (\d+)", (network / f"{name}.h").read_text())[1])
        for name in ("model", "little", "finder")
    ]
    flags = flags_of(app)
    assert flags == ["-DTT_CASCADE", "-DTT_LITTLE", f"-DTT_SHARED_ARENA={max(arenas)}"]
    check_syntax(app.directory, "tinytracker_main.c", CAMERA, "-DTT_FINDER", *flags)
    for source in ("network/model.c", "network/little.c", "network/finder.c", "common/tt_arena.c"):
        check_syntax(app.directory, source, *flags)
    # An arena that is too small for one of them does not compile.
    small = f"-DTT_SHARED_ARENA={min(arenas) - 1}"
    command = ["gcc", "-std=c99", "-fsyntax-only", small, "-I", network, network / "model.c"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "TT_SHARED_ARENA is smaller than MODEL_ARENA_BYTES" in done.stderr


def test_a_package_says_what_its_gate_is(tmp_path):
    (tmp_path / "big.tflite").write_bytes(patch_net(3))
    (tmp_path / "little.tflite").write_bytes(patch_net(1))
    CascadeSettings(**vars(GATE), patience=2, every=3, moved_cm=1.5).write(tmp_path / "cascade.json")
    own = spresense.Options(
        runtime="c", kernels="portable", cascade=tmp_path / "cascade.json", little=tmp_path / "little.tflite"
    )
    made = package(tmp_path / "big.tflite", "spresense", tmp_path / "out", options=own)
    assert made.content["cascade"] == {
        "strategy": "flow, little", "thresholds": THRESHOLDS.numbers(),
        "little_sha256": read_tflite(patch_net(1)).sha256,
    }  # fmt: skip
    assert (made.folder / "tinytracker" / "network" / "little.c").is_file()
    assert "runs behind a gate" in (made.folder / "README.md").read_text()


def test_what_cannot_have_a_gate_is_refused(tmp_path):
    (tmp_path / "big.tflite").write_bytes(patch_net())
    (tmp_path / "plain.tflite").write_bytes(small_net())
    settings = CascadeSettings(**vars(GATE)).write(tmp_path / "cascade.json")
    with pytest.raises(ModelError, match="has no aim"):
        package(
            tmp_path / "plain.tflite", "spresense", tmp_path / "out",
            options=spresense.Options(runtime="c", cascade=settings),
        )  # fmt: skip
    own = spresense.Options(runtime="c", cascade=settings, little=tmp_path / "plain.tflite")
    with pytest.raises(ModelError, match="has no aim"):
        package(tmp_path / "big.tflite", "spresense", tmp_path / "out", options=own)
    own = spresense.Options(runtime="c", little=tmp_path / "big.tflite")
    with pytest.raises(UsageError, match="Without a gate, no network looks first"):
        package(tmp_path / "big.tflite", "spresense", tmp_path / "out", options=own)
    with pytest.raises(UsageError, match="--little does not go with --cores 3"):
        spresense.Options(runtime="c", cores=3, cascade=settings, little=settings)
    on_coral = coral.Options(runtime="c", cascade=settings)
    with pytest.raises(ModelError, match="has no aim"):
        package(tmp_path / "plain.tflite", "coralmicro", tmp_path / "out", options=on_coral)
    assert not (tmp_path / "out").exists()


needs_make = pytest.mark.skipif(
    shutil.which("g++") is None or shutil.which("make") is None, reason="needs g++ and make"
)


@needs_make
def test_coral_runs_the_gate_in_front_of_the_edge_tpu(tmp_path):
    """Paths are those of Python's gate for what the fake Edge TPU has answered; with nobody there, it hardly looks."""
    folder = write_header(tmp_path / "package", IoContract.of(read_tflite(patch_net())))
    write_thresholds(folder, THRESHOLDS)
    make(folder, tmp_path / "build", "host", SANITIZE)
    somebody, nobody = patch_frame(190, 170, 140, (SIZE, SIZE)), np.full((SIZE, SIZE, 3), 9, np.uint8)
    for frame, follows in ((somebody, True), (nobody, False)):
        board = Board(tmp_path / "build" / "tinytracker", tmp_path, frame)
        try:
            board.until_ready()
            hello = board.command("tt hello")
            lines = board.command("tt frame 30")[:-1]
        finally:
            board.close()
        numbers = ",".join(map(str, THRESHOLDS.numbers().values()))
        assert {"m-tt-protocol-[3]", f"m-tt-cascade-[flow,{numbers}]"} <= set(hello)
        paths = replayed(frame, [record(line) for line in lines])
        assert {2, 3} <= set(paths)
        assert (0 in paths) == follows


def record(line: str) -> tuple[bytes, list[int], list[int]]:
    """Outputs, aim and gate of a record."""
    body, crc = line[len("m-tt-frame-[") : -1].rsplit(",", 1)
    assert int(crc, 16) == zlib.crc32(body.encode())
    *_, outputs, aim, gated = body.split(",")
    return bytes.fromhex(outputs), [int(n) for n in aim.split(":")], [int(n) for n in gated.split(":")]


def replayed(frame: np.ndarray, records: list[tuple[bytes, list[int], list[int]]]) -> list[int]:
    """The same frames with Python's gate; returns the paths, which are those of the records."""
    cascade, presence = Cascade(SIZE, SIZE, GATE), Presence(THRESHOLDS.presence)
    controller, width, answer, paths = cascade.steering.controller, 0, b"", []
    for outputs, aim, (path, answered, *_) in records:
        region, expected = cascade.region, 3
        if presence.looks(following=controller.state == State.FOLLOWING):
            expected = 2 if cascade.look(flow.grey_strip(frame, region)) else 0
        assert path == expected
        if path == 2:
            answer, width = outputs, region.width
            cascade.answered(read_aim(np.frombuffer(outputs, np.int8)[16:].astype(int) + 128))
        elif path == 0:
            cascade.kept()
        assert (outputs, answered) == (answer, width)
        state = controller.state + 4 * controller.has_eyes
        assert aim == [region.x, region.y, region.width, state]
        paths.append(path)
    return paths


@pytest.mark.exhaustive
@needs_make
@pytest.mark.skipif(shutil.which("arm-none-eabi-g++") is None, reason="needs arm-none-eabi-g++")
def test_coral_with_a_gate_compiles_for_the_m7(tmp_path):
    folder = write_header(tmp_path / "package", IoContract.of(read_tflite(patch_net())))
    write_thresholds(folder, THRESHOLDS)
    printed = make(folder, tmp_path / "build", "arm")
    assert "tt_gated.o" in printed


@pytest.mark.exhaustive
@pytest.mark.skipif(shutil.which("arm-none-eabi-gcc") is None, reason="needs arm-none-eabi-gcc")
def test_every_file_of_the_gate_compiles_for_the_m4_without_a_warning(tmp_path):
    app = write_app(patch_net(), tmp_path, gate=THRESHOLDS, little=patch_net(3))
    from tinytracker.emulate.firmware import WARNING_FLAGS

    includes = ["-I", app.directory / "common", "-I", app.directory / "network"]
    options = ["-mcpu=cortex-m4", "-mthumb", "-std=c99", "-O2", *WARNING_FLAGS, *flags_of(app), *includes]
    for source in sorted((app.directory / "common").glob("*.c")):
        command = ["arm-none-eabi-gcc", *options, "-c", source, "-o", tmp_path / "out.o"]
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
