"""Modelled cycles: what objdump's words mean, what an instruction costs, what a log says, and that it all adds up."""

import io

import pytest
from test_emulate import small_net

from tinytracker.codegen.cortex_m4 import CortexM4
from tinytracker.emulate import calibration, emulate
from tinytracker.emulate import network as network_module
from tinytracker.emulate.contention import parallel_cycles
from tinytracker.emulate.cycles import ModelledCycles
from tinytracker.emulate.disassembly import parse
from tinytracker.emulate.timing import always_jumps, class_of, cycles_of, data_words
from tinytracker.emulate.tools import ToolError
from tinytracker.emulate.trace import Block, read_laps
from tinytracker.emulate.work import Work

ONE_AFTER_THE_OTHER = [
    # (as objdump prints it, class, cycles directly after the line above, words of data)
    (("ldr", "r3, [r0, #0]"), "load", 2, 1),
    (("ldr.w", "r4, [r1, #4]!"), "load", 1, 1),  # pipelined with the load before
    (("ldr", "r5, [r2, #0]"), "load", 2, 1),  # the one before also changed its base
    (("ldr", "r6, [r5, #0]"), "load", 2, 1),  # its address comes from the load before
    (("adds", "r0, #4"), "other", 1, 0),
    (("ldrsb.w", "r7, [r0, r1]"), "load", 3, 1),  # waits for its address
    (("smlad", "r8, r7, r6, r8"), "multiply", 1, 0),
    (("smull", "r2, r3, r4, r5"), "multiply", 1, 0),
    (("ldr", "r3, [r3, #8]"), "load", 3, 1),  # of the second result
    (("ldmia.w", "r0!, {r4, r5, r6, r7}"), "load several", 5, 4),
    (("stmdb", "sp!, {r4-r9, lr}"), "store several", 8, 7),
    (("strd", "r0, r1, [sp, #8]"), "store several", 3, 2),
    (("vldmia", "r0!, {s16-s19}"), "load several", 5, 4),
    (("strb.w", "r3, [r2], #1"), "store", 1, 1),
    (("udiv", "r0, r1, r2"), "divide", 7, 0),
    (("cmp", "r5, r6"), "other", 1, 0),
    (("itt", "ge"), "other", 1, 0),
    (("ldrge", "r6, [r5, #0]"), "load", 2, 1),  # a comparison writes no register
    (("vfma.f32", "s0, s1, s2"), "float", 3, 0),
    (("bne.n", "20004a2c"), "jump", 1, 0),
    (("blx", "r3"), "jump", 1, 0),
    (("pop", "{r4, r5, pc}"), "load several", 4, 3),
    (("tbb", "[pc, r3]"), "jump", 2, 0),
]


def test_what_an_instruction_costs():
    before = None
    for words, kind, cycles, data in ONE_AFTER_THE_OTHER:
        instruction = parse(0x20000000, 2, "f", *words)
        found = (class_of(instruction), cycles_of(instruction, before), data_words(instruction))
        assert (words, *found) == (words, kind, cycles, data)
        before = instruction


def test_after_a_jump_nothing_is_pipelined():
    load = parse(0x20000000, 2, "f", "ldr", "r3, [r0, #0]")
    assert (cycles_of(load, load), cycles_of(load, None)) == (1, 2)
    assert always_jumps(parse(0, 2, "f", "pop", "{r4, pc}"))
    assert not always_jumps(parse(0, 2, "f", "pop", "{r4}"))


LISTED = """IN: f
0x20000100:  b500       push     {lr}
0x20000102:  f04f 22e0  mov.w    r2, #-0x1fff2000

"""
RAW = "IN: f\nOBJD-T: 00b54ff0e022\n\n"  # an emulator built without a disassembler
HOOK = "IN: hook\n0x20000200:  4770       bx       lr\n\n"


def enters(address: int) -> str:
    return f"Trace 0: {0x7F0000000000 + address:#x} [00800408/{address:08x}/00000110/ff020200] f\n"


def laps_of(text: str):
    return read_laps(io.BytesIO(text.encode()), 0x20000200)


@pytest.mark.parametrize("listing", [LISTED, RAW])
def test_a_log_is_read(listing):
    f, hook = Block(0x20000100, 6), Block(0x20000200, 2)
    text = listing + enters(f.address) * 3 + HOOK + enters(hook.address) + enters(f.address)
    before, after = laps_of(text)
    assert before == {(Block(0, 0), f): 1, (f, f): 2}
    assert after == {(f, hook): 1, (hook, f): 1}


def test_a_block_that_did_not_run_is_not_counted():
    stopped = "Stopped execution of TB chain before 0x7f0020000100 [20000100] f\n"
    text = LISTED + enters(0x20000100) + enters(0x20000100) + stopped + enters(0x20000100)
    (lap,) = laps_of(text)
    assert lap.total() == 2
    stopped_hook = HOOK + enters(0x20000200) + stopped.replace("100", "200") + enters(0x20000200)
    assert len(laps_of(LISTED + enters(0x20000100) + stopped_hook)) == 2


def test_a_log_that_is_not_understood_is_refused():
    with pytest.raises(ToolError, match="a line that was not expected"):
        laps_of(enters(0x20000100))


@pytest.fixture(scope="module")
def report():
    return emulate(small_net(), 2, kernels=CortexM4())


def test_the_steps_add_up(report):
    total = report.modelled.total
    assert total.cycles == sum(step.cycles for step in report.steps)
    assert total.cycles == sum(cycles for _, cycles in total.classes.values())
    assert total.instructions == sum(count for count, _ in total.classes.values())
    assert total.instructions == pytest.approx(report.instructions, rel=0.02)
    assert 1.0 < total.cycles / total.instructions < 3.0


def test_the_interval_is_that_of_the_calibration(report):
    low, middle, high = report.modelled.interval
    assert [low, middle, high] == pytest.approx(
        [report.modelled.total.cycles * r for r in (0.96, 1.18, 1.35)]
    )
    document = report.as_json()["modelled"]
    assert document["cycles"] == [low, middle, high]
    assert document["assumption"].startswith("modelled, not measured")
    ratios = sorted(point.measured_to_model for point in calibration.POINTS)
    assert ratios[3] <= calibration.MEDIAN <= ratios[4]


def test_cycles_can_be_left_out(monkeypatch):
    without = emulate(small_net(), 1, cycles=False)
    assert (without.modelled, without.not_modelled) == (None, "not asked for")
    assert without.as_json()["modelled"] is None
    monkeypatch.setattr(network_module, "MODELLED_INSTRUCTIONS", 1000)
    assert "add --cycles" in emulate(small_net(), 1).not_modelled
    assert emulate(small_net(), 1, cycles=True).modelled is not None


def test_a_log_that_contradicts_the_counter_is_refused(monkeypatch):
    def half(elf, command, parts, timeout_s, cores, regions):
        return ModelledCycles((Work(1, 1, 0, 0, {}),) * parts)

    monkeypatch.setattr(network_module, "model_cycles", half)
    with pytest.raises(ToolError, match="log shows 5 instructions where"):
        emulate(small_net(), 1)


def test_waiting_for_a_tile_is_bounded():
    """Two cores: alone the slower one counts; at worst each access waits one cycle for the other core."""
    first, second = Work(100, 60, 20, 40, {}), Work(90, 50, 40, 30, {})
    found = parallel_cycles([[first, second], [second, first]])
    assert (found.cores, found.alone, found.at_most, found.shared_code_at_least) == (2, 200, 260, 140)
    single = parallel_cycles([[first], [second]])
    assert (single.alone, single.at_most) == (190, 190)


def test_several_cores_have_a_critical_path_and_wait():
    """Two steps on two cores, in one region: cores add up over the steps, then the slower one counts."""
    parts = tuple(Work(cycles, 10, 4, 5, {}) for cycles in (30, 20, 10, 40))
    modelled = ModelledCycles(parts, cores=2, regions=((0, 2),))
    assert [step.cycles for step in modelled.steps] == [50, 50]
    assert (modelled.parallel.alone, modelled.parallel.at_most) == (60, 68)
    assert modelled.interval == pytest.approx((60 * 0.96, 60 * 1.18, 68 * 1.35))
    barrier_between = ModelledCycles(parts, cores=2, regions=((0, 1), (1, 2)))
    assert barrier_between.parallel.alone == 70
    assert ModelledCycles(parts).parallel is None
