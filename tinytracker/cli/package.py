"""`tinytracker package`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.table import Table

from tinytracker.cli.evening import BOARD, next_step
from tinytracker.cli.output import Output, verb
from tinytracker.cli.target_options import chosen_options, target_options
from tinytracker.cli.types import OUT
from tinytracker.targets import find_target, with_part
from tinytracker.words import counted

if TYPE_CHECKING:
    from tinytracker.package.manifest import Manifest

_BUILDABLE = with_part("build")


@verb
@click.argument("source", type=click.Path(path_type=Path))
@click.option("--target", required=True, help=f"Device: {', '.join(_BUILDABLE)}.")
@click.option("--out", type=OUT, required=True, help="Package folder to write.")
@click.option("--quantized", help="Quantized model of the run; default: the one that the target takes.")
@click.option(
    "--gaze/--no-gaze",
    default=None,
    help="State whether a .tflite file is a gaze network; default: judged by its inputs and outputs.",
)
@target_options(_BUILDABLE)
def command(
    source: Path, target: str, out: Path, quantized: str | None, gaze: bool | None, **values: Any
) -> Output:
    """Package SOURCE, a run folder or an INT8 .tflite file, for a device."""
    from tinytracker.package import package

    own = chosen_options(find_target(target, "build"), values)
    result = package(source, target, out, quantized, own, gaze)
    table = Table(title=f"{result.folder} for {target}", title_justify="left", show_header=False)
    table.add_column()
    table.add_column()
    for name, text in _rows(result.document, gaze):
        table.add_row(name, text)
    for path in sorted(p for p in result.folder.rglob("*") if p.is_file()):
        table.add_row("file", str(path))
    further = next_step("package", source, quantized) if target == BOARD else ()
    return Output(
        {"folder": str(result.folder), "manifest": str(result.manifest), **result.content}, (table, *further)
    )


def _rows(manifest: Manifest, gaze: bool | None) -> list[tuple[str, str]]:
    """Return the lines about a package; they depend on the target."""
    from tinytracker.package.manifest import SensorMemory

    model, memory, parity = manifest.model, manifest.memory, manifest.parity
    rows = [("model", f"{model.bytes:,} bytes, {model.macs:,} MACs")]
    if not manifest.is_gaze:
        rows.append(("purpose", "not a gaze network (--gaze if it is)"))
    elif model.file is not None:
        judged = "gaze, judging by its inputs and outputs (--no-gaze if it is not)"
        rows.append(("purpose", judged if gaze is None else "gaze, as you said (--gaze)"))
    if manifest.arena is not None:
        rows.append(("arena", f"{manifest.arena.total_bytes:,} bytes"))
    if isinstance(memory, SensorMemory):
        share = f"{memory.used_percent:.1f} % of {memory.available_bytes:,}"
        rows.append(("sensor memory", f"{memory.used_bytes:,} bytes, {share}"))
    if parity is not None:
        several = f", all {len(parity.outputs)} outputs" if parity.outputs else ""
        rows.append(
            ("parity", f"{parity.runtime} = {parity.oracle} on {counted(parity.images, 'image')}{several}")
        )
    if manifest.spiking is not None:
        spiking = manifest.spiking
        errors = f"{spiking.network_cm:.2f} cm before, {spiking.integer_cm:.2f} cm as integers"
        rows.append(("error, validation split", errors))
        rows.append(
            (
                "per frame",
                f"{counted(spiking.steps, 'step')}, {spiking.sops:,.0f} SOPs, {spiking.updates:,} updates",
            )
        )
        rows += [
            (chip, f"{need['cores']} of {need['available']} cores" if need["fits"] else "does not fit")
            for chip, need in spiking.chips.items()
        ]
    if manifest.hybrid is not None:
        hybrid = manifest.hybrid
        rows.append(("error", f"{hybrid.float_cm:.2f} cm before, {hybrid.integer_cm:.2f} cm as integers"))
        rows += [
            (chip, f"{need['cores']} of {need['available']} cores" if need["fits"] else "does not fit")
            for chip, need in hybrid.chips.items()
        ]
    if manifest.compiled is not None:
        rows.append(("compiled", "yes" if manifest.compiled else "no; the command is in README.md"))
    if manifest.edgetpu is not None:
        rows.append(("cached on the chip", f"{manifest.edgetpu.cached_bytes:,} bytes"))
        transferred = manifest.edgetpu.per_inference.transferred_bytes
        rows.append(("transferred per inference", f"{transferred:,} bytes"))
    if manifest.expected_latency is not None:
        expected = manifest.expected_latency
        rows.append(("expected invoke", f"{expected.low_ms:g} to {expected.high_ms:g} ms, not measured"))
    return rows
