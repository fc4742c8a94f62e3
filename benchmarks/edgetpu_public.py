"""Compare public files compiled for the Edge TPU with what the check predicts for them.

    python benchmarks/edgetpu_public.py FOLDER

FOLDER holds one folder per repository, `owner+name`, with that repository's .tflite files at any depth. The uncompiled
file of `x_edgetpu.tflite` is `x.tflite` beside it, or the only one of that name anywhere. Files with equal bytes count
once. Writes benchmarks/results/edgetpu_public.csv.

A third of the families is held out: the rules of tinytracker/package/coralmicro/rules were fitted without them.
Whether a pair is held out depends on its family (the first word of the file's name), so that variants of one network
stay together. Repositories found after the rules were finished are held out completely.
"""

from __future__ import annotations

import csv
import hashlib
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tinytracker.errors import TinyTrackerError
from tinytracker.model.tflite_file import read_tflite
from tinytracker.model.tflite_model import TfliteModel
from tinytracker.package.coralmicro.check import check
from tinytracker.package.coralmicro.edgetpu.compiled import CompiledModel, read_compiled
from tinytracker.package.coralmicro.edgetpu.show import describe
from tinytracker.package.coralmicro.rules.evidence import EVIDENCE, Evidence

RESULTS = Path(__file__).parent / "results" / "edgetpu_public.csv"
MAX_BYTES = 20 * 1024 * 1024
MARK = b"edgetpu-custom-op"
_SUFFIX = re.compile(r"[_-]edgetpu\.tflite$")
_FOUND_LATER = ("s123600g/asr_edgetpu_demo",)
_RENAMED = {"model_retina_net": "mobile_retina_net"}  # mathieugalle/edgetpu-compiler-pad-fail


def family(name: str) -> str:
    """Return the first word of a file's name; two words when the first is just "model"."""
    words = re.sub(r"\d+", "", name).split("_")
    return "_".join(words[:2]) if words[0] == "model" else words[0]


def is_held_back(name: str, repository: str) -> bool:
    """Return whether the rules were fitted without this file."""
    return repository in _FOUND_LATER or int(hashlib.sha256(family(name).encode()).hexdigest(), 16) % 3 == 0


def compiled_files(folder: Path) -> Iterator[tuple[Path, str]]:
    """Yield (path, sha256) of each compiled file, equal files once."""
    seen: set[str] = set()
    for path in sorted(folder.rglob("*.tflite")):
        if path.stat().st_size > MAX_BYTES:
            continue
        content = path.read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        if MARK in content and digest not in seen:
            seen.add(digest)
            yield path, digest


def uncompiled(path: Path, folder: Path) -> Path | None:
    """Return the file from which a compiled one was made, or None."""
    name = _SUFFIX.sub(".tflite", path.name)
    if name == path.name:
        return None
    for prefix, other in _RENAMED.items():
        name = re.sub(f"^{prefix}", other, name)
    if (path.parent / name).is_file():
        return path.parent / name
    digests = {hashlib.sha256(p.read_bytes()).digest(): p for p in sorted(folder.rglob(name))}
    return next(iter(digests.values())) if len(digests) == 1 else None


def left_to_cpu(model: TfliteModel, indices: list[int]) -> Counter[tuple[str, str]]:
    """Return operators by kind and name of their first output; the compiler keeps the names."""
    operators = [model.operators[i] for i in indices]
    return Counter((o.name, model.tensors[o.outputs[0]].name) for o in operators)


def judge(source: Path, compiled: CompiledModel) -> dict[str, Any]:
    """Compare the check's prediction with the compiled file."""
    model = read_tflite(source)
    report = check(model)
    predicted = left_to_cpu(model, [o.index for o in report.operators if not o.maps])
    real = left_to_cpu(compiled.model, [o.index for o in compiled.cpu_operators])
    wrong = sum(((predicted - real) + (real - predicted)).values())
    size = compiled.cached_bytes + compiled.streamed_bytes
    return {
        "operators": len(model.operators),
        "mapped": len(model.operators) - real.total(),
        "wrong": wrong,
        "verdict": "wrong" if wrong else "right",
        "weight_bytes": sum(t.nbytes for t in model.tensors if t.is_constant),
        "predicted_bytes": report.facts["parameter_bytes"],
        "error_percent": f"{100 * (report.facts['parameter_bytes'] / size - 1):.2f}" if size else "",
    }


FIELDS = (
    "file", "repository", "sha256", "runtime", "cached", "streamed", "instructions", "cpu_operators", "held_back",
    "operators", "mapped", "wrong", "verdict", "weight_bytes", "predicted_bytes", "error_percent",
)  # fmt: skip


def rows(folder: Path) -> Iterator[dict[str, Any]]:
    """Yield one row per compiled file."""
    for path, digest in compiled_files(folder):
        repository = path.relative_to(folder).parts[0].replace("+", "/")
        row: dict[str, Any] = {"file": path.name, "repository": repository, "sha256": digest[:12]}
        try:
            compiled = read_compiled(path)
            describe(compiled)
        except TinyTrackerError as error:
            yield row | {"verdict": f"not read: {str(error).split(': ', 1)[1]}"}
            continue
        row |= {
            "runtime": max(o.package.min_runtime_version for o in compiled.tpu_operators),
            "cached": compiled.cached_bytes,
            "streamed": compiled.streamed_bytes,
            "instructions": compiled.instruction_bytes,
            "cpu_operators": len(compiled.cpu_operators),
        }
        source = uncompiled(path, folder)
        if source is not None:
            row |= {
                "held_back": "yes" if is_held_back(path.name, repository) else "no",
                **judge(source, compiled),
            }
        yield row


def unconfirmed(folder: Path) -> list[Evidence]:
    """Return rows of the committed evidence that the pairs in the folder do not confirm."""
    seen = set()
    for path, _ in compiled_files(folder):
        source = uncompiled(path, folder)
        if source is None:
            continue
        compiled, model = read_compiled(path), read_tflite(source)
        left = left_to_cpu(compiled.model, [o.index for o in compiled.cpu_operators])
        runtime = max(o.package.min_runtime_version for o in compiled.tpu_operators)
        repository = path.relative_to(folder).parts[0].replace("+", "/")
        for o in model.operators:
            mapped = (o.name, model.tensors[o.outputs[0]].name) not in left
            seen.add((o.name, o.version, mapped, runtime, source.stem, repository))
    return [
        e for e in EVIDENCE if (e.operator, e.version, e.mapped, e.runtime, e.model, e.repository) not in seen
    ]


def summary(found: list[dict[str, Any]]) -> str:
    """Return the counts as text."""
    lines = [f"{len(found)} compiled files, {sum('cached' in r for r in found)} read"]
    for held_back in ("no", "yes"):
        pairs = [r for r in found if r.get("held_back") == held_back]
        right = [r for r in pairs if r["verdict"] == "right"]
        large = [abs(float(r["error_percent"])) for r in pairs if r["cached"] + r["streamed"] > 16_000]
        lines.append(
            f"held out {held_back}: {len(right)} of {len(pairs)} pairs right, {sum(r['wrong'] for r in pairs)} of"
            f" {sum(r['operators'] for r in pairs)} operators wrong; bytes of {len(large)} above 16 kB:"
            f" median error {sorted(large)[len(large) // 2]:.1f} %, largest {max(large):.1f} %,"
            f" largest of all {max(abs(r['predicted_bytes'] - r['cached'] - r['streamed']) for r in pairs):,} bytes"
        )
    return "\n".join(lines)


def main() -> None:
    """Read a folder, write the table, print the counts."""
    folder = Path(sys.argv[1])
    found = list(rows(folder))
    with RESULTS.open("w", newline="") as file:
        writer = csv.DictWriter(file, FIELDS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(found)
    print(summary(found))
    missing = unconfirmed(folder)
    print(f"evidence: {len(EVIDENCE) - len(missing)} of {len(EVIDENCE)} rows confirmed", *missing, sep="\n")


if __name__ == "__main__":
    main()
