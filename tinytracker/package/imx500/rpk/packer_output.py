"""Reads the output of Sony's converter: `packerOut.zip` with a manifest, tensors as XML, and five binary parts."""

from __future__ import annotations

import hashlib
import json
import re
import struct
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from tinytracker.archives import DAMAGED
from tinytracker.errors import InputFileError
from tinytracker.files import StrPath
from tinytracker.package.imx500.rpk.layout import Dimension, Firmware, Memory, Part, RpkNetwork, Tensor
from tinytracker.package.imx500.rpk.sections import pad

_HINT = "Convert the network again."
_ADDRESS_BASE = 0x4000_0000
"""Start of the sensor's memory window, to which the manifest's load addresses are relative."""
_NAME_CHARS = 20
_MAX_MEMBER_BYTES = 64 << 20


@dataclass(frozen=True)
class PackerOutput:
    """Content of a `packerOut.zip`, without dates and checksums.

    Attributes:
        converter_version: six digits, two each for major, minor and patch.
        networks: networks with tensors in the converter's order.
        memory: use of the sensor's memory.
        firmware: the binary parts at their load addresses.
    """

    converter_version: str
    networks: tuple[RpkNetwork, ...]
    memory: Memory
    firmware: Firmware


def read_packer_output(path: StrPath) -> PackerOutput:
    """Read and check a `packerOut.zip`.

    Raises:
        InputFileError: the file is missing, not such an archive, or incomplete, or a checksum of its manifest is
            wrong.
    """
    path = Path(path)
    try:
        with zipfile.ZipFile(path) as archive:
            names = {info.filename: info for info in archive.infolist()}
            return _read(path, archive, names)
    except FileNotFoundError:
        raise InputFileError(path, "no such file", _HINT) from None
    except DAMAGED as error:
        raise InputFileError(path, f"cannot be read as a zip archive ({error})", _HINT) from None


def _read(path: Path, archive: zipfile.ZipFile, names: Mapping[str, zipfile.ZipInfo]) -> PackerOutput:
    def member(name: str) -> bytes:
        if name not in names:
            raise InputFileError(path, f"{name} is missing from the archive", _HINT)
        if names[name].file_size > _MAX_MEMBER_BYTES:
            raise InputFileError(
                path, f"{name} has {names[name].file_size} bytes; the limit is {_MAX_MEMBER_BYTES}", _HINT
            )
        return archive.read(name)

    try:
        manifest = json.loads(member("manifest.json"))
        version = _version(manifest["Release Version"])
        networks, memory = parse_tensors(_checked(path, manifest["xml"], member("dnnParams.xml")))
        config_a, config_c, program_a, program_c, coefficients = (
            _part(path, manifest[entry], member(file))
            for entry, file in (
                ("CfgBank1", "cfgA.bin"),
                ("CfgBank2", "cfgC.bin"),
                ("SdspA", "sdpsA.bin"),
                ("SdspC", "sdpsC.bin"),
                ("coef", "l2staticData.bin"),
            )
        )
    except (
        KeyError,
        ValueError,
        TypeError,
        AttributeError,
        ElementTree.ParseError,
        OverflowError,
        struct.error,
    ) as error:
        problem = f"its manifest or dnnParams.xml is invalid ({type(error).__name__}: {error})"
        raise InputFileError(path, problem, _HINT) from None
    return PackerOutput(
        version, networks, memory, Firmware(config_a, config_c, program_a, program_c, coefficients)
    )


def _version(text: str) -> str:
    match = re.match(r"(\d{1,2})\.(\d{1,2})\.(\d{1,2})", text)
    if not match:
        raise ValueError(f"release version {text!r}")
    return "".join(f"{int(part):02d}" for part in match.groups())


def _part(path: Path, entry: Mapping[str, Any], data: bytes) -> Part:
    address = int(entry["LoadAddr"], 16) + _ADDRESS_BASE
    if not 0 <= address <= 0xFFFF_FFFF:
        raise ValueError(f"load address {entry['LoadAddr']}")
    return Part(address, pad(_checked(path, entry, data)))


def _checked(path: Path, entry: Mapping[str, Any], data: bytes) -> bytes:
    if hashlib.md5(data, usedforsecurity=False).hexdigest() != str(entry["md5"]).lower():
        raise InputFileError(path, f"the checksum of {entry['File']} is wrong", _HINT)
    return data


def parse_tensors(xml: bytes) -> tuple[tuple[RpkNetwork, ...], Memory]:
    """Return the networks and memory of a `dnnParams.xml`.

    Raises:
        KeyError, ValueError, AttributeError, struct.error, xml.etree.ElementTree.ParseError: the file is not as
        expected.
    """
    root = ElementTree.fromstring(xml)
    networks = tuple(
        RpkNetwork(
            ordinal=_number(network.attrib["ordinal"], 8),
            name=network.attrib["name"],
            type=network.get("type", ""),
            inputs=_tensors(network, "inputTensors/inputTensor"),
            outputs=_tensors(network, "outputTensors/outputTensor"),
        )
        for network in root.findall("networks/network")
    )
    if not networks or not all(n.inputs and n.outputs for n in networks):
        raise ValueError("no network with an input and an output")
    memory = root.find("l2memory")
    if memory is None:
        raise ValueError("no l2memory")
    sizes = {name: _number(value, 32) for name, value in memory.attrib.items()}
    return networks, Memory(
        total=sizes["totalSize"],
        coefficients=sizes["coefficientsSize"],
        reserved=sizes["reservedMemorySize"],
        runtime=sizes["networksRuntimeSize"],
    )


def _tensors(network: ElementTree.Element, xpath: str) -> tuple[Tensor, ...]:
    return tuple(_tensor(element) for element in network.findall(xpath))


def _tensor(element: ElementTree.Element) -> Tensor:
    fields = element.attrib
    if fields["format"] not in ("signed", "unsigned"):
        raise ValueError(f"tensor format {fields['format']!r}")
    return Tensor(
        ordinal=_number(fields["ordinal"], 8),
        name=fields["name"][-_NAME_CHARS:],
        dimensions=tuple(_dimension(d.attrib) for d in element.findall("dimensions/dimension")),
        bits=_number(fields["bitsPerElement"], 8),
        shift=_number(fields["shift"], 16),
        scale=struct.unpack("<f", struct.pack("<f", float(fields["scale"])))[0],  # the package stores float32
        unsigned=fields["format"] == "unsigned",
        l2_offset=_number(fields["l2Offset"], 32),
        persistency=_number(fields.get("persistency", "0"), 8),
    )


def _dimension(fields: Mapping[str, str]) -> Dimension:
    return Dimension(
        ordinal=_number(fields["ordinal"], 8),
        size=_number(fields["size"], 16),
        serialization=_number(fields["serializationOrder"], 8),
        padding=_number(fields["padding"], 8),
    )


def _number(text: str, bits: int) -> int:
    """Return a whole number, checked to fit the field it is packed into."""
    value = int(text)
    if not 0 <= value < 1 << bits:
        raise ValueError(f"{text} does not fit {bits} bits")
    return value
