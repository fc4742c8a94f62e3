"""The same C on a Cortex-M7 and a Cortex-M33: bit-exact, with cycles modelled relative to a Cortex-M4."""

import pytest
from support.tflite_nets import tinytracker_s
from test_emulate import small_net

from tinytracker.codegen.cortex_m4 import CortexM4
from tinytracker.emulate import emulate
from tinytracker.emulate.cpu import CORTEX_M4, CPUS
from tinytracker.errors import UnknownNameError

OTHERS = [name for name in CPUS if name != CORTEX_M4.name]


@pytest.mark.parametrize("name", OTHERS)
def test_a_published_structure_equals_the_oracle(name):
    report = emulate(tinytracker_s(ramps=True), 2, kernels=CortexM4(), cpu=name)
    assert (report.oracle, report.equal) == ("BUILTIN_REF", True)
    portable = sum(step.instructions for step in report.steps if not step.kernel.startswith("m4 "))
    assert portable < 0.001 * report.instructions
    # Other compiler flags, nearly the same code; the emulator's log agrees with the counter, or it would be refused.
    assert report.instructions == pytest.approx(5_973_571, rel=0.02)


@pytest.mark.parametrize("name", OTHERS)
def test_cycles_are_relative_to_a_cortex_m4(name):
    cpu = CPUS[name]
    report = emulate(small_net(), 1, cpu=name)
    low, middle, high = report.modelled_cycles
    m4_low, _, m4_high = report.modelled.interval
    assert (low, high) == pytest.approx((m4_low * cpu.relative_low, m4_high * cpu.relative_high))
    assert low < middle < high < m4_high
    assert report.modelled_ms[2] == pytest.approx(high / cpu.hz * 1000)
    document = report.as_json()
    assert (document["cpu"], document["modelled"]["board"]) == (name, cpu.board)
    assert f"cycles of a {name} for one of a Cortex-M4, from" in document["modelled"]["assumption"]


def test_an_unknown_processor_is_refused():
    with pytest.raises(UnknownNameError, match="Known: cortex-m33, cortex-m4, cortex-m7"):
        emulate(small_net(), 1, cpu="cortex-m0")
