"""The Spresense application for several cores: right in syntax and types against our stubs; the worker links."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from support.host_c import STRICT
from support.teams import small_team_net

from tinytracker.emulate import deploy_dir
from tinytracker.errors import ModelError, UsageError
from tinytracker.package.spresense.app import PLAIN_APPLICATION, SpresenseApp, write_app
from tinytracker.package.spresense.cores import RAM_BYTES, Team, require_room
from tinytracker.package.spresense.options import Options

COMPILER = "arm-none-eabi-gcc"
CPU = ("-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16")
needs_compiler = pytest.mark.skipif(shutil.which(COMPILER) is None, reason=f"{COMPILER} not installed")


@pytest.fixture(scope="module")
def app(tmp_path_factory) -> SpresenseApp:
    return write_app(small_team_net(), tmp_path_factory.mktemp("app"), cores=4)


def check_syntax(app: Path, source: str, *flags: str) -> None:
    strict = [flag for flag in STRICT if flag not in ("-pedantic", "-Wsign-conversion", "-std=c99")]
    stubs = deploy_dir() / "spresense" / "stubs"
    folders = [app, app / "common", app / "network", stubs]
    includes = [word for folder in folders for word in ("-I", str(folder))]
    command = [
        "gcc",
        "-std=gnu99",
        "-m32",
        "-fsyntax-only",
        *strict,
        "-ffreestanding",
        *flags,
        *includes,
        app / source,
    ]
    command = [str(word) for word in command if word not in ("-m32", "-ffreestanding")]
    done = subprocess.run([*command, "-Wno-pointer-to-int-cast"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_sources_of_the_main_image(app):
    defined = ("-DCONFIG_TINYTRACKER_CORES=1", "-DCONFIG_TINYTRACKER_RUNTIME_C=1", "-DTT_TEAM_HOOK=1")
    for source in ("tinytracker_main.c", "cores_spresense.c", "network/model.c", "network/model_parts.c"):
        check_syntax(app.directory, source, *defined)


def test_the_plain_application(tmp_path):
    app = write_app(small_team_net(), tmp_path, application=PLAIN_APPLICATION, cores=2)
    for source in ("run.c", "cores_spresense.c"):
        check_syntax(app.directory, source, "-DCONFIG_RUN_CORES=1", "-DTT_TEAM_HOOK=1")
    fragment = (app.directory / "configs" / "default" / "defconfig").read_text().splitlines()
    assert {"+RUN_CORES=y", "+ASMP_MEMSIZE=0x10000"} <= set(fragment)


def test_configuration(app):
    fragment = set((app.directory / "configs" / "default" / "defconfig").read_text().splitlines())
    assert {
        "+ASMP=y",
        "+ASMP_SMALL_BLOCK=y",
        "+ASMP_MEMSIZE=0x30000",
        "+FS_ROMFS=y",
        "+TINYTRACKER_CORES=y",
    } <= fragment
    assert {"worker/Makefile", "worker/worker.ld", "worker/worker_main.c", "core_shared.h"} <= set(app.files)


def test_one_core_has_no_worker(tmp_path):
    one = write_app(small_team_net(), tmp_path)
    assert not [name for name in one.files if "worker" in name or "core" in Path(name).name]
    assert "ASMP" not in (one.directory / "configs" / "default" / "defconfig").read_text()


@needs_compiler
def test_the_worker_links_at_address_0_and_fits_into_a_block(app, tmp_path):
    """With a stand-in for the SDK's worker library, which is its own source and not here."""
    library = tmp_path / "library.c"
    library.write_text(
        "#include <asmp/mpmq.h>\n#include <stdint.h>\n"
        "extern uint32_t __stack_pointer[];\nvoid __start(void);\nvoid wk_abort(void);\nint main(void);\n"
        '__attribute__((section(".vectors"), used)) void *__vectors[2] = {__stack_pointer, (void *)__start};\n'
        "void __start(void) { main(); }\nvoid wk_abort(void) { for (;;) {} }\n"
        "int mpmq_init(mpmq_t *q, key_t key, cpuid_t cpu) { q->super.key = (int16_t)key; q->cpuid = cpu; return 0; }\n"
        "int mpmq_receive(mpmq_t *q, uint32_t *data) { *data = (uint32_t)q->cpuid; return 1; }\n"
    )
    folder, elf = app.directory, tmp_path / "worker"
    network = [
        p for p in (folder / "network").glob("*.c") if p.name == "model_parts.c" or p.name.startswith("tt_m4")
    ]
    stubs = deploy_dir() / "spresense" / "stubs"
    command = [
        COMPILER, *CPU, "-std=gnu99", "-O2", "-Wall", "-Wextra", "-Werror", "-ffunction-sections", "-fdata-sections",
        "-DMODEL_WORKER", "-DTT_TEAM_HOOK", "-I", folder, "-I", folder / "network", "-I", stubs, library,
        folder / "worker" / "worker_main.c", *network, "-nostartfiles", "--specs=nano.specs",
        f"-Wl,-T,{folder / 'worker' / 'worker.ld'},-u,__vectors,--gc-sections,--defsym=STACK_SIZE=1024", "-o", elf,
    ]  # fmt: skip
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[:3000]
    listing = subprocess.run(
        ["arm-none-eabi-nm", str(elf)], capture_output=True, text=True, check=True
    ).stdout
    symbols = {
        line.split()[-1]: int(line.split()[0], 16)
        for line in listing.splitlines()
        if line[0] in "0123456789abcdef"
    }
    assert symbols["_stext"] == symbols["__vectors"] == 0
    assert symbols["__stack_pointer"] <= 16 * 1024 + 1024 + 512
    assert symbols["_sbss"] <= symbols["_ebss"] < symbols["__stack_pointer"]
    # Nothing of core 0 is in it: constants, arena and steps that are not divided stay in the main image.
    assert not [name for name in symbols if re.match(r"model_(arena|alone|layer_\d+_packed|run)", name)]
    assembler = subprocess.run(
        ["arm-none-eabi-objdump", "-d", str(elf)], capture_output=True, text=True, check=True
    )
    assert not re.search(r"\b(ldrex|strex)", assembler.stdout)  # they would need the system bus between cores


def test_options():
    assert Options().cores == 1
    assert Options(runtime="c", cores=5).cores == 5
    with pytest.raises(UsageError, match="The number of cores is 6; it must be 1 to 5"):
        Options(runtime="c", cores=6)
    with pytest.raises(UsageError, match="--cores 2 needs generated C with the cortex-m4 kernels"):
        Options(cores=2)
    with pytest.raises(UsageError, match="--cores 2 needs generated C with the cortex-m4 kernels"):
        Options(runtime="c", kernels="portable", cores=2)


def test_a_network_that_does_not_fit_says_how_many_cores_do():
    require_room(Team(5, 666_000, 100_352, 6_960))
    large = Team(5, 900_000, 131_072, 8_976)
    assert large.needed_bytes > RAM_BYTES
    with pytest.raises(ModelError, match=r"need [\d,]+ bytes at 5 cores; Spresense has 1,572,864") as refused:
        require_room(large)
    fits = int(re.search(r"--cores (\d)", str(refused.value.hint or refused.value))[1])
    require_room(Team(fits, 900_000, 131_072, 8_976))
    with pytest.raises(ModelError, match="bytes at"):
        require_room(Team(fits + 1, 900_000, 131_072, 8_976))
    with pytest.raises(ModelError, match="bytes at 2 cores"):
        require_room(Team(2, 1_500_000, 131_072, 8_976))
