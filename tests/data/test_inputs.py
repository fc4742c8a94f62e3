"""Network inputs: the numpy oracle by hand, TensorFlow against the oracle, and the stream of records."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from support.gazecapture_folder import make_folder

from tinytracker.data.crops import cut
from tinytracker.data.index import PreparedIndex
from tinytracker.data.inputs import InputSpec, area_weights, make_inputs_numpy
from tinytracker.data.preparation import prepare
from tinytracker.errors import InputFileError, UnknownNameError, UsageError

SPECS = (
    InputSpec("face", 112, 112, "rgb", "input"),
    InputSpec("face", 96, 96, "grey", "baked"),
    InputSpec("eye_band", 192, 64, "rgb", "none"),
    InputSpec("eye_band", 48, 16, "grey", "input"),
    InputSpec("eye_band", 60, 20, margin=0.125),
    InputSpec("face", 50, 40, "grey", "none", margin=0.125),
    InputSpec("itracker", 40, 32, "rgb", "input"),
)


def example(image: np.ndarray | None = None, **changes: Any) -> dict[str, Any]:
    """A face of 80 px in the middle of a stored crop of 100 px; nothing was made smaller."""
    rng = np.random.default_rng(0)
    values = {
        "image": rng.integers(0, 256, (100, 100, 3), np.uint8) if image is None else image,
        "face_in_crop": (10, 10, 80, 80),
        "left_eye_in_crop": (55, 30, 24, 24),
        "right_eye_in_crop": (21, 30, 24, 24),
        "face": (200, 280, 80, 80),
        "frame_size": (480, 640),
    }
    return {
        key: value if key == "image" else np.array(value, np.float32)
        for key, value in (values | changes).items()
    }


def test_shapes_and_names() -> None:
    assert InputSpec("face", 112, 96, "rgb", "input").shapes == {"image": (96, 112, 5)}
    assert InputSpec("face", 96, 96, "grey", "baked").shapes == {"image": (96, 96, 1)}
    assert InputSpec("itracker", 224, 224).shapes == {
        "face": (224, 224, 3),
        "left_eye": (224, 224, 3),
        "right_eye": (224, 224, 3),
        "grid": (25, 25, 1),
    }
    for spec in SPECS:
        inputs = make_inputs_numpy(spec, example())
        assert {name: codes.shape for name, codes in inputs.items()} == spec.shapes
        assert {codes.dtype for codes in inputs.values()} == {np.dtype(np.uint8)}


@pytest.mark.parametrize(
    ("changes", "error", "says"),
    [
        ({"kind": "faces"}, UnknownNameError, "Did you mean 'face'"),
        ({"channels": "gray"}, UnknownNameError, "Did you mean 'grey'"),
        ({"grid": "on"}, UnknownNameError, "Unknown grid"),
        ({"width": 0}, UsageError, "0 x 96"),
        ({"band_width": 0.0}, UsageError, "eye band"),
    ],
)
def test_specs_that_cannot_be(changes: dict[str, Any], error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        InputSpec(**{"kind": "face", "width": 96, "height": 96, **changes})


def test_a_face_at_its_own_size_is_the_crop() -> None:
    values = example()
    inputs = make_inputs_numpy(InputSpec("face", 80, 80), values)
    np.testing.assert_array_equal(inputs["image"], values["image"][10:90, 10:90])


def test_halving_averages_blocks_and_grey_is_integer_luma() -> None:
    values = example()
    rgb = make_inputs_numpy(InputSpec("face", 40, 40), values)["image"]
    blocks = values["image"][10:90, 10:90].reshape(40, 2, 40, 2, 3).astype(int).sum(axis=(1, 3))
    np.testing.assert_array_equal(rgb, (blocks + 2) // 4)
    grey = make_inputs_numpy(InputSpec("face", 40, 40, "grey"), values)["image"][..., 0]
    r, g, b = np.moveaxis(rgb.astype(int), -1, 0)
    np.testing.assert_array_equal(grey, (77 * r + 150 * g + 29 * b + 128) // 256)


def test_white_stays_white_in_grey() -> None:
    white = example(np.full((100, 100, 3), 255, np.uint8))
    assert (make_inputs_numpy(InputSpec("face", 33, 21, "grey"), white)["image"] == 255).all()


def test_position_channels_place_the_face_in_the_frame() -> None:
    image = make_inputs_numpy(InputSpec("face", 2, 4, grid="input"), example())["image"]
    # columns at x = 200 + 20 and 200 + 60 of 480, rows at y = 280 + 10, 30, 50, 70 of 640
    x = [round(128 * (2 * v / 480 - 1)) + 128 for v in (220, 260)]
    y = [round(128 * (2 * v / 640 - 1)) + 128 for v in (290, 310, 330, 350)]
    np.testing.assert_array_equal(image[..., 3], np.tile(x, (4, 1)))
    np.testing.assert_array_equal(image[..., 4], np.tile(np.array(y)[:, None], (1, 2)))


def test_positions_survive_a_smaller_stored_crop() -> None:
    spec = InputSpec("eye_band", 48, 16, grid="input")
    full = make_inputs_numpy(spec, example())["image"]
    half = {key: np.array(example()[key]) / 2 for key in example() if key.endswith("_in_crop")}
    small = make_inputs_numpy(spec, example(np.zeros((50, 50, 3), np.uint8), **half))["image"]
    np.testing.assert_array_equal(full[..., 3:], small[..., 3:])


def test_the_eye_band_is_centred_between_the_eyes() -> None:
    values = example()
    band = make_inputs_numpy(InputSpec("eye_band", 60, 20), values)["image"]
    np.testing.assert_array_equal(band, cut(values["image"], (50 - 30, 42 - 10, 60, 20)))


def test_itracker_sees_face_eyes_and_grid() -> None:
    values = example()
    inputs = make_inputs_numpy(InputSpec("itracker", 24, 24), values)
    np.testing.assert_array_equal(inputs["left_eye"], values["image"][30:54, 55:79])
    np.testing.assert_array_equal(inputs["right_eye"], values["image"][30:54, 21:45])
    grid = inputs["grid"][..., 0]
    # x 200·25/480 = 10.4 → column 11, 80·25/480 = 4.2 → 4; y 280·25/640 = 10.9 → row 12, 80·25/640 = 3.1 → 3
    expected = np.full((25, 25), 128)
    expected[11:14, 10:14] = 255
    np.testing.assert_array_equal(grid, expected)


def test_outside_the_stored_crop_is_black() -> None:
    white = np.full((100, 100, 3), 255, np.uint8)
    image = make_inputs_numpy(InputSpec("face", 4, 4), example(white, face_in_crop=(-50, 0, 100, 100)))[
        "image"
    ]
    np.testing.assert_array_equal(image[..., 0], [[0, 0, 255, 255]] * 4)
    gone = make_inputs_numpy(InputSpec("face", 4, 4), example(white, face_in_crop=(-500, 0, 100, 100)))[
        "image"
    ]
    assert not gone.any()


@given(st.floats(-30, 60), st.floats(0.5, 80), st.integers(1, 50), st.integers(1, 40))
def test_area_weights_are_the_covered_parts(start: float, extent: float, size: int, n: int) -> None:
    weights = area_weights(start, extent, size, n)
    assert weights.shape == (n, size)
    assert (weights >= 0).all()
    low = start + np.arange(n) * extent / n
    inside = np.clip(np.minimum(low + extent / n, size) - np.maximum(low, 0), 0, None) / (extent / n)
    np.testing.assert_allclose(weights.sum(axis=1), inside, atol=1e-6)


boxes = st.tuples(st.floats(-60, 90), st.floats(-60, 90), st.floats(2, 120), st.floats(2, 120))


@pytest.mark.train
@settings(deadline=None, max_examples=25)
@given(st.sampled_from(SPECS), boxes, boxes, boxes, boxes)
def test_tensorflow_equals_numpy_within_one_code(
    spec: InputSpec,
    face: tuple[float, ...],
    left: tuple[float, ...],
    right: tuple[float, ...],
    frame: tuple[float, ...],
) -> None:
    import tensorflow as tf

    from tinytracker.data.inputs import make_inputs

    values = example(
        face_in_crop=face, left_eye_in_crop=left, right_eye_in_crop=right, face=frame, frame_size=(97, 131)
    )
    expected = make_inputs_numpy(spec, values)
    result = make_inputs(spec, {key: tf.constant(value) for key, value in values.items()})
    assert set(result) == set(expected)
    for name, codes in expected.items():
        assert result[name].dtype == tf.uint8
        difference = np.abs(result[name].numpy().astype(int) - codes.astype(int))
        assert (
            difference.max() <= 1
        )  # a mean may lie on the edge between two codes; on noise, errors are larger
        if name == "grid":
            assert difference.max() == 0


@pytest.mark.train
@pytest.mark.parametrize("size", [(7, 5), (40, 40), (112, 96), (200, 170)])
def test_whole_boxes_agree_with_tensorflows_area_resize(size: tuple[int, int]) -> None:
    import tensorflow as tf

    values = example()
    width, height = size
    part = values["image"][10:90, 10:90].astype(np.float32)
    reference = np.floor(tf.image.resize(part, (height, width), method="area").numpy() + 0.5)
    image = make_inputs_numpy(InputSpec("face", width, height), values)["image"]
    assert np.abs(image - reference).max() <= 1


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> PreparedIndex:
    root = tmp_path_factory.mktemp("prepared")
    make_folder(root / "src", subjects=9, frames=5)
    return prepare(root / "src", root / "out", jobs=1, shard_frames=10).index


def order(dataset: Any) -> list[tuple[bytes, int]]:
    return [(row["subject"], int(row["frame"])) for row in dataset.as_numpy_iterator()]


@pytest.mark.train
def test_records_come_whole_and_in_a_reproducible_order(prepared: PreparedIndex) -> None:
    from tinytracker.data.pipeline import records

    plain = order(records(prepared, "train"))
    assert len(plain) == len(set(plain)) == prepared.splits["train"].frames == 25
    assert records(prepared, "train").cardinality() == 25
    assert order(records(prepared, "train")) == plain
    shuffled = order(records(prepared, "train", shuffle_seed=1))
    assert shuffled != plain
    assert sorted(shuffled) == sorted(plain)
    assert order(records(prepared, "train", shuffle_seed=1)) == shuffled
    assert order(records(prepared, "train", shuffle_seed=2)) != shuffled


@pytest.mark.train
def test_a_decoded_frame_has_the_pixels_that_pillow_sees(prepared: PreparedIndex) -> None:
    from tinytracker.data.examples import parse
    from tinytracker.data.pipeline import decode, serialized_records

    for serialized in serialized_records(prepared, "val"):
        encoded = parse(serialized)["image"].numpy()
        decoded = decode(serialized)
        np.testing.assert_array_equal(decoded["image"].numpy(), np.asarray(Image.open(io.BytesIO(encoded))))
        face = decoded["face_in_crop"].numpy()
        height, width = decoded["image"].shape[:2]
        # the face lies inside the stored crop, with the margin around it
        assert face[0] > 0
        assert face[1] > 0
        assert face[0] + face[2] < width
        assert face[1] + face[3] < height


@pytest.mark.train
def test_inputs_work_inside_a_dataset(prepared: PreparedIndex) -> None:
    from tinytracker.data.inputs import make_inputs
    from tinytracker.data.pipeline import records

    for spec in SPECS:
        dataset = records(prepared, "test").map(lambda row, spec=spec: (make_inputs(spec, row), row["gaze"]))
        specification = dataset.element_spec[0]
        assert {name: tuple(tensor.shape) for name, tensor in specification.items()} == spec.shapes
        inputs, gaze = next(iter(dataset.batch(4)))
        assert gaze.shape == (4, 2)
        assert {name: tuple(codes.shape[1:]) for name, codes in inputs.items()} == spec.shapes


@pytest.mark.train
def test_an_empty_split_is_an_error(prepared: PreparedIndex, tmp_path: Path) -> None:
    from tinytracker.data.pipeline import records

    make_folder(tmp_path / "src", subjects=1, frames=2)
    index = prepare(tmp_path / "src", tmp_path / "out", jobs=1).index
    with pytest.raises(InputFileError, match="is empty"):
        records(index, "test")
