"""The part of a hybrid package's README about its use."""

from __future__ import annotations

from tinytracker.hybrid.document import HybridDocument
from tinytracker.package.neuromorphic.chips import Need
from tinytracker.words import counted


def use_section(about: HybridDocument, needs: dict[str, Need]) -> str:
    """Return Markdown."""
    judged, spiking = about.validation, about.spiking
    assert spiking is not None
    rows = [
        (
            "no answer",
            f"{judged.no_answer_cm:.2f} cm on {counted(judged.windows, 'window')} of the validation split",
        ),
        ("error of the gaze change before rounding", f"{judged.float_cm:.2f} cm"),
        ("in integers", f"{judged.integer_cm:.2f} cm"),
        (
            "spiking layers",
            f"{len(spiking.layers)}; {spiking.neurons:,} neurons, {spiking.synapses:,} synapses",
        ),
    ]
    if about.accumulator is not None and about.head is not None:
        cells = about.accumulator
        rows += [
            ("accumulator", f"{cells.slots} slots of {cells.interval} steps, {cells.bytes:,} bytes"),
            ("head", f"{about.head.bytes:,} bytes, {about.head.macs:,} multiply-accumulates"),
        ]
    for name, need in needs.items():
        fits = f"{need.cores} of {need.available} ({need.how})" if need.fits else "does not fit: "
        rows.append((f"cores, {name}", fits if need.fits else fits + "; ".join(need.problems)))
    table = "".join(f"| {name} | {text} |\n" for name, text in rows)
    return f"## Spikes and integers\n\n| | |\n| --- | --- |\n{table}\n{_use(about)}"


def _use(about: HybridDocument) -> str:
    ms = about.bin_us / 1e3
    text = f"""\
## Use

A window begins with all membranes at zero, for example when a frame is exposed. In each step of {ms:g} ms, give
`spiking.nir` one spike for each cell of the eye strip (32 by 64) and polarity with at least one event. Its neurons
leak, fire above the threshold and are then zero; the layers have no biases, so the step that a connection takes on a
chip only delays what happens.
"""
    if about.accumulator is None:
        return text + (
            f"\nThe last layer only integrates: its sum, times {about.unit_of_readout:g}, is the change of the gaze.\n"
        )
    cells = about.accumulator
    return (
        text
        + f"""
`tt_accumulate.c` adds up the spikes of the last layer: a cell starts at {cells.empty}, and each spike adds
{cells.code_step}, up to {cells.full}. Its cells are the input of `head.tflite`, which may be asked after any step:
slots that have not begun are empty. `accumulator.json` has the shape. The head's codes, less the zero point, times the
scale, are the change of the gaze.

`example.npz` has windows of random events, and the spikes, codes and answers that come out; bits are packed, the first
in the highest bit of a byte.
"""
    )
