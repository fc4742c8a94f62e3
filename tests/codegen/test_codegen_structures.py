"""Sizes of the kernels' structures, against the compiler of a 32-bit target."""

import re
import shutil
import subprocess

import pytest

from tinytracker.codegen import kernel_source
from tinytracker.codegen.c_structures import structure_bytes

COMPILER = shutil.which("arm-none-eabi-gcc")


@pytest.mark.skipif(COMPILER is None, reason="no arm-none-eabi-gcc")
def test_sizes_are_those_of_the_compiler(tmp_path):
    header = kernel_source("tt_kernels.h")
    names = re.findall(r"^\} (\w+);", header, re.MULTILINE)
    assert {"tt_window_t", "tt_conv_t", "tt_binary_t", "tt_mean_t"} <= set(names)
    checks = "".join(
        f"typedef char {n}_size[(sizeof({n}) == {structure_bytes(n)}) ? 1 : -1];\n" for n in names
    )
    (tmp_path / "tt_kernels.h").write_text(header)
    (tmp_path / "sizes.c").write_text(f'#include "tt_kernels.h"\n{checks}')
    subprocess.run([COMPILER, "-std=c99", "-fsyntax-only", tmp_path / "sizes.c"], check=True)


def test_an_unknown_structure_is_an_error():
    with pytest.raises(KeyError):
        structure_bytes("tt_unknown_t")
