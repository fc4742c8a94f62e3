"""Writes the README of a package: a model card with Hugging Face front matter."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tinytracker.package.manifest import BoardMemory, Manifest, ModelSection, ParitySection, SensorMemory
from tinytracker.quant.contract import POSITIONS
from tinytracker.words import counted

if TYPE_CHECKING:
    from tinytracker.evaluate.metrics import Headline
    from tinytracker.package.parity_table import ParityTable


def model_card(manifest: Manifest, use: str) -> str:
    """Return Markdown from a manifest.

    Args:
        manifest: the facts; `model.data_origin` determines the licence. For a network that is not about gaze, the card
            states only what was found in its file.
        use: Markdown section about the use on this target.
    """
    if not manifest.is_gaze:
        return _neutral_card(manifest, use)
    origin = manifest.model.data_origin or ""
    is_foreign = manifest.model.preset is None
    return "\n".join(
        [
            _front_matter(manifest, origin),
            f"# Gaze estimation for {manifest.target}",
            *([_FOREIGN] if is_foreign else []),
            f"The network looks at {manifest.sees} and estimates where on the screen the person looks: "
            f"{manifest.gaze}.\n",
            _facts(manifest),
            _errors(manifest, origin),
            _runtimes(manifest.runtimes),
            use,
            _limits(manifest.model, origin),
        ]
    )


_FOREIGN = """\
**Packaged as a gaze network, because an image goes in and a pair of numbers comes out, or because its packager said so.
Its file does not say what the pair is. If it is something else, package it again with `--no-gaze`.** If it is gaze:
"""


def _neutral_card(manifest: Manifest, use: str) -> str:
    """Return the card of a finder, or of a foreign network, whose purpose, data and licence are unknown."""
    matter = {"library_name": "tflite", "tags": ["tinyml", "int8", manifest.target]}
    name = manifest.model.preset or manifest.model.file or manifest.model.name
    said = "An INT8 network. For its purpose, data and licence, ask its author.\n"
    if manifest.io.finder is not None:
        said = _FINDER
    ours = [_limits(manifest.model, manifest.model.data_origin or "")] if manifest.model.preset else []
    return "\n".join(
        [_yaml(matter), f"# {_escaped(name)} for {manifest.target}\n", said, _facts(manifest), use, *ours]
    )


_FINDER = """A finder: it looks at the whole frame, 96 by 72 px and grey, and says for each cell of 8 by 8 px
whether a strip with both eyes has its centre there, where in the cell, and how wide it is. It starts the
aim of a network that looks at such a strip. The functions of `tt_find.h` read its answer.
"""


_LICENCES = {
    "synthetic": {"license": "apache-2.0"},
    "recorded": {
        "license": "other",
        "license_name": "gazecapture-research-only",
        "license_link": "http://gazecapture.csail.mit.edu/",
    },
    "": {"license": "other", "license_name": "that-of-the-training-data"},
}
_DATASETS = {
    "synthetic": ("synthetic-gazecapture", "synthetic people, drawn by tinytracker"),
    "recorded": ("gazecapture", "GazeCapture, or recordings in its layout"),
    "": ("unknown", "unknown"),
}


def _front_matter(manifest: Manifest, origin: str) -> str:
    """Return Hugging Face's metadata: https://huggingface.co/docs/hub/model-cards#model-card-metadata."""
    dataset, dataset_name = _DATASETS[origin]
    target = manifest.target
    is_spiking = manifest.spiking is not None or manifest.hybrid is not None
    kind = "spiking-neural-network" if is_spiking else "tinyml"
    fields: dict[str, Any] = {
        **_LICENCES[origin],
        "library_name": "nir" if is_spiking else "tflite",
        "pipeline_tag": "keypoint-detection",
        "tags": ["gaze-estimation", "eye-tracking", kind, "int8", target, *([origin] if origin else [])],
        "metrics": ["mean_euclidean_error_cm"],
    }
    results = [
        {
            "task": {"type": "keypoint-detection", "name": "gaze estimation"},
            "dataset": {"type": dataset, "name": dataset_name, "split": split},
            "metrics": [
                {
                    "type": "mean_euclidean_error_cm",
                    "name": f"mean Euclidean error, cm ({name})",
                    "value": round(error_cm, 4),
                }
            ],
        }
        for name, split, error_cm in _measured(manifest)
    ]
    if results:
        name = manifest.model.preset or "gaze"
        fields["model-index"] = [{"name": f"{name} for {target}", "results": results}]
    return _yaml(fields)


def _measured(manifest: Manifest) -> list[tuple[str, str, float]]:
    """Return model, split and error in cm of each measurement: those of `evaluate`, or else those of `spike`."""
    found = [
        (name.rpartition("-")[0], name.rpartition("-")[2], errors.overall.error_cm)
        for name, errors in manifest.metrics.items()
    ]
    if manifest.spiking is not None and not any(name == _SPIKING for name, _, _ in found):
        found.append((_SPIKING, "val", manifest.spiking.integer_cm))
    return found


_SPIKING = "spiking"
"""Name of the model in a run, as `evaluate` takes it."""


def _yaml(fields: dict[str, Any]) -> str:
    """Return front matter with JSON values, which are also YAML; a user's name cannot break out of its quotes."""
    lines = [f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in fields.items()]
    return "\n".join(["---", *lines, "---"])


def _escaped(text: str) -> str:
    """Return a file's name as the text of a heading: one line, no markup."""
    return "".join(f"\\{c}" if c in "\\`*_{}[]<>()#+!|" else c for c in text if c.isprintable())


def _limits(model: ModelSection, origin: str) -> str:
    data = f"data with hash `{model.data_hash[:16]}`" if model.data_hash is not None else "unknown data"
    said = {
        "synthetic": f"Trained on synthetic people ({data}). Its accuracy on real faces is unknown.",
        "recorded": f"Trained on recordings of people ({data}).",
        "": f"Trained on {data}; it is unknown whether its people are real. If they are synthetic, its accuracy on "
        "real faces is unknown.",
    }[origin]
    return (
        f"## Limits\n\n{said}\n\nWeights trained on GazeCapture, and anything derived from them, are for research "
        "only: its\nlicence forbids commercial use. Cite Krafka et al., *Eye Tracking for Everyone*, CVPR 2016, when "
        "you use them.\n"
    )


def _facts(manifest: Manifest) -> str:
    model, parity, memory = manifest.model, manifest.parity, manifest.memory
    rows = [
        *([("preset", model.preset or model.file or "unknown")] if manifest.is_gaze else []),
        ("model", f"{model.bytes:,} bytes, sha256 `{model.sha256[:16]}`"),
        ("work", f"{model.macs:,} multiply-accumulates, {model.parameters:,} parameters"),
        ("operators", ", ".join(model.operators)),
    ]
    if manifest.arena is not None:
        rows.append(("arena", f"{manifest.arena.total_bytes:,} bytes ({manifest.arena.measured})"))
    if isinstance(memory, SensorMemory):
        share = f"{memory.used_bytes:,} of {memory.available_bytes:,} bytes, {memory.used_percent} %"
        rows.append(("sensor memory", share))
    if isinstance(memory, BoardMemory) and not memory.fits:
        over = memory.model_and_arena_bytes - memory.ram_bytes
        rows.append(("memory", f"{over:,} bytes more than the board's {memory.ram_bytes:,} bytes of RAM"))
    for role, tensors in (("input", manifest.io.inputs), ("output", manifest.io.outputs)):
        for t in tensors:
            shape = "x".join(map(str, t.shape))
            scale = f", scale {t.scale:g}, zero point {t.zero_point}" if t.dtype not in POSITIONS else ""
            rows.append((role, f"{t.name}: {t.dtype} {shape}{scale}"))
    if parity:
        same = "equal bit for bit" if parity.differing == 0 else f"{parity.differing} differ"
        rows.append(
            (
                f"{parity.runtime} against {parity.oracle}",
                f"{same} on {counted(parity.images, 'image')} ({parity.images_from}){_outputs(parity)}",
            )
        )
    return "| | |\n| --- | --- |\n" + "".join(f"| {k} | {v} |\n" for k, v in rows)


def _outputs(parity: ParitySection) -> str:
    """Return which outputs were compared, if there are several."""
    return f", all {len(parity.outputs)} outputs" if parity.outputs else ""


def _errors(manifest: Manifest, origin: str) -> str:
    """Return the table of errors, and what of them was measured on which split."""
    table = _error_table(manifest.metrics, origin)
    spiking = manifest.spiking
    if manifest.hybrid is not None:
        return table or (
            "The errors below are those of the **validation** split; on other people they may be larger, and\n"
            "`tinytracker hybrid evaluate RUN` measures them.\n"
        )
    if spiking is None or f"{_SPIKING}-test" in manifest.metrics:
        return table or "Its error has not been measured.\n"
    return (f"{table}\n" if table else "") + (
        f"Error of the spiking network: {spiking.integer_cm:.2f} cm on "
        f"{counted(spiking.validation_frames, 'frame')} of "
        f"the **validation** split, where\nthe ordinary network has {spiking.network_cm:.2f} cm. "
        "Its steps may have been "
        "chosen there, so the error on other people may be\nlarger. To have that of the test split in this card: "
        "`tinytracker evaluate RUN --model spiking`, then package again.\n"
    )


def _error_table(metrics: dict[str, Headline], origin: str) -> str:
    """Return the errors that `evaluate` measured; "" without one."""
    if not metrics:
        return ""
    people = {"synthetic": "synthetic people", "recorded": "recorded people", "": "people of unknown origin"}[
        origin
    ]
    lines = [
        f"Errors on {people} unseen in training:\n",
        "| model | error, cm | 95 % interval | phone | tablet | constant predictor |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for name, errors in metrics.items():
        overall, family = errors.overall, errors.by_family
        by = [f"{family[f].error_cm:.2f}" if f in family else "" for f in ("phone", "tablet")]
        interval = "{:.2f} to {:.2f}".format(*overall.ci95_cm) if overall.subjects > 1 else "one person"
        cells = [
            name,
            f"{overall.error_cm:.2f}",
            interval,
            *by,
            f"{overall.constant_cm:.2f}",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _runtimes(table: ParityTable | None) -> str:
    """Return the table of `tinytracker parity`, or nothing."""
    if table is None:
        return ""
    lines = [
        f"## Runtimes\n\nThe model {table.model} on {counted(table.frames, 'frame')} of the test split and "
        f"{counted(table.patterns, 'pattern')}, compared with {table.oracle}; one step is {table.step_cm:.4f} cm.\n",
        "| runtime | error cm | largest difference, steps | mean | differing images |",
        "| --- | --- | --- | --- | --- |",
    ]
    for row in table.rows:
        if not row.absent:
            error = "" if row.error_cm is None else f"{row.error_cm:.3f}"
            differing = "" if row.differing is None else row.differing
            lines.append(
                f"| {row.runtime} | {error} | {row.max_lsb:.3g} | {row.mean_lsb:.3g} | {differing} |"
            )
    return "\n".join(lines) + "\n"
