"""`tinytracker prepare`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import RenderableType
from rich.table import Table

from tinytracker.cli.output import Output, verb

if TYPE_CHECKING:
    from tinytracker.data.check_against import Agreement
    from tinytracker.data.preparation import PrepareReport

_NAMED = 8
_REFUSED = " The exit code is 1 because of these losses: repair the source, or add --allow-losses."


@verb
@click.argument("source", type=click.Path(path_type=Path))
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--jobs", type=click.IntRange(1), help="Processes; default: one per core.")
@click.option(
    "--max-crop", type=int, default=256, help="Longest side of a stored face, px; larger faces are reduced."
)
@click.option("--shard-frames", type=int, default=2000, help="Approximate number of frames per shard.")
@click.option("--image-format", default="jpeg", help="Format of stored faces: jpeg, or png (lossless).")
@click.option(
    "--allow-losses", is_flag=True, help="Exit with 0 even if people or frames were lost unexpectedly."
)
@click.option("--part", help="Prepare one part, such as 2/8; several computers or jobs share the work.")
@click.option("--merge", "merging", is_flag=True, help="Write the index when all parts are prepared.")
@click.option(
    "--check-against",
    type=click.Path(path_type=Path),
    help="Compare with the folder that the data set's own prepareDataset.py wrote from SOURCE.",
)
@click.option(
    "--aim",
    is_flag=True,
    help="Also store whole frames with the place of the eyes, for networks with an aim.",
)
def command(
    source: Path, out: Path, jobs: int | None, max_crop: int, shard_frames: int, image_format: str, allow_losses: bool,
    part: str | None, merging: bool, check_against: Path | None, aim: bool,
) -> Output:  # fmt: skip
    """Turn SOURCE, a folder of GazeCapture subjects (or their .tar.gz), into shards in the folder OUT."""
    from tinytracker.data.preparation import merge, prepare
    from tinytracker.errors import UsageError

    if part is not None and merging:
        raise UsageError("--part and --merge exclude each other.", "Merge when all parts are prepared.")
    if check_against is not None:
        from tinytracker.data.check_against import require_metadata

        require_metadata(check_against)
    options = (jobs, max_crop, shard_frames, image_format, part, aim)
    report = merge(source, out) if merging else prepare(source, out, *options)
    index = report.index
    table = Table(title=f"{out}" + (f", part {part}" if part else ""), title_justify="left")
    for column in ("split", "subjects", "frames", "phone", "tablet", "shards"):
        table.add_column(column, justify="left" if column == "split" else "right")
    for name, split in index.splits.items():
        families = [f"{split.families.get(f, 0):,}" for f in ("phone", "tablet")]
        table.add_row(name, str(len(split.subjects)), f"{split.frames:,}", *families, str(len(split.shards)))
    document = {
        **index.as_json(), "folder": str(out), "kept_shards": report.kept_shards,
        "made_shards": report.made_shards, "skipped_csv": str(report.skipped_csv),
        "losses": report.losses.as_json(), "not_read": [asdict(entry) for entry in report.not_read],
        "corrected": [list(pair) for pair in report.corrected],
    }  # fmt: skip
    compared = _compare(report, check_against) if check_against is not None else None
    if compared is not None:
        document["check_against"] = compared.as_json()
    refused = report.losses.unexpected and not allow_losses
    last = report.losses.sentence() + (_REFUSED if refused else "")
    todo = [f"When all parts are prepared: tinytracker prepare {source} {out} --merge"] if part else []
    text: tuple[RenderableType, ...] = (
        table,
        *_notes(report),
        *todo,
        *([compared.sentence()] if compared is not None else []),
        last,
    )
    differs = compared is not None and not compared.agrees
    return Output(document, text, exit_code=int(refused or differs))


def _compare(report: PrepareReport, theirs: Path) -> Agreement:
    from tinytracker.data.check_against import check_against

    return check_against(report.index, theirs)


def _notes(report: PrepareReport) -> Iterator[str]:
    """Yield what was skipped, corrected and not read, a line each."""
    from tinytracker.data.published_counts import compared_with_published

    skipped = ", ".join(f"{n:,} {reason}" for reason, n in report.index.skipped.items()) or "none"
    yield f"Skipped: {skipped} (listed in {report.skipped_csv})"
    if report.corrected:
        people = len({subject for subject, _ in report.corrected})
        subject, what = report.corrected[0]
        listed = report.skipped_csv.with_name("corrected.csv")
        yield f"People with corrections: {people:,}, such as {subject}: {what} (listed in {listed})"
    published = compared_with_published(report.index)
    if published:
        yield published
    if report.not_read:
        named = "; ".join(f"{entry.name} ({entry.why})" for entry in report.not_read[:_NAMED])
        more = f"; and {len(report.not_read) - _NAMED} more" if len(report.not_read) > _NAMED else ""
        yield f"Not read: {named}{more}"
