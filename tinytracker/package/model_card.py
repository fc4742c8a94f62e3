"""The README of a package: a model card with Hugging Face front matter."""

from __future__ import annotations

import json
from typing import Any


def model_card(target: str, content: dict[str, Any], use: str) -> str:
    """Markdown from a manifest's content.

    Args:
        target: name of the target.
        content: see `tinytracker.package.manifest.write_manifest`; `model.data_origin` decides on the licence.
        use: Markdown section on how this target takes the model.
    """
    model = content["model"]
    origin = str(model.get("data_origin") or "")
    return "\n".join(
        [
            _front_matter(target, content, origin),
            f"# Gaze estimation for {target}",
            f"The network looks at {content['sees']} and answers where on the screen the person looks: "
            f"{content['gaze']}.\n",
            _facts(content),
            _errors(content["metrics"], origin),
            _runtimes(content.get("runtimes")),
            use,
            _limits(model, origin),
        ]
    )


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


def _front_matter(target: str, content: dict[str, Any], origin: str) -> str:
    """Hugging Face's metadata: https://huggingface.co/docs/hub/model-cards#model-card-metadata.

    Values are JSON, which is YAML too; nothing that a user named can break out of its quotes.
    """
    dataset, dataset_name = _DATASETS[origin]
    fields: dict[str, Any] = {
        **_LICENCES[origin],
        "library_name": "tflite",
        "pipeline_tag": "keypoint-detection",
        "tags": ["gaze-estimation", "eye-tracking", "tinyml", "int8", target, *([origin] if origin else [])],
        "metrics": ["mean_euclidean_error_cm"],
    }
    results = [
        {
            "task": {"type": "keypoint-detection", "name": "gaze estimation"},
            "dataset": {"type": dataset, "name": dataset_name, "split": name.rpartition("-")[2]},
            "metrics": [
                {
                    "type": "mean_euclidean_error_cm",
                    "name": f"mean Euclidean error, cm ({name.rpartition('-')[0]})",
                    "value": round(errors["overall"]["error_cm"], 4),
                }
            ],
        }
        for name, errors in content["metrics"].items()
    ]
    if results:
        name = str(content["model"].get("preset", "gaze"))
        fields["model-index"] = [{"name": f"{name} for {target}", "results": results}]
    lines = [f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in fields.items()]
    return "\n".join(["---", *lines, "---"])


def _limits(model: dict[str, Any], origin: str) -> str:
    data = f"data with hash `{model['data_hash'][:16]}`" if "data_hash" in model else "unknown data"
    said = {
        "synthetic": f"Trained on synthetic people ({data}). That says little about real faces.",
        "recorded": f"Trained on recordings of people ({data}).",
        "": f"Trained on {data}; whether its people exist is not known here. A network trained on synthetic faces says "
        "little about real ones.",
    }[origin]
    return (
        f"## Limits\n\n{said}\n\nWeights trained on GazeCapture, and whatever is derived from them, are for research "
        "only: its\nlicence forbids commercial use. Cite Krafka et al., *Eye Tracking for Everyone*, CVPR 2016, when "
        "you use them.\n"
    )


def _facts(content: dict[str, Any]) -> str:
    model, parity = content["model"], content.get("parity")
    rows = [
        ("preset", model.get("preset", model.get("file", "unknown"))),
        ("model", f"{model['bytes']:,} bytes, sha256 `{model['sha256'][:16]}`"),
        ("work", f"{model['macs']:,} multiply-accumulates, {model['parameters']:,} parameters"),
        ("operators", ", ".join(model["operators"])),
    ]
    if "arena" in content:
        rows.append(("arena", f"{content['arena']['total_bytes']:,} bytes ({content['arena']['measured']})"))
    if "used_bytes" in content.get("memory", {}):
        memory = content["memory"]
        rows.append(
            (
                "sensor memory",
                f"{memory['used_bytes']:,} of {memory['available_bytes']:,} bytes, {memory['used_percent']} %",
            )
        )
    for role in ("inputs", "outputs"):
        for t in content["io"][role]:
            shape = "x".join(map(str, t["shape"]))
            rows.append(
                (
                    role[:-1],
                    f"{t['name']}: {t['dtype']} {shape}, scale {t['scale']:g}, zero point {t['zero_point']}",
                )
            )
    if parity:
        same = "equal bit for bit" if parity["differing"] == 0 else f"{parity['differing']} differ"
        rows.append(
            (
                f"{parity['runtime']} against {parity['oracle']}",
                f"{same} on {parity['images']} images ({parity['images_from']}){_outputs(parity)}",
            )
        )
    return "| | |\n| --- | --- |\n" + "".join(f"| {k} | {v} |\n" for k, v in rows)


def _outputs(parity: dict[str, Any]) -> str:
    """Which outputs were compared, when there are several."""
    return f", all {len(parity['outputs'])} outputs" if "outputs" in parity else ""


def _errors(metrics: dict[str, Any], origin: str) -> str:
    if not metrics:
        return "Its error has not been measured here.\n"
    people = {"synthetic": "synthetic people", "recorded": "recorded people", "": "people of unknown origin"}[
        origin
    ]
    lines = [
        f"Errors on {people} unseen in training:\n",
        "| model | error, cm | 95 % interval | phone | tablet | constant predictor |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for name, errors in metrics.items():
        overall, family = errors["overall"], errors["by_family"]
        by = [f"{family[f]['error_cm']:.2f}" if f in family else "" for f in ("phone", "tablet")]
        low, high = overall["ci95_cm"]
        cells = [
            name,
            f"{overall['error_cm']:.2f}",
            f"{low:.2f} to {high:.2f}",
            *by,
            f"{overall['constant_cm']:.2f}",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _runtimes(table: dict[str, Any] | None) -> str:
    """What `tinytracker parity` found, or nothing."""
    if table is None:
        return ""
    lines = [
        f"## Runtimes\n\nThe model {table['model']} on {table['frames']} frames of the test split and "
        f"{table['patterns']} patterns, compared with {table['oracle']}; one step is {table['step_cm']:.4f} cm.\n",
        "| runtime | error cm | largest difference, steps | mean | images that differ |",
        "| --- | --- | --- | --- | --- |",
    ]
    for row in table["rows"]:
        if not row["absent"]:
            error = "" if row["error_cm"] is None else f"{row['error_cm']:.3f}"
            differing = "" if row["differing"] is None else row["differing"]
            lines.append(
                f"| {row['runtime']} | {error} | {row['max_lsb']:.3g} | {row['mean_lsb']:.3g} | {differing} |"
            )
    return "\n".join(lines) + "\n"
