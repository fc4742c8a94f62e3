"""`tinytracker synth`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from tinytracker.cli.output import Output, verb
from tinytracker.cli.types import ANY_NUMBER, SIZE
from tinytracker.errors import UsageError
from tinytracker.words import counted


@verb
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--subjects", type=int, default=20, help="Number of people, 1 or more.")
@click.option("--frames", type=int, default=50, help="Frames per person, 1 or more.")
@click.option("--seed", type=int, default=0, help="Random seed; the same seed gives the same bytes.")
@click.option("--jobs", type=int, help="Processes; default: one per core.")
@click.option("--devices", help="Comma-separated names, such as 'iPhone 6,iPad Mini'; default: all 15.")
@click.option(
    "--size", type=SIZE, default="480x640", help="Width and height of frames held upright, in pixels."
)
@click.option(
    "--first", type=int, default=0, help="Number of the first person; lets several calls share the work."
)
@click.option(
    "--difficulty",
    type=ANY_NUMBER,
    default=1.0,
    help="Factor on pose, motion and noise, 0 to 5; 1 is realistic.",
)
@click.option(
    "--part", help="Draw one part of the people, such as 2/8; several computers or jobs share the work."
)
@click.option(
    "--aim",
    is_flag=True,
    help="For networks with an aim: vary lens and distance, and add pictures of rooms without a person.",
)
@click.option(
    "--sequences",
    is_flag=True,
    help="Each person's frames follow one another in time: fixations, saccades, blinks, a head that moves.",
)
@click.option(
    "--rate", type=click.Choice(["30", "60"]), help="Frames per second of --sequences; default: 30."
)
@click.option(
    "--movement",
    type=click.Choice(["mixed", "calm", "moving", "wild", "away"]),
    default="mixed",
    help="How heads move in sequences; mixed: one person after the other in each way.",
)
def command(
    out: Path, subjects: int, frames: int, seed: int, jobs: int | None, devices: str | None,
    size: tuple[int, int], first: int, difficulty: float, part: str | None, aim: bool,
    sequences: bool, rate: str | None, movement: str,
) -> Output:  # fmt: skip
    """Make a synthetic data set in GazeCapture's layout in the folder OUT."""
    from tinytracker.synth.generation import generate

    names = [name.strip() for name in devices.split(",")] if devices else None
    if rate is not None and not sequences:
        raise UsageError(f"--rate {rate} belongs to sequences.", "Add --sequences, or omit --rate.")
    report = generate(
        out,
        subjects,
        frames,
        seed=seed,
        jobs=jobs,
        devices=names,
        size=size,
        first=first,
        difficulty=difficulty,
        part=part,
        aim=aim,
        sequences=int(rate or 30) if sequences else 0,
        movement=movement,
    )
    splits = ", ".join(f"{n} {split}" for split, n in report.splits.items())
    text = (
        f"{out}: {counted(report.subjects, 'subject')} ({splits}); "
        f"{report.made} made in {report.seconds:.0f} s, {report.kept} kept"
    )
    return Output({**asdict(report), "out": str(out)}, (text,))
