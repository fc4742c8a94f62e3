"""Numbers published by others. None of them was measured here; a report shows them in separate tables."""

from __future__ import annotations

from typing import Any

_TINYTRACKER = "Bonazzi et al., IEEE Sensors 2023, arXiv 2307.07813, abstract"
_SURVEY = "survey of Cheng et al., arXiv 2104.12668"

ERRORS: list[dict[str, Any]] = [
    {"work": "iTracker", "year": 2016, "phone_cm": 1.86, "tablet_cm": 2.81, "calibration": "none", "source": _SURVEY},
    {
        "work": "iTracker, fine-tuned per device and orientation", "year": 2016, "phone_cm": 1.71, "tablet_cm": 2.53,
        "calibration": "none", "source": "Krafka et al., CVPR 2016, abstract",
    },
    {
        "work": "iTracker, fine-tuned per device and orientation", "year": 2016, "phone_cm": 1.34, "tablet_cm": 2.12,
        "calibration": "yes", "source": "Krafka et al., CVPR 2016, abstract",
    },
    {"work": "TAT", "year": 2019, "phone_cm": 1.77, "tablet_cm": 2.66, "calibration": "none", "source": _SURVEY},
    {"work": "SAGE", "year": 2019, "phone_cm": 1.78, "tablet_cm": 2.72, "calibration": "none", "source": _SURVEY},
    {"work": "AFF-Net", "year": 2020, "phone_cm": 1.62, "tablet_cm": 2.30, "calibration": "none", "source": _SURVEY},
    {
        "work": "iMon", "year": 2021, "phone_cm": 1.49, "tablet_cm": 1.94, "calibration": "none",
        "source": "Huynh et al., IMWUT 2021, abstract",
    },
    {
        "work": "iMon", "year": 2021, "phone_cm": 1.11, "tablet_cm": 1.59, "calibration": "yes",
        "source": "Huynh et al., IMWUT 2021, abstract",
    },
]  # fmt: skip
"""Mean Euclidean error on GazeCapture's test split, real faces."""

DEVICES: list[dict[str, Any]] = [
    {
        "device": "IMX500", "what": "end to end", "latency_ms": 19.0, "energy_mj": 4.9, "source": _TINYTRACKER,
    },
    {"device": "IMX500", "what": "camera read, process, transmit", "latency_ms": 17.9, "source": _TINYTRACKER},
    {"device": "IMX500", "what": "inference", "latency_ms": 0.86, "energy_mj": 0.06, "source": _TINYTRACKER},
    {"device": "IMX500", "what": "retrieval of the result", "latency_ms": 0.24, "source": _TINYTRACKER},
    {
        "device": "Coral Dev Board Micro", "what": "end to end", "latency_ms": 34.4, "energy_mj": 34.2,
        "source": _TINYTRACKER,
    },
]  # fmt: skip
"""TinyTracker on boards, measured by its authors."""

PUBLISHED: dict[str, Any] = {
    "errors": ERRORS,
    "devices": DEVICES,
    "quantization_loss_cm": {"at_most": 0.16, "source": _TINYTRACKER},
}
