"""Cross-compile every firmware configuration for the emulated board and print how much of the 1,536 KB each takes.

Without --model, the network is the preset tinytracker-s with fresh weights, calibrated on noise; it is as large as a
trained one.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from tinytracker.emulate import build_all
from tinytracker.emulate.firmware import RAM_BYTES
from tinytracker.model.presets import find_preset
from tinytracker.requirements import require_tensorflow

PRESET = "tinytracker-s"
CALIBRATION_FRAMES = 8


def sample_network() -> bytes:
    """Return a .tflite file of the untrained preset."""
    require_tensorflow("building firmware without --model")
    import tensorflow as tf

    from tinytracker.model.keras_builder import build_keras
    from tinytracker.quant.calibration import CalibrationSet
    from tinytracker.quant.ptq import convert

    tf.keras.utils.set_random_seed(0)
    network = find_preset(PRESET).network()
    rng = np.random.default_rng(0)
    codes = {
        name: rng.integers(0, 256, (CALIBRATION_FRAMES, *network.nodes[name].shape), np.uint8)
        for name in network.inputs
    }
    return convert(build_keras(network), CalibrationSet(codes, sha256="", subjects=0, strata=0), "int8")


def main() -> None:
    """Build the firmware and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, help="INT8 .tflite file")
    parser.add_argument("--out", type=Path, default=Path("build/firmware"))
    options = parser.parse_args()
    model = options.model or sample_network()
    print(f"{'configuration':14} {'code+const':>10} {'data':>8} {'zeroed':>8} {'total':>9}  of 1,536 KB")
    for firmware in build_all(model, options.out):
        sizes = (firmware.code_bytes, firmware.data_bytes, firmware.zero_bytes, firmware.ram_bytes)
        code, data, zeroed, total = (f"{size:,}" for size in sizes)
        share = firmware.ram_bytes / RAM_BYTES
        print(f"{firmware.name:14} {code:>10} {data:>8} {zeroed:>8} {total:>9}  {share:6.1%}  {firmware.elf}")


if __name__ == "__main__":
    main()
