"""Cross-compile every firmware configuration for the emulated board and print what each takes of the 1,536 KB.

Without --model, the network has the layers of the published TinyTrackerS and random weights.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tinytracker.emulate import build_all
from tinytracker.emulate.firmware import RAM_BYTES

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))


def main() -> None:
    """Build and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, help="INT8 .tflite file")
    parser.add_argument("--out", type=Path, default=Path("build/firmware"))
    options = parser.parse_args()
    if options.model is None:
        from support.tflite_nets import tinytracker_s

        model: Path | bytes = tinytracker_s()
    else:
        model = options.model
    print(f"{'configuration':14} {'code+const':>10} {'data':>8} {'zeroed':>8} {'total':>9}  of 1,536 KB")
    for firmware in build_all(model, options.out):
        sizes = (firmware.code_bytes, firmware.data_bytes, firmware.zero_bytes, firmware.ram_bytes)
        code, data, zeroed, total = (f"{size:,}" for size in sizes)
        share = firmware.ram_bytes / RAM_BYTES
        print(f"{firmware.name:14} {code:>10} {data:>8} {zeroed:>8} {total:>9}  {share:6.1%}  {firmware.elf}")


if __name__ == "__main__":
    main()
