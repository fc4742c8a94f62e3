"""`tinytracker export`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from rich.table import Table

from tinytracker.cli.output import Output, verb
from tinytracker.cli.types import OUT


@verb
@click.argument("source", type=click.Path(path_type=Path))
@click.option("--out", type=OUT, required=True, help="File to write: NAME.onnx, or NAME.xml for OpenVINO.")
@click.option("--quantized", default="ptq-int8", help="Quantized model of the run.")
@click.option(
    "--compare",
    type=click.IntRange(0, 100_000),
    default=64,
    help="Test patterns on which the file's runtime is compared with the reference kernels; 0: none.",
)
@click.option("--seed", type=click.IntRange(0), default=0, help="Random seed of the patterns.")
def command(source: Path, out: Path, quantized: str, compare: int, seed: int) -> Output:
    """Write SOURCE, a run folder or an INT8 .tflite file, as ONNX (QDQ) or as OpenVINO's files."""
    from tinytracker.hosts import export
    from tinytracker.hosts.comparing import compare_runtime
    from tinytracker.package.source import load_source

    model = load_source(source, quantized)
    written = export(model.content, out)
    table = Table(title=f"{out}: {written.written_by}", title_justify="left", show_header=False)
    table.add_column()
    table.add_column()
    for path in written.files:
        table.add_row("file", f"{path}, {path.stat().st_size:,} bytes")
    document: dict[str, Any] = {
        "files": [str(path) for path in written.files],
        "format": written.format,
        "written_by": written.written_by,
        "model_sha256": model.sha256,
        "comparison": None,
    }
    if compare:
        found = compare_runtime(model.content, written.runtime, compare, seed)
        document["comparison"] = found.as_json()
        table.add_row("comparison", found.sentence)
    return Output(document, (table,))
