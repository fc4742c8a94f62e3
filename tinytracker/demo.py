"""The whole pipeline in one call: synthetic data, training, INT8, a device package and a table of results.

Every step writes complete files or none, and a step whose result exists is skipped. The demo can therefore be
stopped at any moment and resumed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tinytracker.errors import OutputError
from tinytracker.evaluate import evaluate, stored_errors
from tinytracker.evaluate.metrics import Errors
from tinytracker.files import StrPath, make_folder, read_json, write_json
from tinytracker.model.weight_file import packaged_presets
from tinytracker.package import package
from tinytracker.package.manifest import MANIFEST_NAME, Manifest
from tinytracker.progress import say
from tinytracker.quant import quantize
from tinytracker.runs import SCHEMA_VERSION, Run
from tinytracker.train import TrainConfig, train
from tinytracker.train.initial import SYNTHETIC

SETTINGS_NAME = "demo.json"
QUANTIZED = "ptq-int8"
TARGET = "spresense"
_FINE_TUNING_RATE = 1e-4
"""Peak learning rate when fine-tuning; at 5e-4, a few thousand frames made the weights worse (2.82 to 2.95 cm)."""


@dataclass(frozen=True)
class DemoSettings:
    """What the demo does; stored in its folder, so that a second start resumes with the same settings.

    Attributes:
        preset: network to train.
        subjects, frames: size of the synthetic data set: people, and frames per person.
        epochs: passes over the training split.
        seed: random seed of all steps; not that of recipes/README.md, whose people the bundled weights were trained on.
    """

    preset: str = "tinytracker-v2"
    subjects: int = 110
    frames: int = 40
    epochs: int = 4
    seed: int = 2


@dataclass(frozen=True)
class DemoResult:
    """Where the results are stored, and how accurate the networks are.

    Attributes:
        settings: of this demo.
        folders: data, prepared, run and package folder by name.
        float_errors, int8_errors: on the test split, in cm.
        manifest: of the package.
    """

    settings: DemoSettings
    folders: dict[str, Path]
    float_errors: Errors
    int8_errors: Errors
    manifest: Manifest

    def as_json(self) -> dict[str, Any]:
        """The result as a JSON document."""
        return {
            "data": "synthetic",
            "settings": asdict(self.settings),
            "folders": {name: str(path) for name, path in self.folders.items()},
            "errors": {"float": self.float_errors.as_json(), "int8": self.int8_errors.as_json()},
            "model": self.manifest.model.as_json(),
            "arena": self.manifest.arena.as_json() if self.manifest.arena else None,
        }


def demo(out: StrPath, settings: DemoSettings | None = None, jobs: int | None = None) -> DemoResult:
    """Run the demo in a folder, or resume the one that was started there.

    Args:
        out: folder for all results.
        settings: None for the defaults.
        jobs: processes that generate and prepare data; None for one per core.

    Raises:
        OutputError: the folder holds something else, or a demo with other settings.
        TinyTrackerError: a step failed.
    """
    out = Path(out)
    settings = settings or DemoSettings()
    _claim(out, settings)
    folders = {
        "synthetic data": out / "gazecapture", "prepared data": out / "prepared", "run": out / "run",
        "package": out / TARGET,
    }  # fmt: skip
    data, prepared, run_folder, packaged = folders.values()

    _step(1, "generate synthetic frames")
    from tinytracker.synth.generation import generate

    generate(data, settings.subjects, settings.frames, seed=settings.seed, jobs=jobs)

    _step(2, "prepare shards")
    from tinytracker.data.index import INDEX_FILE
    from tinytracker.data.preparation import prepare

    if not (prepared / INDEX_FILE).is_file():
        prepare(data, prepared, jobs=jobs)

    _step(3, f"train {settings.preset}")
    run = train(prepared, settings.preset, run_folder, _config(settings, Run(run_folder)), resume=True).run

    _step(4, "evaluate the float network")
    float_errors = _once(lambda: stored_errors(run, "float"), lambda: evaluate(run.path).errors)

    _step(5, "quantize to INT8")
    if QUANTIZED not in run.quantized_names():
        quantize(run.path)

    _step(6, "evaluate the INT8 network")
    int8_errors = _once(
        lambda: stored_errors(run, QUANTIZED), lambda: evaluate(run.path, model=QUANTIZED).errors
    )

    _step(7, f"package for {TARGET}")
    manifest = packaged / MANIFEST_NAME
    if not manifest.is_file():
        package(run.path, TARGET, packaged)
    result = DemoResult(settings, folders, float_errors, int8_errors, Manifest.read(manifest))
    write_json(out / "result.json", {"schema_version": SCHEMA_VERSION, **result.as_json()})
    return result


def _claim(out: Path, settings: DemoSettings) -> None:
    """Claim the folder for this demo, or check that it holds a demo with the same settings."""
    mark = out / SETTINGS_NAME
    if mark.is_file():
        before = read_json(mark)
        if before != asdict(settings):
            raise OutputError(
                out,
                f"this folder holds a demo with other settings ({before})",
                "Choose another --out or delete the folder.",
            )
        return
    if out.is_dir() and any(out.iterdir()):
        raise OutputError(out, "this folder is not empty and does not hold a demo", "Choose another --out.")
    make_folder(out)
    write_json(mark, asdict(settings))


def _config(settings: DemoSettings, run: Run) -> TrainConfig:
    """Return the stored configuration of the run, or a new one that starts from bundled weights where they exist."""
    if run.description_path.is_file():
        return TrainConfig.model_validate(run.describe().config)
    chosen: dict[str, Any] = {"epochs": settings.epochs, "seed": settings.seed}
    if settings.preset in packaged_presets():
        chosen |= {"init": SYNTHETIC, "learning_rate": _FINE_TUNING_RATE}
    return TrainConfig.model_validate(chosen)


def _step(number: int, what: str) -> None:
    say(f"[bold]{number}/7[/bold] {what}")


def _once(stored: Callable[[], Errors | None], compute: Callable[[], Errors]) -> Errors:
    found = stored()
    return found if found is not None else compute()
