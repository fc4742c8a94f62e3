"""`tinytracker train`."""

from __future__ import annotations

from pathlib import Path

import click

from tinytracker.cli.output import Output, verb
from tinytracker.cli.types import ANY_NUMBER, OUT


@verb
@click.argument("prepared", type=click.Path(path_type=Path))
@click.option("--model", default="tinytracker", help="Preset to train.")
@click.option("--out", type=OUT, required=True, help="Run folder to write.")
@click.option("--config", type=click.Path(path_type=Path), help="TOML file with training settings.")
@click.option("--epochs", type=int, help="Passes over the training split, 1 to 10,000; overrides --config.")
@click.option("--batch-size", type=int, help="Frames per step, 1 to 8192; overrides --config.")
@click.option(
    "--learning-rate",
    type=ANY_NUMBER,
    help="Peak learning rate of the schedule, above 0, to 1; overrides --config.",
)
@click.option("--seed", type=int, help="Random seed of weights, order and augmentation; overrides --config.")
@click.option(
    "--init",
    help="Weights to start from: a run folder, a .keras or .npz file, or 'synthetic' for the bundled weights.",
)
@click.option(
    "--distribute",
    default="none",
    help="none, mirrored (all GPUs of this computer), or multiworker (the cluster in TF_CONFIG).",
)
@click.option("--resume", is_flag=True, help="Resume the run in --out, or start one if the folder has none.")
def command(
    prepared: Path, model: str, out: Path, config: Path | None, epochs: int | None, batch_size: int | None,
    learning_rate: float | None, seed: int | None, init: str | None, distribute: str, resume: bool,
) -> Output:  # fmt: skip
    """Train a preset on PREPARED data (made by `tinytracker prepare`) into a run folder."""
    from tinytracker.train import load_config, train

    overrides = {
        "epochs": epochs, "batch_size": batch_size, "learning_rate": learning_rate, "seed": seed, "init": init,
    }  # fmt: skip
    result = train(prepared, model, out, load_config(config, overrides), resume, distribute)
    document = {
        "run": str(result.run.path), "model": str(result.run.model_path), "preset": model, "epochs": result.epochs,
        "best_epoch": result.best_epoch, "val_error_cm": result.val_error_cm, "seconds": result.seconds,
    }  # fmt: skip
    text = (
        f"{result.run.model_path}: validation error {result.val_error_cm:.2f} cm "
        f"(epoch {result.best_epoch} of {result.epochs}, {result.seconds:.0f} s)"
    )
    return Output(document, (text,))
