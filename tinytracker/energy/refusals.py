"""Reasons why an energy is not given. The words are part of the JSON output."""

from __future__ import annotations

SAMPLES_LOST = "samples-lost"
"""The meter lost samples in the window; what was drawn then is unknown."""

CLIPPED = "clipped"
"""Samples at the end of the meter's range; the true current was higher."""

IMPLAUSIBLE = "implausible-samples"
"""Currents that the board cannot have drawn: far below zero, stuck at one value, or zeros between good samples."""

RATE_TOO_LOW = "sample-rate-too-low"
"""A phase has too few samples for its edges to be placed."""

MARKERS_MISMATCH = "markers-mismatch"
"""The phase lines of the trace do not follow the code, or do not match the session's records."""

ALIGNMENT_TOO_COARSE = "alignment-too-coarse"
"""The clocks of meter and device are not known well enough for a phase this short."""

NO_IDLE = "no-idle"
"""No stretch of idle to subtract; total energy is still given."""

NO_BASELINE = "no-baseline"
"""A stretch that a difference needs was not recorded: the camera off, streaming without a network, or running."""
