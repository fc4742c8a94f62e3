"""`tinytracker synth-events`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from tinytracker.cli.output import Output, verb
from tinytracker.cli.types import ANY_NUMBER, SIZE
from tinytracker.words import counted


@verb
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--subjects", type=int, default=20, help="Number of people, 1 or more.")
@click.option("--clips", type=int, default=4, help="Clips per person, 1 or more.")
@click.option(
    "--rate",
    type=int,
    default=500,
    help="Instants and labels per second, 50 to 2000; events are exact to the µs.",
)
@click.option("--seconds", type=ANY_NUMBER, default=1.0, help="Length of a clip, 0.1 to 60.")
@click.option("--seed", type=int, default=0, help="Random seed; the same seed gives the same bytes.")
@click.option("--jobs", type=int, help="Processes; default: one per core.")
@click.option("--devices", help="Comma-separated names, such as 'iPhone 6,iPad Mini'; default: all 15.")
@click.option(
    "--size", type=SIZE, default="240x320", help="Width and height of the sensor held upright, in pixels."
)
@click.option(
    "--first", type=int, default=0, help="Number of the first person; lets several calls share the work."
)
@click.option(
    "--part", help="Draw one part of the people, such as 2/8; several computers or jobs share the work."
)
@click.option("--split", help="Draw only the people of this split: train, val or test; default: all.")
@click.option(
    "--gaze", default="natural",
    help="natural: eyes look around; targets: they jump from target to target all over the screen.",
)  # fmt: skip
@click.option("--roi", is_flag=True, help="Switch off all pixels but those around the eyes.")
def command(
    out: Path, subjects: int, clips: int, rate: int, seconds: float, seed: int, jobs: int | None,
    devices: str | None, size: tuple[int, int], first: int, part: str | None, split: str | None, gaze: str, roi: bool,
) -> Output:  # fmt: skip
    """Draw clips of eyes as an event sensor sees them, with the exact gaze, in the folder OUT."""
    from tinytracker.events.generation import synth_events

    report = synth_events(
        out,
        subjects,
        clips,
        rate=rate,
        seconds=seconds,
        seed=seed,
        jobs=jobs,
        devices=[name.strip() for name in devices.split(",")] if devices else None,
        size=size,
        first=first,
        part=part,
        split=split,
        gaze=gaze,
        roi=roi,
    )
    splits = ", ".join(f"{n} {split}" for split, n in report.splits.items())
    text = (
        f"{out}: {counted(report.subjects, 'person', 'people')} ({splits}); "
        f"{counted(report.made, 'clip')} drawn in {report.seconds:.0f} s, {report.kept} kept"
    )
    return Output({**asdict(report), "out": str(out)}, (text,))
