"""Generate a page and JSON schemas of the documents that tinytracker writes, from their models.

`python -m tinytracker.cli.documents docs` writes docs/documents.md and docs/schemas/*.json.
"""

from __future__ import annotations

import inspect
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinytracker.adapt.document import AdaptDocument
from tinytracker.cascade.document import CascadeSettings
from tinytracker.cascade.results import CascadeResults
from tinytracker.data.sitting import SittingDocument
from tinytracker.documents import Versioned
from tinytracker.evaluate.calibration import Calibration
from tinytracker.evaluate.document import EvaluationDocument
from tinytracker.files import json_bytes, write_bytes, write_text
from tinytracker.hybrid.document import HybridDocument
from tinytracker.hybrid.evaluation_document import HybridEvaluation
from tinytracker.measure.session import Header
from tinytracker.package.manifest import Manifest
from tinytracker.package.parity_table import ParityDocument
from tinytracker.quant.record import QuantizationRecord, SensorQuantization
from tinytracker.runs import RunDescription
from tinytracker.spiking.document import SpikingDocument

_HEAD = """\
# Documents

Written by `python -m tinytracker.cli.documents`; do not edit.

Everything that a command writes for another command, or for you, is JSON (UTF-8, one document per file). Each kind has
a pydantic model, a `schema_version`, and the JSON schema linked here.

- **Writing**: keys are in the order below; a key without a value is omitted. The same content gives the same bytes.
- **Reading**: keys that the schema does not have are ignored, because a later release may add some without a new
  version. A calibration is the exception: people write it by hand, and a misspelt key would silently correct nothing.
- **Versions**: a `schema_version` newer than this release knows is refused, with the advice to update; an older one is
  migrated, or refused where no migration exists. All documents have version 1 today.
"""


@dataclass(frozen=True)
class Kind:
    """One kind of document: the name of its schema, where it is stored, and its model."""

    name: str
    place: str
    model: type[Versioned]


KINDS = (
    Kind("manifest", "`manifest.json` of a package", Manifest),
    Kind("run", "`RUN/run.json`, `RUN/qat/run.json`", RunDescription),
    Kind("evaluation", "`RUN/evaluation/<model>-<split>.json`", EvaluationDocument),
    Kind("quantization", "`RUN/quantized/<name>/quantization.json`", QuantizationRecord),
    Kind("sensor-quantization", "`RUN/quantized/mct-int8/quantization.json`", SensorQuantization),
    Kind("spiking", "`RUN/spiking/spiking.json`", SpikingDocument),
    Kind("hybrid", "`RUN/hybrid/hybrid.json`", HybridDocument),
    Kind("hybrid-evaluation", "`RUN/evaluation/hybrid-<split>.json`", HybridEvaluation),
    Kind("parity", "`RUN/parity.json`, `RUN/spiking/parity.json`", ParityDocument),
    Kind("session-header", "the first line of a session (`.jsonl`)", Header),
    Kind("calibration", "a calibration file", Calibration),
    Kind("cascade", "the file of `tinytracker cascade fit`", CascadeSettings),
    Kind(
        "cascade-evaluation",
        "`RUN/cascade/evaluation.json` and the file of `tinytracker cascade evaluate --out`",
        CascadeResults,
    ),
    Kind("sitting", "`sitting.json` of a subject that `collect` recorded", SittingDocument),
    Kind("adapt", "`RUN/adapt.json`", AdaptDocument),
)


def schema(kind: Kind) -> dict[str, Any]:
    """Return the JSON schema (draft 2020-12) of the version that is written today."""
    made = kind.model.model_json_schema()
    made["properties"]["schema_version"] = {"const": kind.model.newest}
    made["required"] = sorted(
        {"schema_version", *made.get("required", ())}, key=list(made["properties"]).index
    )
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **made}


def page() -> str:
    """Return the text of docs/documents.md."""
    parts = [_HEAD]
    for kind in KINDS:
        text = inspect.getdoc(kind.model) or ""
        summary = " ".join(text.split("\n\nAttributes:")[0].split())
        parts.append(
            f"\n## {kind.name}\n\n{kind.place[:1].upper()}{kind.place[1:]}, version {kind.model.newest}, "
            f"[schema](schemas/{kind.name}.json). {summary}\n\n| key | type | required |\n| --- | --- | --- |\n"
        )
        described = schema(kind)
        for key, value in described["properties"].items():
            needed = "yes" if key in described["required"] else ""
            parts.append(f"| `{key}` | {_type(value)} | {needed} |\n")
        parts.append(_attributes(text))
    return "".join(parts)


def _type(value: dict[str, Any]) -> str:
    """Return a JSON schema's type in words."""
    if "$ref" in value:
        return str(value["$ref"]).rpartition("/")[2]
    if "anyOf" in value:
        names = (_type(one) for one in value["anyOf"])
        return " or ".join(name for name in names if name != "null")
    if "const" in value:
        return f"`{json.dumps(value['const'])}`"
    if "enum" in value:
        return ", ".join(f'`"{one}"`' for one in value["enum"])
    if value.get("type") == "array":
        inner = value.get("items")
        return f"array of {_type(inner)}" if isinstance(inner, dict) and inner else "array"
    if value.get("type") == "object":
        inner = value.get("additionalProperties")
        return f"object of {_type(inner)}" if isinstance(inner, dict) and inner else "object"
    return str(value.get("type", "any value"))


def _attributes(docstring: str) -> str:
    """Return what the docstring says about the keys, one line per paragraph."""
    section = docstring.partition("\nAttributes:\n")[2].split("\n\n")[0]
    lines: list[str] = []
    for line in section.splitlines():
        if line.startswith("        ") and lines:
            lines[-1] += f" {line.strip()}"
        else:
            lines.append(line.strip())
    return "".join(f"\n{line}\n" for line in lines if line)


def write(docs: Path) -> None:
    """Write the page and the schemas into the documentation folder."""
    write_text(docs / "documents.md", page())
    for kind in KINDS:
        write_bytes(docs / "schemas" / f"{kind.name}.json", json_bytes(schema(kind), indent=2))


if __name__ == "__main__":
    write(Path(sys.argv[1]))
