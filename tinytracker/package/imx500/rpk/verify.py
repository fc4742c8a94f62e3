"""Checks a package as the sensor's driver and its clients would, before it is copied to a board."""

from __future__ import annotations

from collections.abc import Iterator

from tinytracker.package.imx500.rpk.codec import parse
from tinytracker.package.imx500.rpk.errors import RpkError
from tinytracker.package.imx500.rpk.layout import COLOR_ORDERS, LINE_BYTES, Rpk
from tinytracker.package.imx500.rpk.network_info import REQUIRED
from tinytracker.package.imx500.rpk.registers import (
    INPUT_LINES,
    OUTPUT_LINES,
    image_shape,
    input_lines,
    output_lines,
    refusal,
)

MAX_WIDTH, MAX_HEIGHT = 1280, 960
CHANNELS = (1, 3, 4)
"""Input tensors that libcamera accepts."""

_REPACK = "Package the network again with `tinytracker package --target imx500`."


def verify(data: bytes, name: str = "") -> Rpk:
    """Read a package and refuse it when the driver, libcamera or picamera2 would.

    Args:
        data: bytes of a `network.rpk`.
        name: name of the file, for messages.

    Returns:
        The parsed package.

    Raises:
        RpkError: a reader would refuse the package; names the place of the first problem, and counts the others.
    """
    rpk = parse(data, name)
    found = list(problems(rpk))
    if found:
        where, problem = found[0]
        more = f" (and {len(found) - 1} more problems)" if len(found) > 1 else ""
        raise RpkError(where, problem + more, _REPACK, name)
    return rpk


def problems(rpk: Rpk) -> Iterator[tuple[str, str]]:
    """Yield (where, what) for everything that a reader of the package would refuse."""
    yield from _register_problems(rpk)
    yield from _tensor_problems(rpk)
    yield from _info_problems(rpk)
    memory = rpk.memory
    needed = memory.coefficients + memory.runtime + memory.reserved
    if needed > memory.total:
        yield "dnn_params, memory", f"the network needs {needed} bytes; the sensor has {memory.total}"


def _register_problems(rpk: Rpk) -> Iterator[tuple[str, str]]:
    for index, register in enumerate(rpk.registers, 1):
        reason = refusal(register)
        if reason:
            yield f"imx500_regs, entry {index}, register 0x{register.address:04X}", reason


def _tensor_problems(rpk: Rpk) -> Iterator[tuple[str, str]]:
    network = rpk.network
    try:
        height, width, channels = image_shape(network.inputs[0])
    except RpkError as error:
        yield error.where, error.problem
        return
    if width > MAX_WIDTH or height > MAX_HEIGHT or channels not in CHANNELS or not width or not height:
        limit = f"{MAX_WIDTH} x {MAX_HEIGHT} with {', '.join(map(str, CHANNELS))} channels"
        yield (
            "dnn_params, input 0",
            f"the input is {width} x {height} with {channels} channels; the limit is {limit}",
        )
    for tensor in network.outputs:
        if tensor.bits not in (8, 16, 32) or not tensor.dimensions:
            yield (
                f"dnn_params, output {tensor.ordinal}",
                f"the tensor has {tensor.bits} bits per element and {len(tensor.dimensions)} axes",
            )
    expected = {INPUT_LINES: input_lines(network.inputs[0]), OUTPUT_LINES: output_lines(network.outputs)}
    written = {r.address: r.value for r in rpk.registers}
    for address, lines in expected.items():
        if written.get(address) != lines:
            problem = f"the value is {written.get(address)}, but the tensors take {lines} lines of {LINE_BYTES} bytes"
            yield f"imx500_regs, register 0x{address:04X}", problem


def _info_problems(rpk: Rpk) -> Iterator[tuple[str, str]]:
    info, where = rpk.network_info, "network_info.txt"
    missing = [key for key in REQUIRED if key not in info]
    if missing:
        yield where, f"{', '.join(missing)} missing"
        return
    shape = {d.serialization: d.size for d in rpk.network.inputs[0].dimensions}
    expected = {
        "networkID": rpk.network_id,
        "networkNum": "1",
        "networkOrdinal": str(rpk.network.ordinal),
        "inputTensorWidth": str(shape.get(0)),
        "inputTensorHeight": str(shape.get(1)),
    }
    for key, value in expected.items():
        if info[key] != value:
            yield f"{where}, {key}", f"the value is {info[key]!r}, but the network has {value!r}"
    if info["inputTensorFormat"] not in COLOR_ORDERS:
        yield (
            f"{where}, inputTensorFormat",
            f"{info['inputTensorFormat']!r} is not {' or '.join(COLOR_ORDERS)}",
        )
    for key in REQUIRED:
        if "Norm_" in key and not _is_hex(info[key]):
            yield f"{where}, {key}", f"{info[key]!r} is not a hexadecimal number"


def _is_hex(text: str) -> bool:
    return text.startswith("0x") and len(text) > 2 and all(c in "0123456789abcdefABCDEF" for c in text[2:])
