"""Hybrids for event cameras: spiking layers, an accumulator, and an INT8 head, with one integer reference."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tinytracker.files import StrPath
from tinytracker.lazy import exports
from tinytracker.requirements import require_tensorflow
from tinytracker.runs import Run

if TYPE_CHECKING:
    from tinytracker.hybrid.accumulator import accumulate
    from tinytracker.hybrid.config import HybridConfig, hybrid_config
    from tinytracker.hybrid.document import HybridDocument
    from tinytracker.hybrid.evaluation_document import HybridEvaluation
    from tinytracker.hybrid.following import Frames
    from tinytracker.hybrid.presets import HYBRIDS, HybridPreset, find_hybrid
    from tinytracker.hybrid.reference import IntegerHybrid, read_hybrid
    from tinytracker.hybrid.training import HybridTraining
else:
    __getattr__, __dir__ = exports(
        __name__,
        {
            "accumulator": ("accumulate",),
            "config": ("HybridConfig", "hybrid_config"),
            "document": ("HybridDocument",),
            "evaluation_document": ("HybridEvaluation",),
            "following": ("Frames",),
            "presets": ("HYBRIDS", "HybridPreset", "find_hybrid"),
            "reference": ("IntegerHybrid", "read_hybrid"),
        },
    )

__all__ = [
    "HYBRIDS",
    "Frames",
    "HybridConfig",
    "HybridDocument",
    "HybridEvaluation",
    "HybridPreset",
    "IntegerHybrid",
    "accumulate",
    "evaluate_hybrid",
    "find_hybrid",
    "hybrid_config",
    "quantize_hybrid",
    "read_hybrid",
    "train_hybrid",
]


def train_hybrid(
    folder: StrPath, model: str, out: StrPath, config: HybridConfig | None = None, resume: bool = False
) -> HybridTraining:
    """Train a hybrid preset on the clips of a folder.

    A run that was stopped can be resumed, and ends with the same weights as one that was not.

    Args:
        folder: with clips of the splits train and val, from `tinytracker synth-events`.
        model: a hybrid preset.
        out: run folder to write.
        config: settings; None for the defaults.
        resume: whether a run may exist.

    Raises:
        UnknownNameError: no such preset.
        UsageError: the interval does not divide the window.
        InputFileError: no clips, a damaged clip, or one that is shorter than a window.
        OutputError: the folder holds something else, or a run with other settings or clips.
        TinyTrackerError: training diverged, or the gaze never moves.
        MissingDependencyError: TensorFlow is not installed.
    """
    from tinytracker.hybrid.config import hybrid_config
    from tinytracker.hybrid.presets import find_hybrid
    from tinytracker.hybrid.streams import require_clips

    preset, settings = find_hybrid(model), config or hybrid_config()
    preset.slots(settings.interval)
    require_clips(Path(folder))
    require_tensorflow("training")
    from tinytracker.hybrid.training import fit

    return fit(folder, preset, out, settings, resume)


def quantize_hybrid(
    run_folder: StrPath, calibration_windows: int = 256, data: StrPath | None = None
) -> HybridDocument:
    """Write a trained hybrid in integers into `RUN/hybrid/`.

    The folder gets `spiking.nir`, `head.tflite`, `accumulator.json` and `hybrid.json`, as far as the preset has them.

    Args:
        run_folder: a finished run of `train_hybrid`.
        calibration_windows: of the training split, whose activations set the ranges of the head.
        data: folder of clips; None for that of the run.

    Raises:
        InputFileError: not a finished run, or its clips no longer exist.
        UsageError: no windows.
        ModelError: the converter refuses the head.
        MissingDependencyError: TensorFlow is not installed.
    """
    run = Run.open(Path(run_folder), hybrid=True)
    require_tensorflow("quantization")
    from tinytracker.hybrid.quantizing import round_run

    return round_run(run, calibration_windows, data)


def evaluate_hybrid(
    run_folder: StrPath,
    data: StrPath | None = None,
    split: str = "test",
    windows: int = 2000,
    following: Frames | None = None,
) -> HybridEvaluation:
    """Measure a hybrid on a split of clips, before and after rounding, into `RUN/evaluation/hybrid-<split>.json`.

    The errors of single windows are written beside it (`.npz`), so that two runs can be compared window by window.

    Args:
        run_folder: a run of `train_hybrid` with its integers (`quantize_hybrid`).
        data: folder of clips; None for that of the run.
        split: "train", "val" or "test".
        windows: at most, of those that move and of all.
        following: how a frame network answers; None for not measuring the gaze between frames.

    Raises:
        InputFileError: the run is not finished or has no integers, or its clips no longer exist.
        UnknownNameError: no such split.
        UsageError: no windows.
        TinyTrackerError: the gaze moves in none of them.
        MissingDependencyError: TensorFlow is not installed.
    """
    run = Run.open(Path(run_folder), hybrid=True)
    require_tensorflow("evaluation")
    from tinytracker.hybrid.evaluation import evaluated

    return evaluated(run, data, split, windows, following)
