"""Requirements of packages for the Coral Dev Board Micro."""

from __future__ import annotations

import os
import shutil

from tinytracker.package.coralmicro.options import COMPILER_VARIABLE
from tinytracker.requirements import Part


def parts() -> list[Part]:
    """Return the state of Coral's compiler."""
    compiler = os.environ.get(COMPILER_VARIABLE) or shutil.which("edgetpu_compiler") or ""
    install = f"see https://coral.ai/docs/edgetpu/compiler, or name it with {COMPILER_VARIABLE}"
    return [Part("edgetpu_compiler", "compiled packages for coralmicro", compiler, install)]
