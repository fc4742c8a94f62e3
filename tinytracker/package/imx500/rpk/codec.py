"""The whole file: blocks for the sensor, then an archive for the driver and its clients."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tinytracker.errors import UnknownNameError
from tinytracker.files import StrPath
from tinytracker.package.imx500.rpk.cpio import decode_archive, encode_archive
from tinytracker.package.imx500.rpk.errors import RpkError, naming
from tinytracker.package.imx500.rpk.intrinsics import decode_intrinsics, encode_intrinsics
from tinytracker.package.imx500.rpk.layout import COLOR_ORDERS, ColorOrder, Firmware, Part, Rpk
from tinytracker.package.imx500.rpk.network_info import (
    decode_network_info,
    encode_network_info,
    network_info_for,
)
from tinytracker.package.imx500.rpk.packer_output import PackerOutput, read_packer_output
from tinytracker.package.imx500.rpk.params import (
    check_ap_params,
    decode_dnn_params,
    encode_ap_params,
    encode_dnn_params,
)
from tinytracker.package.imx500.rpk.registers import decode_registers, encode_registers, registers_for
from tinytracker.package.imx500.rpk.sections import COEFFICIENTS, Section, decode_blocks, encode_blocks, pad

_AP_PARAMS, _AP_PARAMS_ADDRESS = 4, 0x8000_F000
_DNN_PARAMS, _DNN_PARAMS_ADDRESS = 8, 0x8001_0400
_FIRMWARE_KINDS = (9, 10, 11, 12, COEFFICIENTS)
_KINDS = (_AP_PARAMS, _DNN_PARAMS, *_FIRMWARE_KINDS)

_REGISTERS, _INFO, _INTRINSICS = "imx500_regs", "network_info.txt", "network_intrinsics"
_NETWORK_ID, _MODEL_VERSION = "000000", "0000"


def pack(
    packer_output: StrPath, order: ColorOrder = "RGB", intrinsics: Mapping[str, Any] | None = None
) -> bytes:
    """Turn Sony's `packerOut.zip` into the bytes of a `network.rpk`.

    The bytes depend only on the network; they contain no dates, file times or folder names.

    Args:
        packer_output: the archive that the converter wrote.
        order: order of the input's channels.
        intrinsics: JSON object for the clients; None omits it.

    Raises:
        InputFileError: the archive cannot be read.
        RpkError: this format cannot describe the network, or the sensor cannot run it.
        UnknownNameError: the colour order is unknown.
    """
    packer_output = Path(packer_output)
    return encode(rpk_from(read_packer_output(packer_output), order, intrinsics))


def rpk_from(output: PackerOutput, order: ColorOrder, intrinsics: Mapping[str, Any] | None) -> Rpk:
    """Return the package of a converted network; `encode` returns its bytes."""
    if order not in COLOR_ORDERS:
        raise UnknownNameError("colour order", order, COLOR_ORDERS)
    if len(output.networks) != 1:
        raise RpkError(
            "dnnParams.xml", f"the package has {len(output.networks)} networks; the sensor's clients use one"
        )
    (network,) = output.networks
    return Rpk(
        converter_version=output.converter_version,
        network_id=_NETWORK_ID,
        model_version=_MODEL_VERSION,
        networks=output.networks,
        memory=output.memory,
        firmware=output.firmware,
        registers=registers_for(network, order),
        network_info=network_info_for(network, order, _NETWORK_ID, len(encode_ap_params(output.networks))),
        intrinsics=dict(intrinsics) if intrinsics is not None else None,
    )


def encode(rpk: Rpk) -> bytes:
    """Return the bytes of a package; the inverse of `parse`.

    Raises:
        RpkError: a part does not fit the format.
    """
    firmware = rpk.firmware
    parts = (
        firmware.config_a,
        firmware.config_c,
        firmware.program_a,
        firmware.program_c,
        firmware.coefficients,
    )
    sections = [
        Section(_AP_PARAMS, _AP_PARAMS_ADDRESS, pad(encode_ap_params(rpk.networks))),
        Section(_DNN_PARAMS, _DNN_PARAMS_ADDRESS, pad(encode_dnn_params(rpk.networks, rpk.memory))),
        *(Section(kind, part.address, part.data) for kind, part in zip(_FIRMWARE_KINDS, parts, strict=True)),
    ]
    identity = rpk.converter_version + rpk.network_id + rpk.model_version
    files = [(_REGISTERS, encode_registers(rpk.registers)), (_INFO, encode_network_info(rpk.network_info))]
    if rpk.intrinsics is not None:
        files.append((_INTRINSICS, encode_intrinsics(rpk.intrinsics)))
    blocks = encode_blocks(identity, rpk.converter_version[4:6], sections)
    return blocks + encode_archive([*files, *rpk.extra_files])


def parse(data: bytes, name: str = "") -> Rpk:
    """Read a package.

    `parse(encode(x)) == x` for every x whose tensors are listed by ordinal. The structure is checked completely;
    `verify` also checks its content.

    Args:
        data: bytes of a `network.rpk`.
        name: name of the file, for messages.

    Raises:
        RpkError: the bytes are not a package; says where.
    """
    with naming(name):
        return _parse(data)


def _parse(data: bytes) -> Rpk:
    identity, version_tag, sections, end = decode_blocks(data)
    if identity[4:6] != version_tag:
        raise RpkError(
            "block 1", f"the identity has version {identity[:6]}, but the sections have patch {version_tag}"
        )
    kinds = tuple(section.kind for section in sections)
    if kinds != _KINDS:
        raise RpkError("block 1", f"sections of kinds {kinds} instead of {_KINDS}")
    ap_params, dnn_params, *firmware = sections
    for section, address in ((ap_params, _AP_PARAMS_ADDRESS), (dnn_params, _DNN_PARAMS_ADDRESS)):
        if section.address != address:
            raise RpkError(
                "block 1", f"section {section.kind} loads at {section.address:#x} instead of {address:#x}"
            )
    networks, memory = decode_dnn_params(dnn_params.data)
    if not networks or not all(n.inputs and n.outputs for n in networks):
        raise RpkError("dnn_params", "it has no network, or one without an input or output")
    check_ap_params(ap_params.data, networks)
    files = decode_archive(data, end)
    members = _members(files)
    info = decode_network_info(members[_INFO])
    _check_ap_size(info.get("apParamSize", ""), len(ap_params.data))
    return Rpk(
        converter_version=identity[:6],
        network_id=identity[6:12],
        model_version=identity[12:16],
        networks=networks,
        memory=memory,
        firmware=Firmware(*(Part(section.address, section.data) for section in firmware)),
        registers=decode_registers(members[_REGISTERS]),
        network_info=info,
        intrinsics=decode_intrinsics(members[_INTRINSICS]) if _INTRINSICS in members else None,
        extra_files=tuple(f for f in files if f[0] not in (_REGISTERS, _INFO, _INTRINSICS)),
    )


def _check_ap_size(size: str, padded_bytes: int) -> None:
    """Check the unpadded length in the info; it depends on the order in which the packager wrote the tensors."""
    if not size.isdecimal() or len(size) > 9 or -(-int(size) // 16) * 16 != padded_bytes:
        raise RpkError(
            "network_info.txt, apParamSize",
            f"the length is {size!r}, but the section has {padded_bytes} bytes",
        )


def _members(files: list[tuple[str, bytes]]) -> dict[str, bytes]:
    members = dict(files)
    if len(members) != len(files):
        raise RpkError("archive", f"a name appears twice in {', '.join(name for name, _ in files)}")
    for name in (_REGISTERS, _INFO):
        if name not in members:
            raise RpkError("archive", f"{name} is missing; found {', '.join(members) or 'nothing'}")
    return members
