"""The part of a package's README about its use."""

from __future__ import annotations

from tinytracker.package.neuromorphic.chips import Need
from tinytracker.spiking.document import SpikingDocument
from tinytracker.words import counted


def use_section(about: SpikingDocument, needs: dict[str, Need]) -> str:
    """Return Markdown."""
    judged = about.validation
    rows = [
        (
            "error before conversion",
            f"{judged.network_cm:.2f} cm on {counted(judged.frames, 'frame')} of the validation split",
        ),
        (
            "error of the spiking network",
            f"{judged.float_cm:.2f} cm; with integers {judged.integer_cm:.2f} cm",
        ),
        ("steps per frame", f"{about.steps}"),
        ("neurons, synapses, largest fan-in", f"{about.neurons:,}, {about.synapses:,}, {about.fan_in:,}"),
        ("spikes per frame", f"{about.spikes:,.0f}"),
        (
            "synaptic operations per frame",
            f"{about.sops:,.0f}, {about.sops_per_mac:.2f} for each multiply-accumulate",
        ),
        ("updates of neurons per frame", f"{about.updates:,}"),
        *((f"cores, {name}", _cores(need)) for name, need in needs.items()),
    ]
    table = "".join(f"| {name} | {text} |\n" for name, text in rows)
    return f"## Spikes\n\n| | |\n| --- | --- |\n{table}\n{_use(about)}"


def _cores(need: Need) -> str:
    if not need.fits:
        return f"does not fit: {'; '.join(need.problems)}"
    return f"{need.cores} of {need.available} ({need.how})"


def _use(about: SpikingDocument) -> str:
    rule = about.rule
    reset = "the threshold is subtracted" if rule["reset"] == "subtract" else "the membrane becomes zero"
    start = "half of the threshold" if rule["start"] == "half" else "zero"
    floor = "minus the threshold" if rule["floor"] == "threshold" else "not limited"
    seen = "the pixel codes p - 128"
    if about.encode == "edges":
        seen = "the codes of edges (`tinytracker.spiking.encoding.edge_codes`)"
    each = "the only step" if about.steps == 1 else f"each of {counted(about.steps, 'step')}"
    several = "as often as the threshold fits" if rule["several"] else "once in a step"
    return f"""\
## Use

`network.nir` is a NIR file: convolutions, integrate-and-fire neurons and dense layers, with integers as float32. Give
it {seen}, channels first, in {each}. The sum of its output over the steps,
divided by {about.steps} and multiplied by {about.unit_cm!r}, is the gaze in units of the network.

NIR does not say how neurons behave; these must behave as follows, which the file's metadata repeats. A neuron fires
where its membrane is `{rule["compare"]}` the threshold, {several}; then {reset}. A membrane starts at {start}
(rounded down), and its lowest value is {floor}. A reader with other neurons computes another network:
docs/neuromorphic.md says which do.
"""
