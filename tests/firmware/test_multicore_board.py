"""A divided network on two emulated Cortex-M33 in parallel, and what the parts cost on the emulated Cortex-M4."""

import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest
from support.teams import TeamOnThreads, small_team_net
from support.tflite_nets import tinytracker, tinytracker_s

from tinytracker.codegen import generate
from tinytracker.codegen.cortex_m4 import CortexM4
from tinytracker.codegen.fuse import fuse
from tinytracker.codegen.importer import import_graph
from tinytracker.codegen.multicore import divide
from tinytracker.emulate import EmulationReport, emulate
from tinytracker.emulate.team import barrier_instructions
from tinytracker.model.tflite_file import read_tflite

TOOLS = ("arm-none-eabi-gcc", "qemu-system-arm")
MISSING = [tool for tool in TOOLS if shutil.which(tool) is None]
SOURCES = Path(__file__).parent / "c"
CPU = ("-mcpu=cortex-m33", "-mthumb", "-mfloat-abi=hard", "-mfpu=fpv5-sp-d16")

pytestmark = [
    pytest.mark.train,
    pytest.mark.skipif(bool(MISSING), reason=f"{' and '.join(MISSING)} not installed"),
]


def run_on_two_cores(team: TeamOnThreads, images: int) -> tuple[bytes, bool]:
    """Return the outputs, and whether the second core ran."""
    elf, stream = team.folder / "dual.elf", team.folder / "images.bin"
    build = [
        TOOLS[0], *CPU, "-std=gnu99", "-O2", "-Wall", "-Wextra", "-Werror", "-ffunction-sections", "-fdata-sections",
        "-I", team.folder, *team.library.sources, SOURCES / "dual_main.c", "-nostartfiles", "--specs=nano.specs",
        "-Wl,--gc-sections", "-T", SOURCES / "dual.ld", "-o", elf,
    ]  # fmt: skip
    done = subprocess.run([str(word) for word in build], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[:3000]
    stream.write_bytes(images.to_bytes(4, "little") + team.packed)
    run = [
        TOOLS[1], "-M", "mps2-an521", "-smp", "2", "-accel", "tcg,thread=multi",
        "-global", "sse-200.CPU0_DSP=true", "-global", "sse-200.CPU0_FPU=true",
        "-display", "none", "-monitor", "none", "-serial", "stdio", "-semihosting-config", "enable=on,target=native",
        "-kernel", elf, "-device", f"loader,file={stream},addr=0x80000000,force-raw=on",
    ]  # fmt: skip
    ran = subprocess.run([str(word) for word in run], capture_output=True, text=True, timeout=240)
    assert ran.returncode == 0, ran.stdout[-300:] + ran.stderr[-300:]
    lines = re.findall(r"^output ([0-9a-f]*)\r?$", ran.stdout, re.M)
    return bytes.fromhex("".join(lines)), "second core ran" in ran.stdout


def test_two_cores_in_parallel_equal_the_oracle(tmp_path):
    team = TeamOnThreads(small_team_net(), tmp_path, 2, images=5)
    outputs, second_ran = run_on_two_cores(team, 5)
    assert second_ran
    assert outputs == team.expected


@pytest.mark.exhaustive
@pytest.mark.parametrize("make", [tinytracker, lambda: tinytracker_s(ramps=True)])
def test_whole_networks_on_two_cores(make, tmp_path):
    team = TeamOnThreads(make(), tmp_path, 2, images=5)
    outputs, second_ran = run_on_two_cores(team, 5)
    assert second_ran
    assert outputs == team.expected


LIMITS = {2: 1.97, 3: 2.9, 4: 3.8, 5: 4.8}
CORES = [5, *(pytest.param(n, marks=pytest.mark.exhaustive) for n in (2, 3, 4))]


@cache
def counted(cores: int) -> EmulationReport:
    return emulate(tinytracker_s(ramps=True), 1, kernels=CortexM4(), cores=cores)


@pytest.mark.parametrize("cores", CORES)
def test_critical_path_work_and_arena(cores):
    alone, together = counted(1), counted(cores)
    assert together.equal is True
    assert together.team is not None
    assert alone.instructions / together.team.critical_path >= LIMITS[cores]
    assert together.instructions <= 1.02 * alone.instructions
    assert together.arena_bytes <= alone.arena_bytes + 15 * 1024
    assert together.team.scratch_bytes <= 16 * 1024
    document = together.as_json()["team"]
    assert (document["cores"], document["critical_path"]) == (cores, together.team.critical_path)


@pytest.mark.parametrize("cores", CORES)
def test_estimated_costs_agree_with_the_emulator(cores):
    """The division depends on a cost function alone; here it is held against counted instructions."""
    kernels = CortexM4()
    graph, chosen = kernels.choose(fuse(import_graph(read_tflite(tinytracker_s(ramps=True)))))
    divided = divide(kernels, chosen, graph, cores)
    team = counted(cores).team
    assert team is not None
    compared = 0
    for region, cost in zip(divided.regions, team.regions, strict=True):
        steps = range(region.first, region.end)
        if not all(divided.divisions[step].parameters for step in steps):
            continue
        for core in range(cores):
            estimate = sum(
                divided.divisions[step].instructions(part)
                for step, split in zip(steps, region.splits, strict=True)
                for part in split.of_core(core)
            )
            assert estimate == pytest.approx(cost.instructions[core], rel=0.03, abs=100)
            compared += 1
    assert compared >= 10 * cores


def test_instructions_of_a_barrier(tmp_path):
    """Straight-line instructions before the loop, and those of one round of it, in what the compiler makes."""
    generate(small_team_net(), tmp_path, kernels=CortexM4(), cores=5)
    (tmp_path / "barrier.c").write_text(
        '#include "tt_team.h"\nvoid barrier(tt_flag_t *f, int32_t c, uint32_t n) { tt_team_barrier(f, 5, c, n); }\n'
    )
    flags = ["-mcpu=cortex-m4", "-mthumb", "-O2", "-S", "-o", "-", "barrier.c"]
    done = subprocess.run([TOOLS[0], *flags], capture_output=True, text=True, cwd=tmp_path, check=True)
    body = done.stdout.split("barrier:")[1].split(".size")[0]
    instructions = re.findall(r"^\t([a-z][a-z.0-9]*)", body, re.M)
    assert len(instructions) <= barrier_instructions(5)
    assert not [name for name in instructions if name.startswith(("ldrex", "strex"))]
