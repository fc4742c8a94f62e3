"""Export of a run's weights to one small file that other training runs can start from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tinytracker.errors import UsageError
from tinytracker.files import StrPath, read_json
from tinytracker.requirements import require_tensorflow
from tinytracker.runs import Run, versions

if TYPE_CHECKING:
    from tinytracker.model.weight_file import LayerWeights

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
    run_folder: StrPath,
    out: StrPath,
    licence: str = DEFAULT_LICENCE,
    recipe: str = "",
    preset: str | None = None,
) -> ExportResult:
    """Write a finished run's float weights into a .npz file, with a .json document beside it.

    Args:
        run_folder: a finished run.
        out: the file, whose name ends in .npz.
        licence: of the weights, one line.
        recipe: how to train them again; the run's command when empty.
        preset: write only the layers of this preset, such as a network with an aim without it; None for the run's own.

    Raises:
        InputFileError: not a finished run.
        UsageError: the name of `out` does not end in .npz, or the run lacks a layer of `preset`.
        UnknownNameError: `preset` is unknown.
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

    weights: LayerWeights = layer_weights(load_trained(model_path))
    if preset is not None:
        weights = _part(weights, preset)
    description, state = run.describe(), read_json(run.state_path)
    about = {
        "preset": preset or description.preset,
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


def _part(weights: LayerWeights, preset: str) -> LayerWeights:
    """Return the layers that a preset has, too.

    Raises:
        UsageError: one is missing, or has another shape.
    """
    from tinytracker.model.keras_builder import build_keras
    from tinytracker.model.presets import find_preset
    from tinytracker.train.initial import layer_weights

    wanted = layer_weights(build_keras(find_preset(preset).network()))
    for name, arrays in wanted.items():
        shapes = [array.shape for array in weights.get(name, [])]
        if shapes != [array.shape for array in arrays]:
            raise UsageError(
                f"The run has no layer {name!r} like that of {preset}.",
                "Choose a preset that the run's preset extends, or omit --preset.",
            )
    return {name: weights[name] for name in wanted}
