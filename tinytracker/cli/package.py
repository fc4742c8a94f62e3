"""`tinytracker package`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource
from rich.table import Table

from tinytracker.cli.output import Output, verb
from tinytracker.errors import UsageError
from tinytracker.package import TARGETS
from tinytracker.package.options import option_fields, options_class

if TYPE_CHECKING:
    from tinytracker.package.manifest import Manifest

_TYPES: dict[str, Any] = {
    "Path | None": click.Path(path_type=Path),
    "int": click.IntRange(1),
    "float": click.FloatRange(0, min_open=True),
    "str": str,
    "bool": bool,
}


def _target_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of every target, each marked with the target's name."""
    for name, target in reversed(TARGETS.items()):
        for field in reversed(option_fields(target.options) if target.options else ()):
            flag = {"is_flag": True} if field.type == "bool" else {"type": _TYPES[str(field.type)]}
            help_text = f"[{name}] {field.metadata['help']}"
            option = click.option(
                f"--{field.name.replace('_', '-')}", field.name, default=field.default, help=help_text, **flag
            )
            function = option(function)
    return function


def _chosen_options(target: str, values: dict[str, Any]) -> object | None:
    """The options of the chosen target; those of others must not have been given."""
    context = click.get_current_context()
    own = TARGETS[target].options if target in TARGETS else ""
    names = {f.name for f in option_fields(own)} if own else set()
    for name in values:
        if name not in names and context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            raise UsageError(f"--{name.replace('_', '-')} is no option of target {target}.", "Leave it out.")
    return options_class(own)(**{name: values[name] for name in names}) if own else None


@verb
@click.argument("source", type=click.Path(path_type=Path))
@click.option("--target", required=True, help=f"Device: {', '.join(TARGETS)}.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Package folder to make.")
@click.option("--quantized", help="Which quantized model of a run; default: the one the target takes.")
@click.option(
    "--gaze/--no-gaze",
    default=None,
    help="Whether a .tflite file is a gaze network; default: judged by its inputs and outputs.",
)
@_target_options
def command(
    source: Path, target: str, out: Path, quantized: str | None, gaze: bool | None, **target_options: Any
) -> Output:
    """Package SOURCE, a run folder or an INT8 .tflite file, for a device."""
    from tinytracker.package import package

    result = package(source, target, out, quantized, _chosen_options(target, target_options), gaze)
    table = Table(title=f"{result.folder} for {target}", title_justify="left", show_header=False)
    table.add_column()
    table.add_column()
    for name, text in _rows(result.document):
        table.add_row(name, text)
    for path in sorted(p for p in result.folder.rglob("*") if p.is_file()):
        table.add_row("file", str(path))
    return Output(
        {"folder": str(result.folder), "manifest": str(result.manifest), **result.content}, (table,)
    )


def _rows(manifest: Manifest) -> list[tuple[str, str]]:
    """Lines on a package; which ones there are depends on the target."""
    from tinytracker.package.manifest import SensorMemory

    model, memory, parity = manifest.model, manifest.memory, manifest.parity
    rows = [("model", f"{model.bytes:,} bytes, {model.macs:,} MACs")]
    if not manifest.is_gaze:
        rows.append(("purpose", "not a gaze network (--gaze if it is)"))
    elif model.file is not None:
        rows.append(("purpose", "gaze, as far as its inputs and outputs say (--no-gaze if it is not)"))
    if manifest.arena is not None:
        rows.append(("arena", f"{manifest.arena.total_bytes:,} bytes"))
    if isinstance(memory, SensorMemory):
        share = f"{memory.used_percent:.1f} % of {memory.available_bytes:,}"
        rows.append(("sensor memory", f"{memory.used_bytes:,} bytes, {share}"))
    if parity is not None:
        rows.append(("parity", f"{parity.runtime} = {parity.oracle} on {parity.images} images"))
    if manifest.compiled is not None:
        rows.append(("compiled", "yes" if manifest.compiled else "no; README.md has the command"))
    if manifest.edgetpu is not None:
        rows.append(("cached on the chip", f"{manifest.edgetpu.cached_bytes:,} bytes"))
        transferred = manifest.edgetpu.per_inference.transferred_bytes
        rows.append(("transferred per inference", f"{transferred:,} bytes"))
    if manifest.expected_latency is not None:
        expected = manifest.expected_latency
        rows.append(("expected invoke", f"{expected.low_ms:g} to {expected.high_ms:g} ms, not measured"))
    return rows
