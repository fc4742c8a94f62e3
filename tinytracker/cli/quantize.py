"""`tinytracker quantize`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from tinytracker.cli.evening import next_step
from tinytracker.cli.output import Output, verb
from tinytracker.cli.types import ANY_NUMBER
from tinytracker.words import counted


@verb
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--method",
    default="ptq",
    help="ptq (post-training), or qat (training continues with rounding).",
)
@click.option("--io", default="int8", help="Input and output type: int8, or uint8 for Coral.")
@click.option(
    "--calibration-frames", type=click.IntRange(1), default=500, help="Training frames to calibrate with."
)
@click.option("--data", type=click.Path(path_type=Path), help="Prepared data; default: the run's own.")
@click.option(
    "--seed", type=click.IntRange(0), default=0, help="Random seed that chooses the calibration frames."
)
@click.option("--epochs", type=int, help="For qat: passes over the training split; default 5.")
@click.option(
    "--learning-rate", type=ANY_NUMBER, help="For qat: peak learning rate; default a twentieth of the run's."
)
def command(
    run: Path, method: str, io: str, calibration_frames: int, data: Path | None, seed: int, epochs: int | None,
    learning_rate: float | None,
) -> Output:  # fmt: skip
    """Quantize a finished RUN to a full-integer .tflite file."""
    from tinytracker.quant import QatSettings, quantize

    qat = None
    if epochs is not None or learning_rate is not None:
        qat = QatSettings(QatSettings.epochs if epochs is None else epochs, learning_rate)
    result = quantize(run, method, io, calibration_frames, data, seed, qat)
    calibration = result.calibration
    text = (
        f"{result.model}: {result.bytes:,} bytes, calibrated on {counted(calibration['frames'], 'frame')} of "
        f"{counted(calibration['subjects'], 'subject')}"
    )
    if result.training:
        best, error = result.training["best_epoch"], result.training["val_error_cm"]
        text += f", validation error {error:.2f} cm (epoch {best} of {result.training['epochs']})"
    return Output(
        {**asdict(result), "model": str(result.model)}, (text, *next_step("quantize", run, result.name))
    )
