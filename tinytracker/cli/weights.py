"""`tinytracker weights`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from tinytracker.cli.output import Output, verb
from tinytracker.cli.types import OUT
from tinytracker.words import counted


@verb
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--out", type=OUT, required=True, help="The .npz file to write.")
@click.option("--licence", help="Licence of the weights, one line; default: that of the training data.")
@click.option("--recipe", default="", help="How to train the weights again; default: the run's command.")
@click.option("--preset", help="Only the layers of this preset, such as tinytracker-v2 of a run with an aim.")
def command(run: Path, out: Path, licence: str | None, recipe: str, preset: str | None) -> Output:
    """Write the weights of a finished RUN into a small file for `train --init`."""
    from tinytracker.train.export import DEFAULT_LICENCE, export_weights

    result = export_weights(run, out, licence or DEFAULT_LICENCE, recipe, preset)
    document = {**asdict(result), "path": str(result.path), "about": str(result.about)}
    return Output(document, (f"{result.path}: {counted(result.layers, 'layer')}, {result.bytes:,} bytes",))
