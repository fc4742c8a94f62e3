"""What comes next on the way from one's own recording to one's own gaze camera: docs/one-evening.md, step by step."""

from __future__ import annotations

import shlex
from pathlib import Path

from tinytracker.targets import with_part

_QUANTIZED = "ptq-int8"
BOARD, _EMULATED = "spresense", "emulated"
"""The device that the page packages for, and the one that everybody has."""

_STEPS = {
    "adapt": "quantize {run}",
    "quantize": "evaluate {run} --model {quantized}",
    "evaluate": "live --target {webcam} --run {run}{choice}",
    "evaluate without an aim": "package {run} --target {board} --runtime c --out my-package{choice}",
    "live": "package {run} --target {board} --runtime c --out my-package{choice}",
    "package": "emulate {run} --images 1{choice}",
    "emulate": "measure --target {emulated} --run {run} --frames 5 --warmup 1 --out session.jsonl{choice}",
    "measure": "report {run} {session} --out my-report.html",
}
"""The next command by the verb that has ended; the page's commands, with the user's names in them."""


def next_step(
    after: str, run: Path | None, quantized: str | None = None, session: Path | None = None
) -> tuple[str, ...]:
    """Return the line with the next command for a run that `adapt` made; nothing for any other run.

    Args:
        after: the verb that has ended.
        run: that it was given.
        quantized: model of the run that it was given.
        session: that it wrote.
    """
    from tinytracker.adapt.document import ADAPT_FILE, AdaptDocument
    from tinytracker.model.presets import PRESETS

    if run is None or not (run / ADAPT_FILE).is_file():
        return ()
    if after == "evaluate":
        preset = PRESETS.get(AdaptDocument.read(run / ADAPT_FILE).preset)
        after = after if preset is not None and preset.aim else "evaluate without an aim"
    model = quantized or _QUANTIZED
    step = _STEPS[after].format(
        run=shlex.quote(str(run)), quantized=shlex.quote(model), board=BOARD, emulated=_EMULATED,
        webcam=next(iter(with_part("live"))), session=shlex.quote(str(session)),
        choice="" if model == _QUANTIZED else f" --quantized {shlex.quote(model)}",
    )  # fmt: skip
    return (f"Next: tinytracker {step}",)
