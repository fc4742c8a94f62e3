"""`tinytracker prepare`."""

from __future__ import annotations

from pathlib import Path

import click
from rich.table import Table

from tinytracker.cli.output import Output, verb


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
    "--aim",
    is_flag=True,
    help="Also store whole frames with the place of the eyes, for networks with an aim.",
)
def command(
    source: Path, out: Path, jobs: int | None, max_crop: int, shard_frames: int, image_format: str, aim: bool
) -> Output:
    """Turn SOURCE, a folder of GazeCapture subjects (or their .tar.gz), into shards in the folder OUT."""
    from tinytracker.data.preparation import prepare

    report = prepare(source, out, jobs, max_crop, shard_frames, image_format, aim)
    index = report.index
    table = Table(title=f"{out}", title_justify="left")
    for column in ("split", "subjects", "frames", "phone", "tablet", "shards"):
        table.add_column(column, justify="left" if column == "split" else "right")
    for name, split in index.splits.items():
        families = [f"{split.families.get(f, 0):,}" for f in ("phone", "tablet")]
        table.add_row(name, str(len(split.subjects)), f"{split.frames:,}", *families, str(len(split.shards)))
    skipped = ", ".join(f"{n:,} {reason}" for reason, n in index.skipped.items()) or "none"
    document = {
        **index.as_json(), "folder": str(out), "kept_shards": report.kept_shards,
        "made_shards": report.made_shards, "skipped_csv": str(report.skipped_csv),
    }  # fmt: skip
    return Output(document, (table, f"Skipped: {skipped} (listed in {report.skipped_csv})"))
