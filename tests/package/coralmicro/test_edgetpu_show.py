"""Reading compiled files: what was written is what is read; garbage ends in a sentence; each trap is seen."""

import json
import random
import struct

import pytest
from click.testing import CliRunner
from flatbuffers import flexbuffers
from hypothesis import given
from hypothesis import strategies as st
from support.edgetpu_builder import (
    EXECUTION_ONLY,
    INPUT,
    OUTPUT,
    PAGE,
    PARAMETER,
    SIGNED_FIXED_POINT8,
    STAND_ALONE,
    E,
    H,
    L,
    build_bare_options,
    build_options,
    build_package,
    compiled_net,
    gaze_executables,
)
from support.tflite_nets import NetBuilder

from tinytracker.errors import InputFileError, ModelError
from tinytracker.flatbuffer import DamagedError, Table
from tinytracker.package.coralmicro.edgetpu.compiled import read_compiled
from tinytracker.package.coralmicro.edgetpu.executable import MARK, read_package
from tinytracker.package.coralmicro.edgetpu.flexbuffer import read_map
from tinytracker.package.coralmicro.edgetpu.show import describe
from tinytracker.package.coralmicro.edgetpu.traps import TRAPS, traps


def test_what_was_written_is_what_is_read():
    model = read_compiled(compiled_net())
    (operator,) = model.tpu_operators
    assert operator.package.min_runtime_version == 14
    assert operator.package.compiler_version == "cl/"
    assert operator.package.signature_bytes == 0
    running, caching = operator.package.executables
    assert (caching.type, running.type) == ("PARAMETER_CACHING", "EXECUTION_ONLY")
    assert (caching.chip, caching.caching_token, caching.batch_size) == ("beagle", 0x1234, 1)
    assert running.instruction_bytes == (320, 80)
    (image,), (gaze,) = running.inputs, running.outputs
    assert (image.name, image.shape, image.padded_bytes, image.scale, image.zero_point, image.executions) == (
        "image", (16, 16, 1), 256, 1 / 128, 128, 1,
    )  # fmt: skip
    assert (gaze.data_type, gaze.padded_bytes) == ("FIXED_POINT8", 8)
    kinds = [h.kind for h in running.hints]
    assert kinds == ["instructions", "input", "instructions", "output", "interrupt"]
    assert (model.cached_bytes, model.streamed_bytes) == (4096, 0)
    assert (model.instruction_bytes, model.input_bytes, model.output_bytes) == (400, 256, 8)
    assert model.transferred_bytes == 664
    assert traps(model) == ()


def test_the_builder_writes_the_layout_of_real_files():
    """Only the package is marked, everything is whole pages, and parameters begin on one."""
    package = build_package(gaze_executables(b"\x11" * 5000, b"\x22" * 100))
    assert (package[4:8], len(package) % PAGE) == (MARK, 0)
    executables = Table.root(package).content(1)
    assert (executables[:8].count(0) >= 6, executables[4:8], len(executables) % PAGE) == (True, bytes(4), 0)
    for executable, filled in zip(
        Table.root(executables).contents(0), (b"\x22" * 100, b"\x11" * 5000), strict=True
    ):
        assert (executable[4:8], len(executable) % PAGE) == (bytes(4), 0)
        assert executable.index(filled) % PAGE == 0


def test_the_mark_is_demanded_of_the_package_and_of_nothing_else():
    package = bytearray(build_package(gaze_executables()))
    package[4:8] = bytes(4)
    with pytest.raises(DamagedError, match="not have the mark DWN1"):
        read_package(bytes(package))


@pytest.mark.parametrize("generation", [1, 2, 16])
def test_maps_of_all_compiler_generations_are_read(generation):
    options = build_options(build_package(gaze_executables(), 10, "cl/262451479"), generation=generation)
    model = read_compiled(compiled_net(options=options))
    assert model.tpu_operators[0].package.compiler_version == "cl/262451479"
    assert (model.cached_bytes, traps(model)) == (4096, ())


def test_files_of_compilers_before_1_0_are_named_as_such():
    options = build_bare_options(*gaze_executables())
    with pytest.raises(
        InputFileError, match=r"cannot be read \(it has the layout of compilers before version 1.0\)"
    ):
        read_compiled(compiled_net(options=options))


def test_large_networks_have_several_instruction_streams_fences_and_scratch():
    running, caching = gaze_executables(streamed=b"\x22" * 100)
    running.instructions = (b"\x55" * 64, b"\x66" * 32, b"\x77" * 16)
    running.hints = [
        H(chunk=0), H(128, INPUT, "image"), H(fence=True), H(128, INPUT, "image", offset=128), H(chunk=1),
        H(100, PARAMETER), H(chunk=2), H(8, OUTPUT, "gaze"), H(),
    ]  # fmt: skip
    running.scratch, running.cycles = 672, 1_428_960
    model = read_compiled(compiled_net([running, caching]))
    (found,) = model.tpu_operators[0].running
    kinds = [h.kind for h in found.hints]
    assert kinds == [
        "instructions", "input", "fence", "input", "instructions", "parameters", "instructions", "output", "interrupt",
    ]  # fmt: skip
    assert (model.instruction_bytes, model.input_bytes, model.streamed_bytes) == (112, 256, 100)
    assert (found.scratch_bytes, found.estimated_cycles) == (672, 1_428_960)


def test_a_stand_alone_executable_is_read():
    """What compilers make of networks without parameters."""
    image = L("image", (16, 16, 1))
    alone = E(STAND_ALONE, inputs=[image], outputs=[image], hints=[H(chunk=0), H(256, INPUT, "image"), H()])
    model = read_compiled(compiled_net([alone]))
    assert (model.cached_bytes, model.streamed_bytes, model.input_bytes) == (0, 0, 256)


def test_streamed_parameters_and_stand_alone_executables_count_per_inference():
    model = read_compiled(compiled_net([E(STAND_ALONE, b"\x01" * 700)]))
    assert (model.cached_bytes, model.streamed_bytes) == (0, 700)


def test_further_packages_are_counted():
    package = build_package(gaze_executables())
    (operator,) = read_compiled(compiled_net(further=[package, package])).tpu_operators
    assert operator.further_packages == 2


@given(
    st.dictionaries(
        st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=8),
        st.one_of(
            st.integers(-(2**63), 2**63 - 1),
            st.binary(max_size=300),
            st.lists(st.integers(-5, 70_000), max_size=6),
        ),
        max_size=8,
    )
)
def test_flexbuffer_maps_read_as_the_library_wrote_them(entries):
    b = flexbuffers.Builder()
    with b.Map():
        for key, value in entries.items():
            if isinstance(value, int):
                b.Int(key, value)
            elif isinstance(value, bytes):
                b.Key(key)
                b.Blob(value)
            else:
                with b.Vector(key):
                    for v in value:
                        b.Int(v)
    found = read_map(bytes(b.Finish()))
    assert found == {k: tuple(v) if isinstance(v, list) else v for k, v in entries.items()}


def two_inputs() -> bytes:
    return compiled_net(inputs=2)


def with_running(**changes) -> bytes:
    running, caching = gaze_executables()
    for name, value in changes.items():
        setattr(running, name, value)
    return compiled_net([running, caching])


TRAPPED = {
    "one-tpu-operator": (lambda: compiled_net(operators=2), "2 edgetpu-custom-op"),
    "one-input": (two_inputs, "2 inputs"),
    "signed-input-in-one-transfer": (
        lambda: compiled_net(gaze_executables(io=SIGNED_FIXED_POINT8, input_pieces=2), dtype="int8"),
        "comes in 2 transfers",
    ),
    "unsigned-input": (
        lambda: compiled_net(gaze_executables(io=SIGNED_FIXED_POINT8), dtype="int8"),
        "SIGNED_FIXED_POINT8",
    ),
    "transfers-are-complete": (lambda: with_running(deterministic=False), "not fully deterministic"),
    "chip-is-edge-tpu": (lambda: with_running(chip="abrolhos"), "compiled for 'abrolhos'"),
    "runtime-is-known": (lambda: compiled_net(min_runtime=15), "needs runtime 15"),
    "rest-is-registered": (lambda: cpu_rest("TANH"), "on the CPU: TANH"),
    "everything-on-chip": (lambda: compiled_net(dequantize=True), "1 on the CPU: DEQUANTIZE"),
    "parameters-are-cached": (
        lambda: compiled_net(gaze_executables(streamed=bytes(5000))), "5,000 bytes are streamed"),
}  # fmt: skip


def cpu_rest(code: str) -> bytes:
    """A compiled file with one more operator behind the chip's part."""
    from support.tflite_builder import Op, T, build_tflite

    options = build_options(build_package(gaze_executables()))
    tensors = [
        T((1, 16, 16, 1), "uint8", (1 / 128,), (128,)),
        *(T((1, 2), "uint8", (0.1,), (120,)) for _ in "ab"),
    ]
    ops = [Op("CUSTOM:edgetpu-custom-op", [0], [1], version=1, custom_options=options), Op(code, [1], [2])]
    return build_tflite(tensors, ops, [0], [2])


def test_there_is_a_test_for_every_trap():
    assert set(TRAPPED) == {t.name for t in TRAPS}


@pytest.mark.parametrize("name", TRAPPED)
def test_each_trap_is_seen(name):
    make, found = TRAPPED[name]
    verdicts = {v.rule: v for v in traps(read_compiled(make()))}
    assert found in verdicts[name].found
    allowed = {name, "everything-on-chip", "unsigned-input"}
    assert set(verdicts) <= allowed


def test_a_file_that_was_not_compiled_is_told_how_to():
    net = NetBuilder((1, 8, 8, 3))
    net.conv(4, 3, 2)
    with pytest.raises(InputFileError, match="not compiled for the Edge TPU"):
        read_compiled(net.build())


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (b"", "too few for a FlexBuffer"),
        (b"\x01\x02\x03\x04\x05", "cannot be read"),
        (build_options(b"short"), "not have the mark DWN1"),
        (build_options(build_package([])), "has no executables"),
        (build_options(build_package([E(7)])), "executable type 7"),
        (build_options(build_package([E(EXECUTION_ONLY, hints=[H(chunk=3)])])), "instruction stream 3 of 1"),
        (build_options(build_package([E(EXECUTION_ONLY, hints=[H(-1, INPUT)])])), "-1 bytes in a transfer"),
        (build_options(build_package([E(0, inputs=[L("a", (1, 1, 1), 77)])])), "data type 77"),
        (
            build_options(build_package([E(0, inputs=[L("a", (1, 1, 1), 0, float("nan"))])])),
            "a number is nan, not finite",
        ),
    ],
)
def test_wrong_contents_are_sentences(options, sentence):
    with pytest.raises(InputFileError, match=sentence):
        read_compiled(compiled_net(options=options))


def test_ten_thousand_mutations_end_in_a_description_or_a_sentence():
    """All damage lies inside the compiled part; the .tflite around it has its own test."""
    good = build_options(build_package(gaze_executables(b"\x11" * 64)))
    rng = random.Random(11)
    refused = 0
    for _ in range(10_000):
        bad = bytearray(good)
        for _ in range(rng.choice((1, 1, 2, 8))):
            position = rng.randrange(len(bad) - 8)
            kind = rng.randrange(4)
            if kind == 0:
                bad[position] = rng.randrange(256)
            elif kind == 1:
                extreme = rng.choice((0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF))
                bad[position : position + 4] = struct.pack("<I", extreme)
            elif kind == 2:
                bad[position] ^= 1 << rng.randrange(8)
            else:
                del bad[rng.randrange(16, len(bad)) :]
                bad += good[-24:]
        try:
            package = read_map(bytes(bad)).get("4")
            if not isinstance(package, bytes):
                raise DamagedError("no package")
            read_package(package)
        except DamagedError:
            refused += 1
    assert 3_000 < refused < 9_900  # the damage reaches the structure, and some of it only weights


def test_mutated_files_never_crash_the_description():
    good = compiled_net(gaze_executables(b"\x11" * 64))
    rng = random.Random(5)
    for _ in range(1_000):
        bad = bytearray(good)
        bad[rng.randrange(len(bad))] ^= 1 << rng.randrange(8)
        try:
            json.dumps(describe(read_compiled(bytes(bad))), allow_nan=False)
        except (InputFileError, ModelError):
            continue


def test_every_cut_is_refused():
    package = build_package(gaze_executables(b"\x11" * 64))
    for length in range(len(package)):
        try:
            cut = read_package(package[:length])
        except DamagedError:
            continue
        assert cut == read_package(package)  # only padding was lost
    options = build_options(package)
    for length in range(0, len(options), 3):
        with pytest.raises(DamagedError):
            read_package(read_map(options[:length]).get("4") or b"")


def test_the_verb_prints_json_and_a_table(tmp_path):
    from tinytracker.cli.main import cli

    path = tmp_path / "x_edgetpu.tflite"
    path.write_bytes(compiled_net(dequantize=True))
    result = CliRunner().invoke(cli, ["edgetpu", "show", str(path), "--json"])
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert document["cached_bytes"] == 4096
    assert [w["rule"] for w in document["warnings"]] == ["everything-on-chip"]
    result = CliRunner().invoke(cli, ["edgetpu", "show", str(path)])
    assert "EXECUTION_ONLY" in result.stdout
    assert "warns: everything-on-chip: 1 on the CPU: DEQUANTIZE." in result.stdout
