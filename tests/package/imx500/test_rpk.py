"""The `.rpk` format: round trips, damage, and the judgement of the sensor's driver."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from support.rpk_samples import XML, packages, write_packer_output

from tinytracker.errors import InputFileError, TinyTrackerError, UnknownNameError
from tinytracker.package.imx500.rpk import Register, Rpk, RpkError, describe, encode, pack, parse, verify
from tinytracker.package.imx500.rpk.packer_output import parse_tensors
from tinytracker.package.imx500.rpk.registers import registers_for
from tinytracker.package.imx500.rpk.sections import BLOCK_BYTES, pad, swap_words

PINNED = "e4146ae752ee99857d5ce2488a1b1dd84e360cbb41c70b659491344e16fac5e5"


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("rpk") / "packerOut.zip"
    return pack(write_packer_output(path), intrinsics={"inference_rate": 30.0})


@given(packages())
@settings(max_examples=200, deadline=None)
def test_parse_inverts_encode(rpk: Rpk) -> None:
    assert parse(encode(rpk)) == rpk


def test_pack_carries_the_converter_output(small: bytes) -> None:
    rpk = verify(small)
    (image,), (gaze,) = rpk.network.inputs, rpk.network.outputs
    assert (image.shape, image.scale, image.unsigned, image.persistency) == ((3, 112, 112), 1 / 128, False, 1)
    assert gaze.name == "a_name_of_more_than_twenty_characters:0"[-20:]
    assert rpk.firmware.config_a.data == pad(bytes(range(50)))
    assert rpk.firmware.config_a.address == 0x4500_0000
    assert rpk.firmware.coefficients.data == pad(bytes(i * 7 & 0xFF for i in range(100)))
    assert rpk.firmware.coefficients.address == 0x479F800 + 0x4000_0000
    assert rpk.intrinsics == {"inference_rate": 30.0}
    assert rpk.network_info["inputTensorWidth"] == "112"


def test_bytes_are_pinned(small: bytes) -> None:
    # The writer of these bytes rebuilt a public package from its converter output with an identical sha256
    # (docs/imx500.md); this hash keeps it so.
    assert hashlib.sha256(small).hexdigest() == PINNED


def test_bytes_do_not_depend_on_dates(tmp_path: Path, small: bytes) -> None:
    later = write_packer_output(tmp_path / "later.zip", date=(2031, 12, 31, 23, 59, 58))
    assert pack(later, intrinsics={"inference_rate": 30.0}) == small


def test_every_truncation_is_refused(small: bytes) -> None:
    for length in range(len(small)):
        with pytest.raises(RpkError):
            verify(small[:length])


def test_every_missing_byte_is_refused(small: bytes) -> None:
    for position in range(len(small)):
        with pytest.raises(RpkError):
            verify(small[:position] + small[position + 1 :])


def test_mutations_are_read_or_refused_but_never_crash(small: bytes) -> None:
    generator = random.Random(500)
    accepted, sentences = 0, set()
    for _ in range(10_000):
        mutant = bytearray(small)
        for _ in range(generator.choice((1, 1, 1, 2, 8))):
            mutant[generator.randrange(len(mutant))] = generator.choice(
                (0, 1, 0x7F, 0x80, 0xFF, generator.randrange(256))
            )
        if generator.random() < 0.2:
            start = generator.randrange(len(mutant))
            del mutant[start : start + generator.choice((4, 16, 64))]
        try:
            describe(verify(bytes(mutant)))
            accepted += 1
        except RpkError as error:
            sentences.add(str(error))
    assert all(sentences)
    assert 0 < accepted < 10_000  # opaque program bytes may change unseen; structure may not


def test_coefficients_span_blocks(tmp_path: Path) -> None:
    size = 2 * BLOCK_BYTES + 12_345
    data = pack(write_packer_output(tmp_path / "big.zip", coefficients=size))
    assert [data[i * BLOCK_BYTES :][:4] for i in range(3)] == [b"9464"] * 3
    assert [data[(i + 1) * BLOCK_BYTES - 4 :][:4] for i in range(2)] == [b"3695"] * 2
    assert [data[i * BLOCK_BYTES + 8 :][:4] for i in range(3)] == [bytes((0, 3, 0, i + 1)) for i in range(3)]
    assert len(parse(data).firmware.coefficients.data) == -(-size // 16) * 16
    # A whole block may be lost in a copy: the count in the header tells.
    with pytest.raises(RpkError, match="block 2"):
        verify(data[:BLOCK_BYTES] + data[2 * BLOCK_BYTES :])


def test_program_that_overflows_the_first_block_is_refused(small: bytes) -> None:
    rpk = parse(small)
    program = dataclasses.replace(rpk.firmware.program_a, data=bytes(BLOCK_BYTES))
    big = dataclasses.replace(rpk, firmware=dataclasses.replace(rpk.firmware, program_a=program))
    with pytest.raises(RpkError, match="block 1: the network's program takes"):
        encode(big)


def test_padding_of_other_tools_is_accepted(small: bytes) -> None:
    assert verify(small + bytes(512)) == verify(small)
    with pytest.raises(RpkError, match="follow the end"):
        verify(small + b"\0\0\0\1")


@pytest.mark.parametrize(
    ("format", "order", "offset", "k00", "clip"),
    [("signed", "RGB", 0x1800, 0x400, 0x7F0180), ("unsigned", "BGR", 0, 0, 0xFF0000)],
)
def test_registers_follow_sign_and_order(
    tmp_path: Path, format: str, order: str, offset: int, k00: int, clip: int
) -> None:
    path = write_packer_output(tmp_path / "p.zip", format=format)
    rpk = verify(pack(path, order=order))  # type: ignore[arg-type]
    values = {r.address: r.value for r in rpk.registers}
    assert (values[0xD772], values[0xD76C], values[0xD784]) == (offset, k00, clip)
    assert len(rpk.registers) == 56
    assert rpk.network_info["inputTensorFormat"] == order


def test_line_counts(tmp_path: Path) -> None:
    # 112 x 112 x 3 with rows padded to 128: 43,008 bytes are 16.8 lines; one more line carries the header.
    values = {r.address: r.value for r in verify(pack(write_packer_output(tmp_path / "p.zip"))).registers}
    assert (values[0x305E], values[0x3060]) == (18, 2)


def test_too_many_lines_are_refused(tmp_path: Path) -> None:
    path = write_packer_output(tmp_path / "p.zip", width=1280, height=2000)
    with pytest.raises(RpkError, match="limit is 2045"):
        pack(path)


@pytest.mark.parametrize(
    ("register", "message"),
    [
        (Register(0x0100, 1, 1), "0x0100: the address is outside the driver's list"),
        (Register(0xD76C, 1, 0), "the width is 1 bytes; 4 or 2 is allowed"),
        (Register(0xD76C, 2, 0x1000), "the value 0x1000 has bits outside 0xfff"),
        (Register(0xD750, 1, 6), "the value 0x6 has bits outside"),
        (Register(0x305E, 2, 2046), "2046 lines; the limit is 2045"),
        (Register(0xD708, 4, 0), "the width is 4 bytes; 2 is allowed"),
    ],
)
def test_registers_outside_the_drivers_list_are_refused(
    small: bytes, register: Register, message: str
) -> None:
    rpk = parse(small)
    damaged = dataclasses.replace(rpk, registers=(*rpk.registers[:-2], register, *rpk.registers[-2:]))
    with pytest.raises(RpkError, match=message):
        verify(encode(damaged))


def test_wrong_line_count_is_refused(small: bytes) -> None:
    rpk = parse(small)
    damaged = dataclasses.replace(rpk, registers=(*rpk.registers[:-1], Register(0x3060, 2, 3)))
    with pytest.raises(RpkError, match="0x3060: the value is 3, but the tensors take 2"):
        verify(encode(damaged))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("inputTensorWidth", "113"),
        ("inputTensorFormat", "YUV"),
        ("inputTensorNorm_K00", "12"),
        ("networkNum", "2"),
    ],
)
def test_wrong_network_info_is_refused(small: bytes, key: str, value: str) -> None:
    rpk = parse(small)
    with pytest.raises(RpkError, match=key):
        verify(encode(dataclasses.replace(rpk, network_info={**rpk.network_info, key: value})))


def test_missing_network_info_is_refused(small: bytes) -> None:
    rpk = parse(small)
    info = {k: v for k, v in rpk.network_info.items() if k != "inputTensorHeight"}
    with pytest.raises(RpkError, match="inputTensorHeight missing"):
        verify(encode(dataclasses.replace(rpk, network_info=info)))


def test_memory_overflow_is_refused(small: bytes) -> None:
    rpk = parse(small)
    memory = dataclasses.replace(rpk.memory, runtime=8_388_480)
    with pytest.raises(RpkError, match="the sensor has 8388480"):
        verify(encode(dataclasses.replace(rpk, memory=memory)))


def test_disagreeing_parameters_are_refused(small: bytes) -> None:
    # The scale is stored twice; damage one of them.
    scale = swap_words(bytes.fromhex("0000003c"))  # 1/128 as little-endian float32
    position = small.index(scale)
    with pytest.raises(RpkError, match="ap_params"):
        verify(small[:position] + b"\x3d" + small[position + 1 :])


@pytest.mark.parametrize(
    "intrinsics",
    [
        {"task": "gaze"},
        {"inference_rate": -1},
        {"inference_rate": True},
        {"cpu": {"softmax": 1}},
        {"cpu": {"bbox_order": "zz"}},
        {"cpu": 3},
        {"input_aspect_ratio": {"width": 1}},
        {"classes": {"labels": [1]}},
        {"classes": {"ignore_undefined": 0}},
    ],
)
def test_intrinsics_that_picamera2_refuses(tmp_path: Path, intrinsics: dict[str, object]) -> None:
    with pytest.raises(RpkError, match="network_intrinsics"):
        pack(write_packer_output(tmp_path / "p.zip"), intrinsics=intrinsics)


@pytest.mark.parametrize(
    ("replace", "message"),
    [
        ({"cfgA.bin": None}, "cfgA.bin is missing"),
        ({"cfgA.bin": b"damaged"}, "checksum of cfgA.bin"),
        ({"manifest.json": b"{"}, "manifest or dnnParams.xml is invalid"),
        ({"manifest.json": b"[]"}, "manifest or dnnParams.xml is invalid"),
        ({"dnnParams.xml": b"<a/>"}, "checksum of dnnParams.xml"),
    ],
)
def test_damaged_converter_output_is_refused(
    tmp_path: Path, replace: dict[str, bytes | None], message: str
) -> None:
    with pytest.raises(InputFileError, match=message):
        pack(write_packer_output(tmp_path / "p.zip", replace=replace))


def test_missing_and_foreign_converter_output(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="no such file"):
        pack(tmp_path / "none.zip")
    (tmp_path / "text.zip").write_text("hello")
    with pytest.raises(InputFileError, match="zip archive"):
        pack(tmp_path / "text.zip")


def test_mutated_converter_output_never_crashes(tmp_path: Path) -> None:
    original = write_packer_output(tmp_path / "p.zip").read_bytes()
    generator = random.Random(1)
    for _ in range(1000):
        mutant = bytearray(original)
        for _ in range(generator.choice((1, 2, 6))):
            mutant[generator.randrange(len(mutant))] = generator.randrange(256)
        path = tmp_path / "mutant.zip"
        path.write_bytes(mutant)
        with contextlib.suppress(TinyTrackerError):
            pack(path)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'size="112"', b'size="70000"'),
        (b'scale="0.0078125"', b'scale="1e99"'),
        (b'shift="0"', b'shift="-1"'),
        (b'format="signed"', b'format="float"'),
        (b'name="sample"', b""),
    ],
)
def test_tensors_that_do_not_fit_the_format(old: bytes, new: bytes) -> None:
    xml = XML.format(format="signed", width=112, height=112, coefficients=1).encode()
    assert old in xml
    with pytest.raises((ValueError, KeyError, OverflowError)):
        parse_tensors(xml.replace(old, new))


def test_unknown_color_order(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="Unknown colour order 'RGBA'"):
        pack(write_packer_output(tmp_path / "p.zip"), order="RGBA")  # type: ignore[arg-type]


def test_description_is_json(small: bytes) -> None:
    said = json.loads(json.dumps(describe(parse(small))))
    assert said["converter_version"] == "3.19.1"
    assert said["networks"][0]["outputs"][0]["bits"] == 16
    assert said["lines"] == {"bytes": 2560, "input": 18, "output": 2}
    assert said["memory"]["used"] == 100 + 1024 + 2048
    assert said["registers"][0] == {"address": "0xD750", "width": 1, "value": "0x02"}


def test_all_written_registers_are_allowed(small: bytes) -> None:
    rpk = verify(small)
    assert rpk.registers == registers_for(rpk.network, "RGB")
