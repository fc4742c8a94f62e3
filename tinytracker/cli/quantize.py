"""`tinytracker quantize`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from tinytracker.cli.output import Output, verb


@verb
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--method", default="ptq", help="How: ptq (post-training).")
@click.option("--io", default="int8", help="Input and output type: int8, or uint8 for Coral.")
@click.option(
    "--calibration-frames", type=click.IntRange(1), default=500, help="Training frames to calibrate with."
)
@click.option("--data", type=click.Path(path_type=Path), help="Prepared data; default: the run's own.")
@click.option("--seed", type=click.IntRange(0), default=0, help="Of the choice of calibration frames.")
def command(run: Path, method: str, io: str, calibration_frames: int, data: Path | None, seed: int) -> Output:
    """Quantize a finished RUN to a full-integer .tflite file."""
    from tinytracker.quant import quantize

    result = quantize(run, method, io, calibration_frames, data, seed)
    calibration = result.calibration
    text = (
        f"{result.model}: {result.bytes:,} bytes, calibrated on {calibration['frames']} frames of "
        f"{calibration['subjects']} subjects"
    )
    return Output({**asdict(result), "model": str(result.model)}, (text,))
