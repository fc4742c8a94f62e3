"""What is installed for which work, what is missing, and the command that brings it."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec

from tinytracker.requirements import install_hint


@dataclass(frozen=True)
class Part:
    """One thing that some work needs.

    Attributes:
        name: what it is. needed_for: the work.
        found: version or place, "" when it is missing.
        install: what brings it.
    """

    name: str
    needed_for: str
    found: str
    install: str


# module, distribution, what it is for, extra
_MODULES = (
    ("tensorflow", "tensorflow", "prepare, train, evaluate, quantize", "train"),
    ("tflite_micro", "tflite-micro", "package --target spresense", "train"),
    ("model_compression_toolkit", "model-compression-toolkit", "package --target imx500", "train"),
    ("numba", "numba", "synth, demo", "synth"),
)
# program, what it is for, Debian packages
_PROGRAMS = (
    ("cc", "package --runtime c", "gcc libc6-dev"),
    ("arm-none-eabi-gcc", "emulate, make firmware", "gcc-arm-none-eabi libnewlib-arm-none-eabi"),
    ("qemu-system-arm", "emulate", "qemu-system-arm"),
)


def diagnose() -> list[Part]:
    """Every optional part, whether it is there or not; changes nothing and imports none of them."""
    return [*_modules(), *_programs(), *_vendors()]


def _modules() -> list[Part]:
    return [
        Part(
            name,
            work,
            metadata.version(name) if find_spec(module) else "",
            install_hint(extra),
        )
        for module, name, work, extra in _MODULES
    ]


def _programs() -> list[Part]:
    return [
        Part(name, work, shutil.which(name) or "", f"apt-get install {packages}")
        for name, work, packages in _PROGRAMS
    ]


def _vendors() -> list[Part]:
    from tinytracker.package.coralmicro.options import COMPILER_VARIABLE
    from tinytracker.package.imx500.environment import status

    imx500 = status()
    ready = f"{imx500.converter}, Java {imx500.java}" if imx500.ready else ""
    compiler = os.environ.get(COMPILER_VARIABLE) or shutil.which("edgetpu_compiler") or ""
    return [
        Part("Sony's converter", "package --target imx500", ready, "; ".join(imx500.missing)),
        Part(
            "edgetpu_compiler", "compiled packages for coralmicro", compiler,
            f"see https://coral.ai/docs/edgetpu/compiler, or name it with {COMPILER_VARIABLE}",
        ),
    ]  # fmt: skip
