"""The run folder: everything known about one training run, in files.

    RUN/
      run.json            what was trained and on what: preset, resolved configuration, data hash, versions, command
      state.json          training progress; rewritten after each epoch
      history.jsonl       one line per epoch
      model.keras         the trained float network (best epoch on the validation split)
      checkpoints/        weights and optimizer state of the last epoch and the best one
      tensorboard/        logs for `tensorboard --logdir`
      quantized/<name>/   model.tflite and quantization.json
      hybrid.npz, hybrid/ float weights and integers of a hybrid, which has no model.keras
      qat/                quantization-aware training: a run folder of its own, and weights.npz
      parity.json         one quantized model on all runtimes, beside the float network
      evaluation/         <model>-<split>.json and the predictions behind it as .npz

Commands read and write run folders; nothing is stored only in a log.
"""

from __future__ import annotations

import platform
import shlex
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from tinytracker import __version__
from tinytracker.documents import Document, JsonValue, Part
from tinytracker.errors import InputFileError
from tinytracker.files import StrPath
from tinytracker.kinds import HYBRID_RUN, NETWORK_RUN, RUN_FILE, is_hybrid, preset_of, wrong_kind

SCHEMA_VERSION = 1
_LIBRARIES = ("tensorflow", "tensorflow-model-optimization", "numpy", "tflite-micro")


class RunData(Part):
    """Prepared data as a run saw it.

    Attributes:
        path: the prepared folder, absolute. data_hash: hash of its shards.
        origin: "synthetic" or "recorded"; "" when not recorded.
        frames: count by split. mean_gaze_cm: (x, y) mean over the training split.
    """

    path: str
    data_hash: str = ""
    origin: str = ""
    frames: dict[str, int] = Field(default_factory=dict)
    mean_gaze_cm: tuple[float, float] = (0.0, 0.0)


class InitialWeights(Part):
    """The weights a training run started from; the fields are those of `tinytracker.train.initial.Initial`."""

    source: str
    sha256: str
    loaded: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    different: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()


class RunDescription(Document):
    """What was trained, on what, and how to repeat it.

    Attributes:
        preset: the trained preset. config: every setting, see `tinytracker.train.config.TrainConfig`.
        data: the prepared data.
        replicas: number of devices that trained together; unset in RUN/qat.
        init: weights to start from; unset for random ones.
        float_sha256: hash of the float network that quantization-aware training began with. calibration_sha256: hash
            of the frames whose activations set its ranges. ranges: (low, high) of each node. All three only in RUN/qat.
        command: the command that made the run. versions: of the libraries. git: commit, "" for an installed package.
    """

    title: ClassVar[str] = "the description of a run"
    way_out: ClassVar[str] = "Train again."

    preset: str
    config: dict[str, JsonValue] = Field(default_factory=dict)
    data: RunData
    replicas: int | None = None
    float_sha256: str | None = None
    calibration_sha256: str | None = None
    init: InitialWeights | None = None
    ranges: dict[str, tuple[float, float]] | None = None
    command: str = ""
    versions: dict[str, str] = Field(default_factory=dict)
    git: str = ""


@dataclass(frozen=True)
class Run:
    """A run folder; the properties are the paths of its files, whether or not they exist."""

    path: Path

    @classmethod
    def open(cls, path: StrPath, hybrid: bool | None = False) -> Run:
        """Return the run in a folder that `tinytracker train` or `tinytracker hybrid train` made.

        Args:
            path: the folder.
            hybrid: whether it must be the run of a hybrid; None for either kind.

        Raises:
            InputFileError: when the folder is missing, is not a run, or is one of the other kind.
        """
        run = cls(Path(path))
        if not run.path.exists():
            raise InputFileError(
                run.path, "there is no such run folder", "Create one with `tinytracker train`."
            )
        if not run.description_path.is_file():
            is_file = run.path.is_file()
            problem = "this is a file" if is_file else "not a run folder (it has no run.json)"
            hint = "Give a folder that `tinytracker train --out` made."
            raise wrong_kind(run.path, "a run folder", problem, hint)
        if hybrid is not None:
            run.require_kind(
                preset_of(run.path), hybrid
            )  # "" of a damaged description, which `describe` names
        return run

    def require_kind(self, preset: str, hybrid: bool) -> None:
        """Refuse a run of the other kind than a caller takes.

        Args:
            preset: of the run; "" when it is not known, which is not refused.
            hybrid: whether it must be that of a hybrid.

        Raises:
            InputFileError: says what was trained, and which verbs take it.
        """
        if preset and is_hybrid(preset) != hybrid:
            raise InputFileError(
                self.path,
                f"this run is of {preset}, a network for frames, not a hybrid"
                if hybrid
                else "this run is a hybrid, not a network for frames",
                (NETWORK_RUN if hybrid else HYBRID_RUN).hint,
            )

    @property
    def description_path(self) -> Path:
        """run.json."""
        return self.path / RUN_FILE

    @property
    def state_path(self) -> Path:
        """state.json."""
        return self.path / "state.json"

    @property
    def history_path(self) -> Path:
        """history.jsonl."""
        return self.path / "history.jsonl"

    @property
    def checkpoints(self) -> Path:
        """Folder of checkpoints."""
        return self.path / "checkpoints"

    @property
    def tensorboard(self) -> Path:
        """Folder of TensorBoard logs."""
        return self.path / "tensorboard"

    @property
    def model_path(self) -> Path:
        """model.keras: the trained float network."""
        return self.path / "model.keras"

    @property
    def hybrid_path(self) -> Path:
        """hybrid.npz: the float weights of a hybrid, in the run of one."""
        return self.path / "hybrid.npz"

    def quantized(self, name: str) -> Path:
        """Folder of one quantized model, for example "ptq-int8"."""
        return self.path / "quantized" / name

    def quantized_names(self) -> list[str]:
        """Names of the quantized models that exist, sorted."""
        return sorted(p.parent.name for p in self.path.glob("quantized/*/model.tflite"))

    def evaluation(self, model: str, split: str) -> Path:
        """JSON file with the errors of one model ("float", "ptq-int8", ...) on one split."""
        return self.path / "evaluation" / f"{model}-{split}.json"

    @property
    def parity_path(self) -> Path:
        """parity.json: what `tinytracker parity` found."""
        return self.path / "parity.json"

    def describe(self) -> RunDescription:
        """Return the content of run.json, read again at each call.

        The data of `adapt` are inside its run. When such a run was moved, they are where it is now.

        Raises:
            InputFileError: it is damaged or was written by a newer release.
        """
        found = RunDescription.read(self.description_path)
        recorded = Path(found.data.path)
        inside = self.path.resolve() / recorded.name
        if recorded.is_dir() or not (inside / "index.json").is_file():
            return found
        return found.model_copy(update={"data": found.data.model_copy(update={"path": str(inside)})})

    @property
    def preset_name(self) -> str:
        """Name of the trained preset."""
        return self.describe().preset

    def trained_model(self) -> Path:
        """The trained float network.

        Raises:
            InputFileError: training has not finished.
        """
        if not self.model_path.is_file():
            raise InputFileError(
                self.path,
                "training has not finished here",
                "Resume it with `tinytracker train ... --resume`.",
            )
        return self.model_path


def write_description(run: Run, description: dict[str, Any]) -> None:
    """Write run.json with what is needed to repeat the run.

    Args:
        run: the run folder.
        description: preset, config, data, and the weights training started from.
    """
    document = RunDescription(**description, **provenance(), git=git_commit())
    document.write(run.description_path)


def provenance() -> dict[str, Any]:
    """Return the fields in which documents say how they were made: `command` and `versions`."""
    return {"command": command_line(), "versions": versions()}


def command_line(argv: Sequence[str] | None = None) -> str:
    """Return the command line, quoted so that it can be typed again."""
    program, *rest = sys.argv if argv is None else argv
    return shlex.join([Path(program).name, *rest])


def versions() -> dict[str, str]:
    """Return the versions of Python, this package and the installed libraries that affect the numbers."""
    found = {"python": platform.python_version(), "tinytracker": __version__}
    for name in _LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def git_commit() -> str:
    """Return the commit of the source checkout this code runs from, with "+changes" if edited; "" if installed."""
    root = Path(__file__).resolve().parent.parent
    if not (root / ".git").exists():
        return ""
    try:
        commit = subprocess.run(
            ["git", "-C", root, "rev-parse", "HEAD"], capture_output=True, text=True, check=True, timeout=10
        )
        dirty = subprocess.run(
            ["git", "-C", root, "status", "--porcelain", "--untracked-files=no"],
            capture_output=True, text=True, check=True, timeout=30,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return ""
    return commit.stdout.strip() + ("+changes" if dirty.stdout.strip() else "")
