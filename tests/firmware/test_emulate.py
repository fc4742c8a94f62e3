"""Networks on the emulated Cortex-M4: right outputs, exact and repeatable counts, clear refusals."""

import numpy as np
import pytest
from support.host_c import random_inputs
from support.random_recurrent import RANDOM_RECURRENT
from support.tflite_builder import T
from support.tflite_nets import NetBuilder

from tinytracker.codegen import generate
from tinytracker.emulate import build_firmware, emulate
from tinytracker.emulate import network as network_module
from tinytracker.emulate.firmware import RAM_BYTES
from tinytracker.emulate.qemu import emulator_command
from tinytracker.emulate.tools import ToolError, run_tool
from tinytracker.errors import MissingDependencyError, ModelError, UsageError


def small_net(side: int = 12, channels: int = 8) -> bytes:
    net = NetBuilder((1, side, side, 3))
    net.conv(channels, 3, 2)
    net.depthwise()
    net.mean()
    net.dense(2)
    net.emit("TANH", [net.last], T((1, 2), scales=(1 / 128,)))
    return net.build()


@pytest.fixture(scope="module")
def report():
    return emulate(small_net(), 6)


def test_outputs_equal_the_oracle(report):
    assert report.oracle in ("BUILTIN_REF", "TFLM")
    assert report.equal is True
    assert len({row.tobytes() for row in report.outputs[0]}) > 2


def test_counts_are_repeatable(report):
    again = emulate(small_net(), 6)
    assert again.as_json() == report.as_json()


def test_costs_add_up(report):
    assert [step.name for step in report.steps][:2] == ["CONV_2D", "DEPTHWISE_CONV_2D"]
    assert report.macs == 6 * 6 * 8 * 27 + 6 * 6 * 8 * 9 + 16
    assert sum(step.instructions for step in report.steps) == pytest.approx(report.instructions)
    assert report.instructions_min <= report.instructions <= report.instructions_max
    assert report.instructions > report.macs  # a portable kernel needs several per MAC
    assert report.arena_used_bytes <= report.arena_bytes
    assert 0 < report.stack_used_bytes < 1024
    assert report.constant_bytes < report.code_bytes < report.ram_bytes < RAM_BYTES


def test_given_images_and_expected_outputs(report):
    rng = np.random.default_rng(4)
    images = rng.integers(-128, 128, (3, 12, 12, 3)).astype(np.int8)
    first = emulate(small_net(), images)
    wrong = first.outputs[0].copy()
    wrong[1] ^= 1
    second = emulate(small_net(), [images[:, None]], expected=[wrong])
    assert (second.oracle, second.differing_images, second.equal) == ("expected", 1, False)


def test_without_any_oracle_the_answer_is_not_known(monkeypatch):
    monkeypatch.setattr(network_module, "available_oracle", lambda model: None)
    report = emulate(small_net(), 1)
    assert (report.oracle, report.equal) == (None, None)


@pytest.mark.parametrize("layer", sorted(RANDOM_RECURRENT))
def test_state_lives_from_image_to_image(layer):
    rng = np.random.default_rng(4)
    model = RANDOM_RECURRENT[layer](rng)
    inputs = [np.stack(frames) for frames in zip(*random_inputs(model, rng, 8), strict=True)]
    report = emulate(model, inputs)
    assert (report.oracle, report.equal) == ("BUILTIN_REF", True)
    backwards = emulate(model, [array[::-1] for array in inputs])
    assert not np.array_equal(backwards.outputs[0][::-1], report.outputs[0])


def test_images_that_do_not_fit():
    with pytest.raises(UsageError, match="do not fit tensor 0 'image'"):
        emulate(small_net(), np.zeros((2, 5, 5, 3), np.int8))
    with pytest.raises(UsageError, match="at least 1"):
        emulate(small_net(), 0)


@pytest.mark.parametrize("tool", ["arm-none-eabi-gcc", "qemu-system-arm"])
def test_missing_tools_name_the_debian_package(tool, monkeypatch):
    from tinytracker.emulate import tools

    found = tools.shutil.which
    monkeypatch.setattr(tools.shutil, "which", lambda name: None if name == tool else found(name))
    with pytest.raises(
        MissingDependencyError, match=r"sudo apt-get install .*(gcc-arm-none-eabi|qemu-system-arm)"
    ):
        emulate(small_net(), 1)


def test_a_network_that_does_not_fit_is_refused(tmp_path):
    net = NetBuilder((1, 1, 1, 1200))
    net.conv(1300)
    net.dense(2)
    with pytest.raises(ModelError, match=r"bytes more than the 1,536 KB"):
        emulate(net.build(), 1)


def test_a_stack_overflow_is_noticed():
    with pytest.raises(ToolError, match="stack is too small"):
        emulate(small_net(), 1, stack_bytes=64)


COUNTING_LOOP = """
#include "board.h"
int main(void)
{
    for (uint32_t n = 1000u; n <= 1000000u; n *= 10u) {
        uint32_t left = n;
        const uint32_t start = board_ticks();
        __asm volatile("1: subs %0, #1\\n\\tbne 1b" : "+r"(left));
        const uint32_t ticks = board_ticks() - start;
        board_put_unsigned(board_instructions(ticks) - (2u * n));
        board_put_char(' ');
    }
    return 7;
}
"""


def test_the_counter_counts_instructions(tmp_path):
    """A loop of n rounds has 2n instructions; what is left over is the cost of reading the counter."""
    (tmp_path / "loop.c").write_text(COUNTING_LOOP.replace("__asm", "__asm__"))
    library = generate(small_net(), tmp_path / "model")
    firmware = build_firmware("loop", library, [str(tmp_path / "loop.c")], tmp_path)
    done = run_tool([*emulator_command(firmware.elf), "-serial", "stdio"], "loop", 60)
    extra = [int(word) for word in done.stdout.split()]
    assert done.returncode == 7
    assert len(extra) == 4
    assert max(extra) - min(extra) <= 1
    assert extra[0] < 40
