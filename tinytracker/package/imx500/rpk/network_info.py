"""`network_info.txt`: `key=value` lines that libcamera and picamera2 need before the first frame."""

from __future__ import annotations

from collections.abc import Mapping

from tinytracker.package.imx500.rpk.errors import RpkError
from tinytracker.package.imx500.rpk.layout import ColorOrder, RpkNetwork
from tinytracker.package.imx500.rpk.registers import UNITY, color_matrix, image_shape, normalization

_FACTORS = ("00", "02", "03", "11", "13", "20", "22", "23")
REQUIRED = (
    "networkID",
    "apParamSize",
    "networkNum",
    "networkOrdinal",
    "inputTensorWidth",
    "inputTensorHeight",
    "inputTensorFormat",
    *(f"inputTensorNorm_K{place}" for place in _FACTORS),
)
"""Keys without which picamera2 fails."""

_FORMAT_VERSION = "020400"


def network_info_for(
    network: RpkNetwork, order: ColorOrder, network_id: str, ap_param_bytes: int
) -> dict[str, str]:
    """Return the entries for one network.

    Args:
        network: its first input and its outputs are described.
        order: order of the input's channels.
        network_id: six digits.
        ap_param_bytes: length of the `ap_params` FlatBuffer without padding.
    """
    height, width, _ = image_shape(network.inputs[0])
    k00, k02, k20, k22 = color_matrix(order)
    offset, clip, minimum, _ = normalization(network.inputs[0].unsigned)
    info = {
        "version": _FORMAT_VERSION,
        "networkID": network_id,
        "networkType": "0",
        "apParamSize": str(ap_param_bytes),
        "networkNum": "1",
        "networkOrdinal": str(network.ordinal),
        "inputTensorWidth": str(width),
        "inputTensorHeight": str(height),
        "inputTensorFormat": order,
    }
    factors = {
        "00": k00,
        "02": k02,
        "03": offset,
        "11": UNITY,
        "13": offset,
        "20": k20,
        "22": k22,
        "23": offset,
    }
    info.update({f"inputTensorNorm_K{place}": f"0x{value:04X}" for place, value in factors.items()})
    info.update({f"{plane}Clip": f"0x{clip:08X}" for plane in ("y", "cb", "cr")})
    for channel in range(4):
        used = channel < 3
        info[f"inputNorm_CH{channel}"] = f"0x{minimum if used else 0:04X}"
        info[f"inputNormShift_CH{channel}"] = "0x00"
        info[f"inputNormClip_CH{channel}"] = f"0x{clip if used else 0:08X}"
    info["inputTensorNorm_YGain"] = "0x0020"
    info["inputTensorNorm_YAdd"] = f"0x{minimum:04X}"
    outputs = sorted(network.outputs, key=lambda t: t.ordinal)
    info["outputTensorNum"] = str(len(outputs))
    info.update({f"outputTensorDimSize{i}": str(t.elements) for i, t in enumerate(outputs, 1)})
    info.update({f"outputTensorPadding{i}": str(t.dimensions[0].padding) for i, t in enumerate(outputs, 1)})
    info.update({f"outputTensorBytesPerElement{i}": str(t.bits // 8) for i, t in enumerate(outputs, 1)})
    return info


def encode_network_info(info: Mapping[str, str]) -> bytes:
    """Return the archive member `network_info.txt`."""
    return "".join(f"{key}={value}\r\n" for key, value in info.items()).encode("ascii")


def decode_network_info(data: bytes) -> dict[str, str]:
    """Parse the archive member; the inverse of `encode_network_info`.

    Raises:
        RpkError: a line is not `key=value`, or a key appears twice (as in packages of several networks).
    """
    where = "network_info.txt"
    if not data.isascii() or not data.endswith(b"\r\n"):
        raise RpkError(where, "the text is not made of ASCII lines, or its last line is cut off")
    info: dict[str, str] = {}
    for number, line in enumerate(data.decode("ascii")[:-2].split("\r\n"), 1):
        key, equals, value = line.partition("=")
        if not key or not equals or "=" in value or not line.isprintable():
            raise RpkError(f"{where}, line {number}", f"{line!r} is not key=value")
        if key in info:
            raise RpkError(
                f"{where}, line {number}", f"{key} appears twice", "Only packages of one network can be read."
            )
        info[key] = value
    return info
