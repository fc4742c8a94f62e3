"""Export of a run's weights to one small file that other training runs can start from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tinytracker.errors import UsageError
from tinytracker.files import StrPath, read_json
from tinytracker.requirements import require_tensorflow
from tinytracker.runs import Run, versions

DEFAULT_LICENCE = "That of the data these weights were trained on."


@dataclass(frozen=True)
class ExportResult:
    """A weight file on disk.

    Attributes:
        path: the .npz file. about: the document beside it.
        bytes: size of the file. sha256: of the file.
        layers: number of layers in it.
    """

    path: Path
    about: Path
    bytes: int
    sha256: str
    layers: int


def export_weights(
    run_folder: StrPath, out: StrPath, licence: str = DEFAULT_LICENCE, recipe: str = ""
) -> ExportResult:
    """Write a finished run's float weights into a .npz file, with a .json document beside it.

    Args:
        run_folder: a finished run.
        out: the file, whose name ends in .npz.
        licence: of the weights, one line.
        recipe: how to train them again; the run's command when empty.

    Raises:
        InputFileError: not a finished run.
        UsageError: the name of `out` does not end in .npz.
        OutputError: `out` cannot be written.
    """
    run_folder = Path(run_folder)
    out = Path(out)
    from tinytracker.model.weight_file import SUFFIX, write_weights

    run = Run.open(run_folder)
    model_path = run.trained_model()
    if out.suffix != SUFFIX:
        raise UsageError(
            f"{out}: the name of a weight file must end in {SUFFIX}.", f"For example --out {out.stem}{SUFFIX}"
        )
    require_tensorflow("reading a trained network")
    from tinytracker.model.keras_builder import load_trained
    from tinytracker.train.initial import layer_weights

    weights = layer_weights(load_trained(model_path))
    description, state = run.describe(), read_json(run.state_path)
    about = {
        "preset": description.preset,
        "licence": licence,
        "recipe": recipe or description.command,
        "config": description.config,
        "data": {"data_hash": description.data.data_hash, "frames": description.data.frames},
        "best_epoch": state["best_epoch"],
        "val_error_cm": state["best_error_cm"],
        "tools": versions(),
    }
    digest = write_weights(out, weights, about)
    return ExportResult(out, out.with_suffix(".json"), out.stat().st_size, digest, len(weights))
