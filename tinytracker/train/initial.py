"""Weights to start from: another run, a file, or the weights bundled with this package.

Importing this module does not import TensorFlow; reading a Keras model does.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinytracker.errors import InputFileError, ModelError
from tinytracker.files import sha256_file
from tinytracker.kinds import wrong_kind
from tinytracker.model.weight_file import SUFFIX, packaged_weights, read_weights
from tinytracker.runs import Run

SYNTHETIC = "synthetic"
"""Name of the bundled weights; write `./synthetic` for a folder of that name."""


@dataclass(frozen=True)
class Initial:
    """The weights a training run started from.

    Attributes:
        source: the file that was read.
        sha256: of its content.
        loaded: layers whose weights were loaded.
        missing: layers of the network that the source lacks; they keep random weights.
        different: layers whose shapes differ; they keep random weights, too.
        unused: layers of the source that the network lacks.
    """

    source: str
    sha256: str
    loaded: tuple[str, ...]
    missing: tuple[str, ...]
    different: tuple[str, ...]
    unused: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the JSON object for run.json."""
        return asdict(self)

    def sentence(self) -> str:
        """Return one line that says what was loaded and what was not."""
        parts = [f"{len(self.loaded)} of {len(self.loaded) + len(self.missing) + len(self.different)} layers"]
        for names, what in (
            (self.missing, "missing, random"), (self.different, "different in shape, random"),
            (self.unused, "not in this network"),
        ):  # fmt: skip
            if names:
                more = f" and {len(names) - 4} more" if len(names) > 4 else ""
                parts.append(f"{', '.join(names[:4])}{more} {what}")
        return f"weights from {self.source}: {'; '.join(parts)}"


def normalized(init: str | None) -> str | None:
    """Return the setting as stored in run.json: an absolute path, or `SYNTHETIC`."""
    return init if init in (None, "", SYNTHETIC) else str(Path(init).resolve())


def source_file(init: str, preset: str) -> Path:
    """Return the file that a setting refers to.

    Args:
        init: "synthetic", a run folder, a .keras file or a weight file.
        preset: the preset to train; "synthetic" means its bundled weights.

    Raises:
        UnknownNameError: the package has no bundled weights for this preset.
        InputFileError: neither a run nor such a file, or training of the run has not finished.
    """
    if init == SYNTHETIC:
        return packaged_weights(preset)
    path = Path(init)
    if path.is_dir():
        return Run.open(path).trained_model()
    if path.suffix not in (".keras", SUFFIX):
        problem = "not a run folder, a .keras file or a .npz weight file"
        hint = f"Give one of these, or {SYNTHETIC!r} for the bundled weights."
        raise wrong_kind(path, "a run folder or a file of weights", problem, hint)
    return path


def layer_weights(model: Any) -> dict[str, list[NDArray[np.float32]]]:
    """Return the weights of a Keras model by layer, omitting layers without weights."""
    return {layer.name: layer.get_weights() for layer in model.layers if layer.weights}


def load_initial(model: Any, source: Path) -> Initial:
    """Load the weights of a file into a new Keras model: those of layers with the same name and shapes.

    Raises:
        InputFileError: the file cannot be read.
        ModelError: no layer matches.
    """
    found = _read(source)
    loaded, missing, different = [], [], []
    for layer in model.layers:
        if not layer.weights:
            continue
        arrays = found.get(layer.name)
        if arrays is None:
            missing.append(layer.name)
        elif [a.shape for a in arrays] != [tuple(w.shape) for w in layer.weights]:
            different.append(layer.name)
        else:
            layer.set_weights(arrays)
            loaded.append(layer.name)
    if not loaded:
        raise ModelError(
            f"{source}: none of its {len(found)} layers matches a layer of this network in name and shape.",
            "Start from a run of the same preset, or of one that shares its layers.",
        )
    own = {layer.name for layer in model.layers}
    unused = tuple(name for name in found if name not in own)
    return Initial(str(source), sha256_file(source), tuple(loaded), tuple(missing), tuple(different), unused)


def _read(source: Path) -> dict[str, list[NDArray[np.float32]]]:
    if source.suffix == SUFFIX:
        return read_weights(source)
    if not source.is_file():
        raise InputFileError(source, "there is no such file")
    from tinytracker.model.keras_builder import load_trained

    try:
        return layer_weights(load_trained(source))
    except InputFileError:
        raise
    except Exception as error:  # Keras raises many types for a file that is not a Keras file or is truncated
        first_line = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise InputFileError(source, f"not a Keras network, or damaged ({first_line})") from error
