"""The Spresense application: complete for both runtimes, right in syntax and types against our stubs."""

import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
from support.aim_nets import finder_net, patch_net
from support.host_c import STRICT
from support.tflite_builder import Op, T, build_tflite
from support.tflite_nets import NetBuilder

from tinytracker.codegen.reference_kernels import PORTABLE
from tinytracker.emulate import deploy_dir
from tinytracker.errors import ModelError, UnknownNameError
from tinytracker.package.spresense.app import write_app
from tinytracker.package.spresense.tflm_sources import write_tflm


def small_net() -> bytes:
    net = NetBuilder((1, 12, 12, 1))
    net.conv(8, 3, 2)
    net.mean()
    net.dense(2)
    return net.build()


def check_syntax(app: Path, source: str, *flags: str) -> None:
    stubs = deploy_dir() / "spresense" / "stubs"
    strict = [flag for flag in STRICT if flag not in ("-pedantic", "-Wsign-conversion", "-std=c99")]
    includes = ["-I", str(stubs), "-I", str(app / "common"), "-I", str(app / "network"), "-I", str(app)]
    warnings = [*strict, "-Wno-sign-conversion"]  # NuttX takes ioctl requests as int
    command = ["gcc", "-std=gnu99", "-fsyntax-only", *warnings, *flags, *includes, str(app / source)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def check_cplusplus(app: Path, source: str) -> None:
    """The one C++ file, against stubs of the SDK's TFLM."""
    stubs = deploy_dir() / "spresense" / "stubs"
    includes = ["-I", str(stubs), "-I", str(app / "common"), "-I", str(app / "network"), "-I", str(app)]
    command = [
        "g++",
        "-std=gnu++11",
        "-fsyntax-only",
        "-Wall",
        "-Wextra",
        "-Werror",
        *includes,
        str(app / source),
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_generated_c_has_fast_kernels_unless_told_otherwise(tmp_path):
    fast = write_app(small_net(), tmp_path / "fast")
    portable = write_app(small_net(), tmp_path / "portable", kernels=PORTABLE)
    assert {"network/tt_m4_conv.c", "network/tt_m4_channels.inc"} <= set(fast.files)
    assert not [name for name in portable.files if "tt_m4" in name]


def test_generated_c(tmp_path):
    app = write_app(small_net(), tmp_path)
    assert {"Kconfig", "Makefile", "Make.defs", "tinytracker_main.c", "network/model.c"} <= set(app.files)
    for source in ("tinytracker_main.c", "board_spresense.c", "camera_spresense.c"):
        check_syntax(app.directory, source)
    assert "+TINYTRACKER_RUNTIME_C=y" in (app.directory / "configs" / "default" / "defconfig").read_text()


def test_every_source_of_the_makefile_exists(tmp_path):
    app = write_app(small_net(), tmp_path)
    makefile = (app.directory / "Makefile").read_text()
    optional = {"model.c", "model_tflite.c", "cores_spresense.c"}  # the last with --cores only
    named = set(re.findall(r"\b[a-z_0-9]+\.(?:c|cxx)\b", makefile)) - optional
    assert len(named) > 8
    assert named <= {Path(name).name for name in app.files}


def test_a_network_that_aims_with_a_finder_beside_it(tmp_path):
    app = write_app(patch_net(), tmp_path, finder=finder_net())
    assert {"network/finder.c", "network/model.c", "common/tt_steer.c"} <= set(app.files)
    assert "#define MODEL_AIM_CODES 24" in (app.directory / "network" / "model.h").read_text()
    check_syntax(app.directory, "tinytracker_main.c", "-DCONFIG_TINYTRACKER_CAMERA=1", "-DTT_FINDER")
    check_syntax(app.directory, "camera_spresense.c")
    with pytest.raises(ModelError, match="has no aim"):
        write_app(small_net(), tmp_path, finder=finder_net())
    with pytest.raises(ModelError, match="not a finder"):
        write_app(patch_net(), tmp_path, finder=small_net())


def test_every_option_in_the_sources_is_declared():
    folder = deploy_dir() / "spresense" / "tinytracker"
    declared = set(re.findall(r"^config (TINYTRACKER\w*)", (folder / "Kconfig").read_text(), re.M))
    sources = "".join(p.read_text() for p in folder.iterdir() if p.is_file() and p.name != "Kconfig")
    used = set(re.findall(r"CONFIG_(TINYTRACKER\w*)", sources))
    assert used <= declared
    fragment = (folder / "configs" / "default" / "defconfig").read_text()
    # tcsetattr only changes the rate of the line, as energy mode needs, where NuttX has this option.
    assert "+SERIAL_TERMIOS=y" in fragment.splitlines()
    assert set(re.findall(r"\+(TINYTRACKER\w*)=", fragment)) <= declared


def test_tflm_array(tmp_path):
    content = small_net()
    app = write_app(content, tmp_path, runtime="tflm", arena_bytes=20_000)
    network = app.directory / "network"
    text = (network / "model_tflite.c").read_text()
    numbers = text[text.index("model_tflite[") :].split("{", 1)[1].split("}")[0]
    assert np.array(numbers.split(","), int).astype(np.uint8).tobytes() == content
    header = (network / "model.h").read_text()
    assert "#define MODEL_ARENA_BYTES 20000" in header
    assert (
        "(void)(resolver).AddConv2D(), (void)(resolver).AddFullyConnected(), (void)(resolver).AddMean()"
        in header
    )
    check_syntax(app.directory, "tinytracker_main.c", "-DCONFIG_TINYTRACKER_RUNTIME_TFLM=1")
    check_syntax(app.directory, "network/model_tflite.c")
    check_cplusplus(app.directory, "tflm_run.cxx")
    fragment = (app.directory / "configs" / "default" / "defconfig").read_text()
    assert {"+EXTERNALS_TENSORFLOW=y", "+TINYTRACKER_RUNTIME_TFLM=y"} <= set(fragment.splitlines())


def test_arena_is_measured(tmp_path):
    pytest.importorskip("tflite_micro")
    write_tflm(small_net(), tmp_path)
    arena = int(re.search(r"ARENA_BYTES (\d+)", (tmp_path / "model.h").read_text())[1])
    assert 12 * 12 < arena < 20_000
    assert arena % 16 == 0


def test_refusals(tmp_path):
    with pytest.raises(UnknownNameError, match="Unknown runtime 'tflmm'"):
        write_app(small_net(), tmp_path, runtime="tflmm")
    tensors = [T((1, 4), scales=(0.1,)), T((1, 4), scales=(0.1,))]
    unknown = build_tflite(tensors, [Op("CONCAT_EMBEDDINGS", [0], [1])], [0], [1])
    with pytest.raises(ModelError, match="operator CONCAT_EMBEDDINGS cannot be registered"):
        write_tflm(unknown, tmp_path, arena_bytes=1000)


def test_writing_again_replaces(tmp_path):
    write_app(small_net(), tmp_path, runtime="tflm", arena_bytes=1000)
    app = write_app(small_net(), tmp_path)
    assert "network/model_tflite.c" not in app.files
