"""Measure the effect of calibration to one person on a run's test split.

`python benchmarks/calibration.py RUN`; for the bundled weights, RUN is the run of recipes/README.md. The people are
synthetic and unseen in training; some of each person's dots are for calibration, the others for the test
(tinytracker/evaluate/calibration_table.py).
"""

from __future__ import annotations

import sys
from pathlib import Path

from common import write_csv

from tinytracker.evaluate.calibration_table import evaluate_calibration
from tinytracker.runs import Run


def main() -> None:
    folder = Path(sys.argv[1])
    run = Run.open(folder)
    description = run.describe()
    rows = []
    for model in ("float", *run.quantized_names()):
        table = evaluate_calibration(folder, model=model).content
        for row in table["rows"]:
            low, high = row["change_ci95"]
            rows.append(
                {
                    "data": description.data.origin or "synthetic demo",
                    "preset": description.preset,
                    "model": model,
                    "people": table["subjects"],
                    "method": row["method"],
                    "dots": row["dots"],
                    "before_cm": f"{table['before_cm']:.3f}",
                    "after_cm": f"{row['error_cm']:.3f}",
                    "change": f"{row['change']:+.3f}",
                    "change_low": f"{low:+.3f}",
                    "change_high": f"{high:+.3f}",
                    "people_worse_off": f"{row['worse']:.3f}",
                    "choices_of_dots": table["repeats"],
                }
            )
    write_csv("calibration", rows, ["tensorflow", "numpy"])


if __name__ == "__main__":
    main()
