"""The README of a package: a model card with Hugging Face front matter."""

from __future__ import annotations

from typing import Any


def model_card(target: str, content: dict[str, Any], use: str) -> str:
    """Markdown from a manifest's content.

    Args:
        target: name of the target.
        content: see `tinytracker.package.manifest.write_manifest`.
        use: Markdown section on how this target takes the model.
    """
    model = content["model"]
    return "\n".join(
        [
            "---\nlicense: other\nlibrary_name: tflite\ntags: [gaze-estimation, tinyml, int8]\n---",
            f"# Gaze estimation for {target}",
            "The network looks at a face crop and answers where on the screen the person looks: "
            f"{content['gaze']}.\n",
            _facts(content),
            _errors(content["metrics"]),
            _runtimes(content.get("runtimes")),
            use,
            "## Limits\n\nTrained on "
            + (
                "the data set with hash `" + model["data_hash"][:16] + "`."
                if "data_hash" in model
                else "unknown data."
            )
            + " A network trained on synthetic faces says little about real ones. Weights trained on GazeCapture, and\n"
            "whatever is derived from them, are for research only: its licence forbids commercial use.\n",
        ]
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
                f"{same} on {parity['images']} images ({parity['images_from']})",
            )
        )
    return "| | |\n| --- | --- |\n" + "".join(f"| {k} | {v} |\n" for k, v in rows)


def _errors(metrics: dict[str, Any]) -> str:
    if not metrics:
        return "Its error has not been measured here.\n"
    lines = [
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
