"""A package as a JSON-able dict, for people and for `--json`."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from typing import Any

from tinytracker.package.imx500.rpk.layout import LINE_BYTES, Part, Rpk, Tensor
from tinytracker.package.imx500.rpk.registers import INPUT_LINES, OUTPUT_LINES


def describe(rpk: Rpk) -> dict[str, Any]:
    """Return everything in a package except the binary parts, which are described by address, length and SHA-256.

    Returns:
        A dict of plain types with the keys converter_version, network_id, networks, memory, firmware,
        registers, lines, network_info, intrinsics and extra_files.
    """
    version = rpk.converter_version
    written = {r.address: r.value for r in rpk.registers}
    memory = rpk.memory
    used = memory.coefficients + memory.reserved + memory.runtime
    return {
        "converter_version": ".".join(str(int(version[i : i + 2])) for i in (0, 2, 4)),
        "network_id": rpk.network_id,
        "model_version": rpk.model_version,
        "networks": [
            {
                "ordinal": network.ordinal,
                "name": network.name,
                "inputs": [_tensor(t) for t in network.inputs],
                "outputs": [_tensor(t) for t in network.outputs],
            }
            for network in rpk.networks
        ],
        "memory": {
            **asdict(memory),
            "used": used,
            "used_percent": round(100 * used / max(memory.total, 1), 2),
        },
        "firmware": {
            name: _part(getattr(rpk.firmware, name))
            for name in ("config_a", "config_c", "program_a", "program_c", "coefficients")
        },
        "registers": [
            {
                "address": f"0x{r.address:04X}",
                "width": r.width,
                "value": f"0x{r.value:0{2 * min(r.width, 4)}X}",
            }
            for r in rpk.registers
        ],
        "lines": {
            "bytes": LINE_BYTES,
            "input": written.get(INPUT_LINES),
            "output": written.get(OUTPUT_LINES),
        },
        "network_info": dict(rpk.network_info),
        "intrinsics": rpk.intrinsics,
        "extra_files": [name for name, _ in rpk.extra_files],
    }


def _tensor(tensor: Tensor) -> dict[str, Any]:
    return {
        "ordinal": tensor.ordinal,
        "name": tensor.name,
        "shape": list(tensor.shape),
        "bits": tensor.bits,
        "signed": not tensor.unsigned,
        "scale": tensor.scale,
        "shift": tensor.shift,
        "l2_offset": tensor.l2_offset,
        "persistency": tensor.persistency,
    }


def _part(part: Part) -> dict[str, Any]:
    return {
        "address": f"0x{part.address:08X}",
        "bytes": len(part.data),
        "sha256": hashlib.sha256(part.data).hexdigest(),
    }
