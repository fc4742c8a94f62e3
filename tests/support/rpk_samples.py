"""Packages for tests: a made-up converter output, and a strategy of whole packages."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from pathlib import Path

from hypothesis import strategies as st

from tinytracker.package.imx500.rpk import (
    Dimension,
    Firmware,
    Memory,
    Part,
    Register,
    Rpk,
    RpkNetwork,
    Tensor,
)
from tinytracker.package.imx500.rpk.codec import rpk_from
from tinytracker.package.imx500.rpk.packer_output import PackerOutput
from tinytracker.package.imx500.rpk.params import encode_ap_params

XML = """<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<dnnParams><networks><network name="sample" ordinal="0" type=""><inputTensors>
<inputTensor persistency="1" ordinal="0" name="image:0" l2Offset="4096" numOfDimensions="3"
 bitsPerElement="8" shift="0" scale="0.0078125" format="{format}"><dimensions>
<dimension size="3" serializationOrder="2" ordinal="0" padding="0"/>
<dimension size="{height}" serializationOrder="1" ordinal="1" padding="0"/>
<dimension size="{width}" serializationOrder="0" ordinal="2" padding="16"/></dimensions></inputTensor>
</inputTensors><outputTensors>
<outputTensor ordinal="0" name="a_name_of_more_than_twenty_characters:0" l2Offset="8192" numOfDimensions="1"
 bitsPerElement="16" shift="0" scale="0.0003" format="signed"><dimensions>
<dimension size="2" serializationOrder="0" ordinal="0" padding="0"/></dimensions></outputTensor>
</outputTensors></network></networks>
<l2memory totalSize="8388480" coefficientsSize="{coefficients}" reservedMemorySize="1024"
 networksRuntimeSize="2048"/></dnnParams>"""


def write_packer_output(
    path: Path,
    *,
    format: str = "signed",
    width: int = 112,
    height: int = 112,
    coefficients: int = 100,
    date: tuple[int, int, int, int, int, int] = (2026, 1, 2, 3, 4, 6),
    replace: dict[str, bytes | None] | None = None,
) -> Path:
    """A `packerOut.zip` of the layout that the converter writes, with made-up binary parts.

    `replace` swaps members after the checksums were made; None drops one.
    """
    xml = XML.format(format=format, width=width, height=height, coefficients=coefficients)
    members = {
        "cfgA.bin": bytes(range(50)),
        "cfgC.bin": b"\1\2\3\4",
        "sdpsA.bin": b"A" * 64,
        "sdpsC.bin": b"C" * 20,
        "l2staticData.bin": bytes(i * 7 & 0xFF for i in range(coefficients)),
        "dnnParams.xml": xml.encode(),
        "dnnParams.xsd": b"<xsd/>",
        "verTable.txt": b"versions",
    }
    entries = {
        "SdspA": ("0x5040000", "sdpsA.bin"),
        "SdspC": ("0x6080000", "sdpsC.bin"),
        "CfgBank1": ("0x5000000", "cfgA.bin"),
        "CfgBank2": ("0x6000000", "cfgC.bin"),
        "xml": ("NA", "dnnParams.xml"),
        "xmlSchema": ("NA", "dnnParams.xsd"),
        "coef": ("0x479f800", "l2staticData.bin"),
    }
    manifest = {"Release Version": "3.19.1", "Date Info": str(date), "Target": "IMX500"} | {
        key: {"LoadAddr": address, "File": file, "md5": hashlib.md5(members[file]).hexdigest().upper()}
        for key, (address, file) in entries.items()
    }
    members["manifest.json"] = json.dumps(manifest).encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in (members | (replace or {})).items():
            if data is not None:
                archive.writestr(zipfile.ZipInfo(name, date), data)
    path.write_bytes(buffer.getvalue())
    return path


u8, u16, u32 = st.integers(0, 0xFF), st.integers(0, 0xFFFF), st.integers(0, 0xFFFF_FFFF)
names = st.text(st.characters(codec="utf-8"), max_size=20)
finite_float32 = st.floats(width=32, allow_nan=False, allow_infinity=False).map(
    lambda v: v + 0.0
)  # no minus zero
dimensions = st.builds(Dimension, ordinal=u8, size=u16, serialization=u8, padding=u8)


def tensors(persistency: st.SearchStrategy[int]) -> st.SearchStrategy[tuple[Tensor, ...]]:
    one = st.builds(
        Tensor,
        ordinal=u8,
        name=names,
        dimensions=st.lists(dimensions, max_size=4).map(tuple),
        bits=u8,
        shift=u16,
        scale=finite_float32,
        unsigned=st.booleans(),
        l2_offset=u32,
        persistency=persistency,
    )
    several = st.lists(one, min_size=1, max_size=3, unique_by=lambda t: t.ordinal)
    return several.map(lambda ts: tuple(sorted(ts, key=lambda t: t.ordinal)))


networks = st.builds(
    RpkNetwork, ordinal=u8, name=names, type=names, inputs=tensors(u8), outputs=tensors(st.just(0))
)
parts = st.builds(
    Part, address=u32.filter(lambda a: a < 0xF000_0000), data=st.binary(max_size=5).map(lambda b: b * 16)
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
intrinsics = st.none() | st.fixed_dictionaries(
    {},
    optional={
        "inference_rate": st.integers(0, 240) | st.floats(0, 240),
        "task": st.sampled_from(["classification", "segmentation"]),
        "input_aspect_ratio": st.fixed_dictionaries(
            {"width": st.integers(1, 9), "height": st.integers(1, 9)}
        ),
        "classes": st.fixed_dictionaries({"labels": st.lists(st.text(max_size=5), max_size=3)}),
        "own": json_values,
    },
)
info_text = st.text("abcXYZ019_.", min_size=1, max_size=12)


@st.composite
def packages(draw: st.DrawFn) -> Rpk:
    """Any package that the format can hold, sensible or not."""
    nets = tuple(draw(st.lists(networks, min_size=1, max_size=2)))
    info = draw(st.dictionaries(info_text, info_text, max_size=5))
    info["apParamSize"] = str(len(encode_ap_params(nets)))
    digits = st.text("0123456789", min_size=6, max_size=6)
    return Rpk(
        converter_version=draw(digits),
        network_id=draw(digits),
        model_version=draw(digits)[:4],
        networks=nets,
        memory=draw(st.builds(Memory, u32, u32, u32, u32)),
        firmware=draw(st.builds(Firmware, parts, parts, parts, parts, parts)),
        registers=tuple(draw(st.lists(st.builds(Register, u16, u8, u32), max_size=5))),
        network_info=info,
        intrinsics=draw(intrinsics),
        extra_files=tuple(draw(st.lists(st.tuples(st.just("notes"), st.binary(max_size=9)), max_size=1))),
    )


def sample_package(output: PackerOutput, **intrinsics: object) -> Rpk:
    """The package of a made-up converter output."""
    return rpk_from(output, "RGB", intrinsics or None)
