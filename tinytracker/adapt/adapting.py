"""Adapts a network to what was recorded: compares four ways on held-out minutes or people, and keeps the best.

Importing this module does not import TensorFlow; `adapt` does.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinytracker.adapt.division import Division, claim, divide, read_sessions, write_division
from tinytracker.adapt.document import (
    ADAPT_FILE,
    ALL,
    BUNDLED,
    CALIBRATED,
    CALIBRATION_FILE,
    CANDIDATES,
    HEAD,
    AdaptDocument,
)
from tinytracker.adapt.scores import Scores
from tinytracker.arrays import Floats
from tinytracker.data.index import PreparedIndex
from tinytracker.errors import InputFileError, ModelError, UsageError
from tinytracker.files import StrPath, make_folder, write_json, write_text
from tinytracker.locks import locked
from tinytracker.model.presets import PRESETS, Preset, find_preset
from tinytracker.progress import say
from tinytracker.requirements import require_tensorflow
from tinytracker.runs import Run, write_description
from tinytracker.train.config import AugmentConfig, TrainConfig
from tinytracker.train.initial import SYNTHETIC, source_file

LONGEST_PX = 1280
"""Longer side of a frame that a network with an aim is adapted on: that of the frames that `live` looks at."""

_MOST_WORK = 45_000
"""Strips and crops to train all layers on, at most: fewer epochs for more frames, so that the time is bounded."""
_EPOCHS = (3, 30)
_FOLDS = 5  # stretches of time that are left out in turn


@dataclass(frozen=True)
class AdaptResult:
    """The outcome of `adapt`.

    Attributes:
        run: the run folder, as `train` would have left it.
        document: what was compared, and kept. calibration: of the bundled weights when these were kept with one.
    """

    run: Run
    document: AdaptDocument
    calibration: Path | None


def adapt(
    sessions: Sequence[StrPath], start: str, out: StrPath, epochs: int | None = None, seed: int = 0
) -> AdaptResult:
    """Adapt a network to the people, the camera and the screen of recorded sessions; never for the worse.

    Compares the weights as they are, the same with a calibration of nine dots, a new last layer, and training of all
    layers. Frames that were not trained on choose among them; others, which decided nothing, say how much was gained.
    A stopped run continues when it is called again.

    Args:
        sessions: folders that `tinytracker collect` wrote, or others in GazeCapture's layout.
        start: a preset with bundled weights, or a run folder.
        out: run folder to create.
        epochs: of training all layers; None for as many as fit into 20 minutes of two cores.
        seed: of training.

    Raises:
        InputFileError: a session or the weights cannot be read.
        UnknownNameError: no such preset, or it has no bundled weights.
        UsageError: too little was recorded, or a session is given twice.
        ModelError: the network has no gaze.
        OutputError: `out` is in use, belongs to other sessions, or cannot be written.
        MissingDependencyError: TensorFlow is not installed.
    """
    folders = [Path(session) for session in sessions]
    out = Path(out)
    preset, init = _start(start)
    source = source_file(init, preset.name)
    require_tensorflow("adapting a network")
    division = divide(read_sessions(folders))
    with locked(out, "adapt"):
        found = out / ADAPT_FILE
        claim(division, str(source.resolve()), out, {"epochs": epochs, "seed": seed})
        index = _prepared(division, folders, out, preset)
        if not (found.is_file() and _is_whole(Run(out))):
            _Work(out, preset, init, source, division, index, folders, epochs, seed).do()
        document = AdaptDocument.read(found)
    calibration = out / CALIBRATION_FILE
    return AdaptResult(Run.open(out), document, calibration if document.kept == CALIBRATED else None)


def _is_whole(run: Run) -> bool:
    """Return whether a finished run can be read; says so when it cannot."""
    from tinytracker.model.keras_builder import load_trained

    try:
        run.describe()
        load_trained(run.trained_model())
    except InputFileError as error:
        say(f"{error.path} is damaged or missing: the run is written again from what was trained.")
        return False
    return True


def _start(start: str) -> tuple[Preset, str]:
    """Return the preset, and the weights as `train --init` takes them.

    Raises:
        UnknownNameError: neither a preset nor a folder. InputFileError: not the folder of a run.
        ModelError: it is a finder.
    """
    if start not in PRESETS and ("/" in start or Path(start).exists()):
        preset, init = find_preset(Run.open(Path(start)).preset_name), start
    else:
        preset, init = find_preset(start), SYNTHETIC
    if preset.finder:
        raise ModelError(
            f"{preset.name} is a finder and has no gaze that could be adapted.",
            "Adapt tinytracker-v2 or tinytracker-v2-aim.",
        )
    return preset, init


def _prepared(division: Division, sessions: Sequence[Path], out: Path, preset: Preset) -> PreparedIndex:
    from tinytracker.data.index import read_index
    from tinytracker.data.preparation import prepare

    prepared = out / "prepared"
    if not (out / ADAPT_FILE).is_file():
        source = write_division(division, sessions, out / "source")
        prepare(source, prepared, jobs=1, aim=preset.aim, longest_px=LONGEST_PX)
    return read_index(prepared)


class _Work:
    """The comparison, from prepared frames to a finished run folder."""

    def __init__(
        self, out: Path, preset: Preset, init: str, source: Path, division: Division, index: PreparedIndex,
        sessions: Sequence[Path], epochs: int | None, seed: int,
    ) -> None:  # fmt: skip
        from tinytracker.adapt.frames import SplitFrames, load

        self._out, self._preset, self._division, self._index = out, preset, division, index
        self._init, self._source, self._sessions = init, source, sessions
        self._config = _config(preset, index.split("train").frames, division.by, epochs, seed)
        self._frames: dict[str, SplitFrames] = {
            split: load(index, split, preset.input) for split in ("train", "val", "test")
        }
        self._scores = Scores(self._frames)
        self._began = time.monotonic()

    def do(self) -> None:
        """Compare, choose, and write the run folder; adapt.json comes last."""
        from tinytracker.model.keras_builder import build_keras, load_trained
        from tinytracker.train.initial import load_initial

        model = build_keras(self._preset.network())
        initial = load_initial(model, self._source)
        hidden = self._add(BUNDLED, model)
        calibration = self._calibrate()
        models = {BUNDLED: model, CALIBRATED: model}
        folder = make_folder(self._out / "candidates")
        models[HEAD] = self._new_head(model, hidden, folder / "head.keras")
        begin_with_head = self._scores.error(HEAD, "val") < self._scores.error(BUNDLED, "val")
        init = str(folder / "head.keras") if begin_with_head else self._init
        trained = self._train(folder / "all-layers", init)
        models[ALL] = load_trained(trained.trained_model())
        self._add(ALL, models[ALL])
        document = self._compared()
        self._write(document, models[document.kept], trained, initial.as_json(), calibration)

    def _compared(self) -> AdaptDocument:
        kept, withdrawn = self._scores.decide(self._eligible())
        division = self._division
        document = AdaptDocument(
            preset=self._preset.name, source=str(self._source), sessions=tuple(map(str, self._sessions)),
            by=division.by, people=division.people, held_out=division.held_out,
            frames={split: len(frames) for split, frames in self._frames.items()}, dots=division.count("dots"),
            candidates=self._scores.candidates(), kept=kept, withdrawn=withdrawn,
            seconds=round(time.monotonic() - self._began, 1),
        )  # fmt: skip
        return document.model_copy(update={"contradicted": document.is_contradicted})

    def _add(self, name: str, model: Any) -> dict[str, Floats]:
        """Remember what a network predicts; returns the inputs of its last layer by split."""
        from tinytracker.adapt.frames import Reader

        began = time.monotonic()
        reader = Reader(model)
        found = {split: reader.read(frames) for split, frames in self._frames.items()}
        self._scores.predicted[name] = {split: gaze for split, (_, gaze) in found.items()}
        self._scores.seconds[name] = self._scores.seconds.get(name, 0.0) + time.monotonic() - began
        return {split: hidden for split, (hidden, _) in found.items()}

    def _calibrate(self) -> Any:
        """Correct the bundled weights as `live` would, with nine dots of the frames that may be learned from."""
        from tinytracker.adapt.nine_dots import calibrated

        predicted, calibration = calibrated(self._scores.predicted[BUNDLED], self._frames, self._division.by)
        self._scores.predicted[CALIBRATED] = predicted
        self._scores.seconds[CALIBRATED] = 0.0
        return calibration

    def _new_head(self, model: Any, hidden: dict[str, Floats], path: Path) -> Any:
        from tinytracker.adapt.new_head import made_once, new_head

        began = time.monotonic()
        frames, config = self._frames["train"], self._config

        def make() -> Any:
            return new_head(
                model, self._preset, frames, hidden["train"], self._folds(), config.augment, config.seed
            )

        headed = made_once(path, make)
        self._scores.seconds[HEAD] = time.monotonic() - began
        self._add(HEAD, headed)
        say(
            f"head only: {self._scores.error(HEAD, 'val'):.2f} cm, bundled {self._scores.error(BUNDLED, 'val'):.2f} cm"
        )
        return headed

    def _folds(self) -> NDArray[np.int64]:
        """Number the stretches of time of the training frames, (N,)."""
        frames = self._frames["train"]
        names = [f"{i:05d}" for i, piece in enumerate(self._division.pieces) if piece.split == "train"]
        dots = {key: k for k, key in enumerate(
            (name, number) for name in names for number in np.unique(frames.dot[frames.subject == name])
        )}  # fmt: skip
        order = np.array([dots[key] for key in zip(frames.subject, frames.dot, strict=True)])
        folds: NDArray[np.int64] = order * _FOLDS // len(dots)
        return folds

    def _train(self, folder: Path, init: str) -> Run:
        from tinytracker.train import train

        began = time.monotonic()
        config = self._config.model_copy(update={"init": init})
        result = train(self._index.folder, self._preset.name, folder, config, resume=True)
        self._scores.seconds[ALL] = max(time.monotonic() - began, result.seconds)
        return result.run

    def _eligible(self) -> tuple[str, ...]:
        """Nine dots of one person cannot be shipped to another."""
        return CANDIDATES if self._division.by == "time" else tuple(c for c in CANDIDATES if c != CALIBRATED)

    def _write(
        self, document: AdaptDocument, model: Any, trained: Run, initial: dict[str, Any], calibration: Any
    ) -> None:
        from tinytracker.data.tensorflow_errors import writing_tensorflow
        from tinytracker.train.state import State, describe_training

        run, kept = Run(self._out), document.kept
        description = describe_training(self._index, self._preset, self._config)
        write_description(run, description | {"replicas": 1, "init": initial})
        if kept == ALL:
            shutil.copyfile(trained.state_path, run.state_path)
            shutil.copyfile(trained.history_path, run.history_path)
        else:
            write_json(
                run.state_path, vars(State(best_error_cm=self._scores.error(kept, "val"), finished=True))
            )
            write_text(run.history_path, "")
        temporary = run.path / ".model.tmp.keras"
        with writing_tensorflow(run.model_path):
            model.save(temporary)
            temporary.replace(run.model_path)
        if kept == CALIBRATED:
            calibration.write(run.path / CALIBRATION_FILE)
        document.write(run.path / ADAPT_FILE)
        shutil.rmtree(run.path / "source", ignore_errors=True)  # the shards hold all that is needed


def _config(preset: Preset, frames: int, by: str, epochs: int | None, seed: int) -> TrainConfig:
    """Return how all layers are trained: without changes that one's own desk does not have.

    The learning rate for one person was chosen among 0.0001 to 0.002 on recorded people (decision 242). Where whole
    people are held out ("people"), the network must keep what it knows of others.
    """
    low, high = _EPOCHS
    if epochs is not None and epochs < 1:
        raise UsageError(f"epochs is {epochs}.", "It must be at least 1.")
    changes = {"mirror": False, "rotation": 4.0, "shift": 0.02, "zoom": 0.05}
    changes |= {"focus": 0.6, "gamma": 0.35, "shade": 0.25}
    batch, examples = 32, frames
    if preset.aim:  # a batch is 32 strips, which teach the gaze, and the crops of 4 frames
        changes |= {"strips": 0.667, "near": 0.45}
        batch, examples = 48, frames * 48 // 32
    return TrainConfig(
        epochs=epochs or int(np.clip(_MOST_WORK // max(examples, 1), low, high)),
        batch_size=batch, optimizer="adamw", learning_rate=1e-3 if by == "time" else 3e-4, warmup_epochs=1.0,
        patience=10, seed=seed, tensorboard=False, augment=AugmentConfig.model_validate(changes),
    )  # type: ignore[call-arg]  # fmt: skip
