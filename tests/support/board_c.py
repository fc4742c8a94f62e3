"""Many generated networks in one program on the emulated Cortex-M4; outputs come back as checksums."""

from __future__ import annotations

import re
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
from support.host_c import Case

from tinytracker.codegen import GeneratedLibrary, generate
from tinytracker.codegen.kernel import KernelSet
from tinytracker.emulate import build_firmware
from tinytracker.emulate.cpu import CORTEX_M4
from tinytracker.emulate.qemu import IMAGES_BYTES, emulator_command
from tinytracker.emulate.tools import run_tool


def board_checksums(cases: list[Case], folder: Path, kernels: KernelSet) -> list[list[int]]:
    """CRC-32 of the packed outputs per case, per set of inputs; `checksum` makes the same on this side."""
    libraries = [
        generate(case.model, folder, name=f"net{i}", kernels=kernels) for i, case in enumerate(cases)
    ]
    main = folder / "main.c"
    main.write_text(_main(libraries, cases))
    shared = {name for library in libraries for name in library.files if name.startswith("tt_")}
    firmware = build_firmware(
        "cases", replace(libraries[0], files=tuple(sorted(shared))), [str(main), "common/tt_crc32.c"], folder
    )
    stream = b"".join(v.tobytes() for case in cases for values in case.inputs for v in values)
    assert len(stream) < IMAGES_BYTES
    images = folder / "inputs.bin"
    images.write_bytes(stream)
    loader = f"loader,file={images},addr={CORTEX_M4.images:#x},force-raw=on"
    done = run_tool([*emulator_command(firmware.elf), "-serial", "stdio", "-device", loader], "cases", 300)
    assert done.returncode == 0, done.stdout[-200:] + done.stderr
    numbers = [int(word) for word in re.findall(r"\d+", done.stdout)]
    results, position = [], 0
    for case in cases:
        results.append(numbers[position : position + len(case.inputs)])
        position += len(case.inputs)
    assert position == len(numbers)
    return results


def checksum(outputs: list[np.ndarray]) -> int:
    """CRC-32 of outputs packed one after the other."""
    return zlib.crc32(b"".join(np.ascontiguousarray(o).tobytes() for o in outputs))


def _main(libraries: list[GeneratedLibrary], cases: list[Case]) -> str:
    text = '#include "board.h"\n#include "tt_crc32.h"\n'
    text += "".join(f'#include "{library.name}.c"\n' for library in libraries)
    text += f"static const uint8_t *next = (const uint8_t *){CORTEX_M4.images:#x}u;\n"
    for library, case in zip(libraries, cases, strict=True):
        name = library.name
        text += f"""
static void test_{name}(void)
{{
    static uint8_t out[{name.upper()}_OUTPUT_BYTES];
    for (int32_t n = 0; n < {len(case.inputs)}; n++) {{
        if ({name}_run_packed(next, out) != TT_OK) {{
            board_exit(5);
        }}
        next += {name.upper()}_INPUT_BYTES;
        board_put_unsigned(tt_crc32(0u, out, sizeof out));
        board_put_char(' ');
    }}
}}
"""
    calls = "".join(f"    test_{library.name}();\n" for library in libraries)
    return f"{text}\nint main(void)\n{{\n{calls}    return 0;\n}}\n"
