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
    SIGNED_FIXED_POINT8,
    STAND_ALONE,
    E,
    H,
    L,
    build_options,
    build_package,
    compiled_net,
    gaze_executables,
)
from support.tflite_nets import NetBuilder

from tinytracker.errors import InputFileError, ModelError
from tinytracker.package.coralmicro.edgetpu.compiled import read_compiled
from tinytracker.package.coralmicro.edgetpu.executable import read_package
from tinytracker.package.coralmicro.edgetpu.flatbuffer import DamagedError
from tinytracker.package.coralmicro.edgetpu.flexbuffer import read_map
from tinytracker.package.coralmicro.edgetpu.show import describe
from tinytracker.package.coralmicro.edgetpu.traps import TRAPS, traps


def test_what_was_written_is_what_is_read():
    model = read_compiled(compiled_net())
    (operator,) = model.tpu_operators
    assert operator.package.min_runtime_version == 14
    assert operator.package.compiler_version == "cl/343520747"
    assert operator.package.signature_bytes == 64
    caching, running = operator.package.executables
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
    caching, running = gaze_executables()
    for name, value in changes.items():
        setattr(running, name, value)
    return compiled_net([caching, running])


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
    "rest-is-registered": (lambda: cpu_rest("TANH"), "left to the CPU: TANH"),
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
        (b"", "are no FlexBuffer"),
        (b"\x01\x02\x03\x04\x05", "is damaged"),
        (build_options(b"short"), "without the mark DWN1"),
        (build_options(build_package([])), "without executables"),
        (build_options(build_package([E(7)])), "executable type 7"),
        (build_options(build_package([E(EXECUTION_ONLY, hints=[H(chunk=3)])])), "instruction stream 3 of 1"),
        (build_options(build_package([E(EXECUTION_ONLY, hints=[H(-1, INPUT)])])), "-1 bytes in a transfer"),
        (build_options(build_package([E(0, inputs=[L("a", (1, 1, 1), 77)])])), "data type 77"),
        (build_options(build_package([E(0, inputs=[L("a", (1, 1, 1), 0, float("nan"))])])), "scale nan"),
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


def test_strings_that_share_bytes_do_not_multiply_work():
    """Many executables that all point at the same bytes must not be decoded one by one."""
    import flatbuffers

    from tinytracker.package.coralmicro.edgetpu.flatbuffer import Table

    b = flatbuffers.Builder(1024)
    text = b.CreateString(b"x" * 5_000)
    b.StartVector(4, 5_000, 4)
    for _ in range(5_000):
        b.PrependUOffsetTRelative(text)
    vector = b.EndVector()
    b.StartObject(1)
    b.PrependUOffsetTRelativeSlot(0, vector, 0)
    b.Finish(b.EndObject())
    with pytest.raises(DamagedError, match="overlap"):
        Table.root(bytes(b.Output())).contents(0)


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
