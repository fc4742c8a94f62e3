"""Lists what is installed for each kind of work, what is missing, and the command that installs it."""

from __future__ import annotations

from tinytracker.requirements import Part, program_part, python_part
from tinytracker.targets import with_part


def diagnose() -> list[Part]:
    """Return every optional part, installed or not; changes nothing and imports none of them."""
    shared = [
        python_part("tensorflow", "tensorflow", "prepare, train, evaluate, quantize", "train"),
        python_part("numba", "numba", "synth, demo", "synth"),
        program_part("cc", "generated C: package, parity", "gcc libc6-dev"),
    ]
    return [
        *shared,
        *(part for target in with_part("doctor").values() for part in target.part("doctor").parts()),
    ]
