"""Sizes of the kernels' structures, against the compiler of a 32-bit target."""

import re
import shutil
import subprocess

import pytest

from tinytracker.codegen import kernel_source
from tinytracker.codegen.c_structures import structure_bytes

COMPILER = shutil.which("arm-none-eabi-gcc")


STRUCTURES = {
    "tt_kernels.h": {"tt_window_t", "tt_conv_t", "tt_binary_t", "tt_mean_t"},
    "tt_convert.h": {"tt_extreme_t"},
    "tt_copy.h": {"tt_copy_t"},
    "tt_gather.h": {"tt_gather_t"},
    "tt_m4_conv.h": {"tt_m4_conv_t"},
    "tt_m4_dense.h": {"tt_m4_dense_t"},
    "tt_m4_depthwise.h": {"tt_m4_depthwise_t", "tt_m4_depthwise_channel_t"},
    "tt_m4_simple.h": {"tt_m4_add_t", "tt_m4_mean_t"},
    "tt_recurrent.h": {"tt_product_t", "tt_gate_t", "tt_lstm_t", "tt_svdf_t"},
    "tt_resize.h": {"tt_sampling_t", "tt_bilinear_t", "tt_nearest_t"},
}
"""By header, some of its structures."""


@pytest.mark.skipif(COMPILER is None, reason="no arm-none-eabi-gcc")
@pytest.mark.parametrize("header", sorted(STRUCTURES))
def test_sizes_are_those_of_the_compiler(header, tmp_path):
    text = kernel_source(header)
    names = re.findall(r"^\} (\w+);", text, re.MULTILINE)
    assert STRUCTURES[header] <= set(names)
    checks = "".join(
        f"typedef char {n}_size[(sizeof({n}) == {structure_bytes(n, header)}) ? 1 : -1];\n" for n in names
    )
    for name in (header, *re.findall(r'#include "(\w+\.h)"', text)):
        (tmp_path / name).write_text(kernel_source(name))
    (tmp_path / "sizes.c").write_text(f'#include "{header}"\n{checks}')
    subprocess.run([COMPILER, "-std=c99", "-fsyntax-only", tmp_path / "sizes.c"], check=True)


def test_an_unknown_structure_is_an_error():
    with pytest.raises(KeyError):
        structure_bytes("tt_unknown_t")
