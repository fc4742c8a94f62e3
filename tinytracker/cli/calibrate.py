"""`tinytracker calibrate`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.table import Table

from tinytracker.cli.output import Output, verb
from tinytracker.cli.types import COUNTS, OUT, SCREEN
from tinytracker.errors import ModelError, OutputError
from tinytracker.words import counted

if TYPE_CHECKING:
    from tinytracker.evaluate.calibration import Calibration


@click.group()
def command() -> None:
    """Correct the gaze for one person, from a few dots that the person looked at."""


@verb
@click.argument("points", type=click.Path(path_type=Path))
@click.option("--out", type=OUT, required=True, help="JSON file to write.")
@click.option("--method", default="auto", help="auto, offset, affine or ridge.")
@click.option(
    "--model",
    type=click.Path(path_type=Path),
    help="File of the network that answered; the calibration is then refused for others.",
)
@click.option("--target", help="Board on which it ran.")
@click.option("--screen", type=SCREEN, help="Screen with the dots, below the camera, cm.")
@click.option("--person", help="Label of the person.")
@click.option("--force", is_flag=True, help="Overwrite --out.")
def fit(
    points: Path, out: Path, method: str, model: Path | None, target: str | None,
    screen: tuple[float, float] | None, person: str | None, force: bool,
) -> Output:  # fmt: skip
    """Calibrate to the person who looked at POINTS, a .csv or .json file."""
    from tinytracker.evaluate.calibration import fit as fit_calibration
    from tinytracker.evaluate.calibration_identity import Identity, today
    from tinytracker.evaluate.calibration_points import read_points
    from tinytracker.files import read_bytes, sha256_bytes

    if out.exists() and not force:
        raise OutputError(
            out, "the file exists already", "Choose another --out, or overwrite it with --force."
        )
    identity = Identity(
        model_sha256=None if model is None else sha256_bytes(read_bytes(model)), target=target, created=today(),
        person=person, screen_cm=None if screen is None else (-screen[0] / 2, -screen[1], screen[0] / 2, 0.0),
    )  # fmt: skip
    seen = read_points(points)
    calibration = fit_calibration(seen.predicted, seen.true, seen.features, method, seen.dots, identity)
    calibration.write(out)
    return Output({"file": str(out), **calibration.model_dump(mode="json")}, _described(out, calibration))


@verb
@click.argument("file", type=click.Path(path_type=Path))
def show(file: Path) -> Output:
    """Show the calibration in FILE."""
    from tinytracker.evaluate.calibration import read_calibration

    calibration = read_calibration(file)
    return Output({"file": str(file), **calibration.model_dump(mode="json")}, _described(file, calibration))


@verb
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--dots", type=COUNTS, default="5,9,13", help="Numbers of calibration dots.")
@click.option(
    "--model", default="float", help="Model of the run: float, or a quantized model such as ptq-int8."
)
@click.option("--split", default="test", help="train, val or test.")
@click.option("--data", type=click.Path(path_type=Path), help="Prepared data; default: the run's own.")
@click.option(
    "--preset", help="For a .tflite file: the preset whose input it takes; default: found by shape."
)
@click.option("--repeats", type=click.IntRange(1), default=10, help="Random choices of dots to average over.")
@click.option("--seed", default=0, help="Random seed of the choices.")
def evaluate(
    target: Path, dots: tuple[int, ...], model: str, split: str, data: Path | None, preset: str | None,
    repeats: int, seed: int,
) -> Output:  # fmt: skip
    """Measure how much calibration improves TARGET, a run folder or a .tflite file, on people it has never seen."""
    from tinytracker.evaluate.calibration_table import evaluate_calibration

    result = evaluate_calibration(target, data, split, model, preset, dots, repeats, seed)
    return Output(result.as_json(), _table(result.model, split, result.content))


@verb
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--model",
    type=click.Path(path_type=Path),
    required=True,
    help="The .tflite file that runs on the device.",
)
def device(file: Path, model: Path) -> Output:
    """Show the calibration in FILE as integers for a device: the serial command, and the same in C."""
    from tinytracker.evaluate.calibration import read_calibration
    from tinytracker.evaluate.calibration_device import device_gaze
    from tinytracker.evaluate.calibration_identity import remarks_on
    from tinytracker.files import read_bytes, sha256_bytes
    from tinytracker.model.tflite_file import read_tflite
    from tinytracker.quant.contract import IoContract

    contract = IoContract.of(read_tflite(model))
    dtype = contract.outputs[0].dtype
    if dtype not in ("int8", "uint8"):
        raise ModelError(
            f"{model}: the output is {dtype}; a device corrects INT8 or UINT8 codes.",
            "Use a model made by `tinytracker quantize`.",
        )
    calibration = read_calibration(file)
    remarks = remarks_on(calibration.identity, sha256_bytes(read_bytes(model)))
    found = device_gaze(calibration, contract.gaze)
    document = {
        "file": str(file),
        "factor": found.factor,
        "offset_um": found.offset,
        "command": found.command(),
    }
    return Output({**document, "c": found.c_source()}, (found.command(), found.c_source(), *remarks))


NOT_FOLLOWING = (
    "The network does not follow the eyes: it predicts the dots no better than their mean. Nothing is corrected; "
    "check what the camera sees."
)


def _described(file: Path, calibration: Calibration) -> tuple[str, ...]:
    (a, b), (c, d) = calibration.matrix
    x, y = calibration.offset
    lines = [f"{file}: {calibration.kind}"]
    lines.append("identity unknown" if calibration.identity is None else calibration.identity.described())
    if calibration.kind != "identity":
        lines += [f"x' = {a:.3f} x {b:+.3f} y {x:+.2f} cm", f"y' = {c:.3f} x {d:+.3f} y {y:+.2f} cm"]
    if calibration.terms is not None:
        lines.append(f"and {len(calibration.terms.centre)} terms ({calibration.terms.source})")
    if calibration.evidence is not None:
        e = calibration.evidence
        lines.append(
            f"{counted(e.dots, 'dot')}, {counted(e.frames, 'frame')}: {e.before_cm:.2f} cm uncorrected, "
            f"{e.left_out_cm:.2f} cm corrected "
            f"(each dot held out in turn); {e.applied:.0%} of the correction is applied"
        )
        if e.constant_cm is not None:
            lines.append(
                f"The mean of the other dots, which needs no network, misses a dot by {e.constant_cm:.2f} cm."
            )
        if not e.follows_eyes:
            lines.append(NOT_FOLLOWING)
        elif calibration.kind == "identity":
            lines.append("The dots do not justify a correction: what they show could be chance.")
    return tuple(lines)


def _table(model: str, split: str, content: dict[str, Any]) -> tuple[Table, str]:
    people = counted(content["subjects"], "person", "people")
    title = f"{model} on {split}: {people}, {content['before_cm']:.2f} cm without calibration"
    table = Table(title=title, title_justify="left")
    table.add_column("method")
    for column in ("dots", "error cm", "95 % interval", "change", "95 % interval", "people worse off"):
        table.add_column(column, justify="right")
    method = ""
    for row in content["rows"]:
        if row["method"] != method:
            table.add_section()
        low, high = row["ci95_cm"]
        less, more = row["change_ci95"]
        table.add_row(
            "" if row["method"] == method else row["method"], str(row["dots"]), f"{row['error_cm']:.2f}",
            f"{low:.2f} to {high:.2f}", f"{row['change']:+.1%}", f"{less:+.1%} to {more:+.1%}", f"{row['worse']:.0%}",
        )  # fmt: skip
        method = row["method"]
    notes = [
        f"Each person's other dots ({content['test_frames']:.0f} frames), "
        f"{counted(content['repeats'], 'choice')} of dots."
    ]
    if content["left_out"]:
        notes.append(f"Skipped, with too few dots: {counted(content['left_out'], 'person', 'people')}.")
    if not content["features"]:
        notes.append("The network does not end in a dense layer: the ridge can use only its output.")
    return table, " ".join(notes)


command.add_command(fit, "fit")
command.add_command(show, "show")
command.add_command(evaluate, "evaluate")
command.add_command(device, "device")
