"""A build can place a network's constants; the outputs stay those of the oracle."""

import numpy as np
import pytest
from support.host_c import random_inputs
from test_emulate import small_net

from tinytracker.codegen import generate
from tinytracker.codegen.cortex_m4 import CortexM4
from tinytracker.emulate import build_firmware
from tinytracker.emulate.firmware import BATCH_APPLICATION
from tinytracker.emulate.qemu import run_batch

SECTION = 'TT_CONSTANTS_SECTION=".data.network"'


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    return generate(small_net(), tmp_path_factory.mktemp("library") / "model", kernels=CortexM4())


def test_constants_move_to_the_variables(library, tmp_path):
    beside, moved = (
        build_firmware(name, library, BATCH_APPLICATION, tmp_path, defines=["TT_STEP_HOOK", *more])
        for name, more in (("beside", []), ("moved", [SECTION]))
    )
    change = beside.code_bytes - moved.code_bytes
    assert change > 0.6 * library.constant_bytes  # the small parameters of the steps stay where they are
    assert moved.data_bytes - beside.data_bytes == pytest.approx(change, abs=64)
    image = np.stack(random_inputs(small_net(), np.random.default_rng(1), 1)[0]).tobytes()
    runs = [run_batch(firmware.elf, [image], tmp_path) for firmware in (beside, moved)]
    assert runs[0].outputs == runs[1].outputs
    assert sum(runs[0].steps[0]) == pytest.approx(sum(runs[1].steps[0]), rel=0.001)
