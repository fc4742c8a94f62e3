"""A real client: picamera2's own code opens the packages that we make."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from support.rpk_samples import write_packer_output

from tinytracker.package.imx500.build import INTRINSICS
from tinytracker.package.imx500.rpk import pack

ROOT = Path(__file__).parents[3]
CLIENT = ROOT / "tests" / "support" / "picamera2_client.py"
PROGRAM = ROOT / "deploy" / "imx500"


def opened(python: Path, package: Path) -> dict:
    """What picamera2 says of a package."""
    result = subprocess.run([python, CLIENT, package, PROGRAM], capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("order", "format", "dtype", "offset"),
    [("RGB", "signed", "signed", -2048), ("BGR", "unsigned", "unsigned", 0)],
)
def test_picamera2_reads_what_was_packed(
    picamera2: Path, tmp_path: Path, order: str, format: str, dtype: str, offset: int
) -> None:
    path = tmp_path / "network.rpk"
    output = write_packer_output(tmp_path / "packerOut.zip", width=112, height=96, format=format)
    path.write_bytes(pack(output, order, INTRINSICS))  # type: ignore[arg-type]
    said = opened(picamera2, path)
    assert said["input_size"] == [112, 96]
    assert said["input_tensor"]["input_format"] == order
    assert said["input_tensor"]["dtype"] == dtype
    assert said["input_tensor"]["norm_val"] == [offset] * 3
    assert said["network_info"]["networkNum"] == 1
    assert said["preserve_aspect_ratio"] is True
    assert said["has_aim"] is True
    assert said["intrinsics"] == {**INTRINSICS, "inference_rate": 12.0}  # 12 by a flag


@pytest.mark.slow
def test_the_gaze_program_reads_a_frame_through_picamera2(picamera2: Path, tmp_path: Path) -> None:
    path = tmp_path / "network.rpk"
    path.write_bytes(pack(write_packer_output(tmp_path / "packerOut.zip"), "RGB", INTRINSICS))
    said = opened(picamera2, path)
    assert said["outputs"] == [[0.5, -1.25]]
    assert said["kpi"] == [5.123, 0.812]
    assert said["result"] == {"gaze_cm": [0.5, -1.25], "dnn_ms": 5.123, "dsp_ms": 0.812}
    assert said["empty"] == {"gaze_cm": None, "dnn_ms": None, "dsp_ms": None}
    assert said["roi"] == [508, 0, 3040, 3040]
