"""Constants that only an open batch size made into operators are computed at generation time."""

import numpy as np
import pytest
from support.host_c import Case, compile_and_run, random_inputs
from support.oracle import builtin_ref
from support.tflite_builder import Op, T, build_tflite

from tinytracker.codegen import generate
from tinytracker.codegen.fold import fold_constants
from tinytracker.errors import ModelError
from tinytracker.model.tflite_file import read_tflite
from tinytracker.quant.specification import SpecificationInterpreter

QUANTIZATION = {"scales": (0.1,), "zero_points": (3,)}


def ints(*values: int) -> T:
    return T((len(values),), "int32", data=np.array(values, np.int32))


def baked_grid(repeats_from_shape: bool = True, tile_scale: float = 0.1) -> bytes:
    """Image and a constant grid that is repeated for each image of the batch, as Keras exports it."""
    grid = np.random.default_rng(1).integers(-128, 128, (1, 3, 4, 2)).astype(np.int8)
    tensors = [
        T((1, 3, 4, 1), signature=(-1, 3, 4, 1), **QUANTIZATION),
        T((1, 3, 4, 2), data=grid, **QUANTIZATION),
        T((4,), "int32", name="shape"),
        ints(0), ints(1), ints(1),
        T((), "int32", name="batch"),
        T((), "int32", data=np.array(1, np.int32)),
        T((4,), "int32", name="repeats"),
        T((1, 3, 4, 2), scales=(tile_scale,), zero_points=(3,), name="tiled"),
        T((1, 3, 4, 3), **QUANTIZATION),
    ]  # fmt: skip
    if not repeats_from_shape:
        tensors[8] = T((4,), "int32", data=np.array([1, 1, 1, 1], np.int32))
    shape_operators = [
        Op("SHAPE", [0], [2], {"OutType": 2}, 1, "ShapeOptions"),
        Op("STRIDED_SLICE", [2, 3, 4, 5], [6], {"ShrinkAxisMask": 1}, 1, "StridedSliceOptions"),
        Op("PACK", [6, 7, 7, 7], [8], {"ValuesCount": 4, "Axis": 0}, 1, "PackOptions"),
    ]
    operators = [
        *(shape_operators if repeats_from_shape else []),
        Op("TILE", [1, 8], [9], version=2),
        Op("CONCATENATION", [0, 9], [10], {"Axis": 3}),
    ]
    return build_tflite(tensors, operators, [0], [10])


@pytest.mark.parametrize("from_shape", [True, False])
def test_only_the_real_work_is_left(from_shape, tmp_path):
    library = generate(baked_grid(from_shape), tmp_path)
    assert [step.name for step in library.steps] == ["CONCATENATION"]


@pytest.mark.train
def test_outputs_equal_the_reference(tmp_path):
    model = baked_grid()
    inputs = random_inputs(model, np.random.default_rng(2), 5)
    ours = compile_and_run([Case(model, inputs)], tmp_path)[0]
    for mine, reference in zip(ours, builtin_ref(model, inputs), strict=True):
        np.testing.assert_array_equal(mine[0], reference[0])
    (specified,) = SpecificationInterpreter(model).run([np.stack([row[0] for row in inputs])])
    np.testing.assert_array_equal(specified, np.stack([row[0] for row in ours]))


def test_what_would_need_requantization_is_not_folded(tmp_path):
    with pytest.raises(ModelError, match=r"TILE, tensor 9 'tiled'.*no kernel exists"):
        generate(baked_grid(tile_scale=0.2), tmp_path)


def test_the_model_itself_is_not_changed():
    model = read_tflite(baked_grid())
    folded = fold_constants(model)
    assert model.tensors[9].data is None
    assert folded.tensors[9].data is not None
    assert len(model.operators) == 5


def test_a_shape_of_64_bits_is_folded(tmp_path):
    tensors = [
        T((1, 2, 3), signature=(-1, 2, 3), **QUANTIZATION),
        T((3,), "int64", name="shape"),
        T((1, 2, 3), **QUANTIZATION),
    ]
    operators = [Op("SHAPE", [0], [1], {"OutType": 4}, 1, "ShapeOptions"), Op("RESHAPE", [0, 1], [2])]
    assert [step.name for step in generate(build_tflite(tensors, operators, [0], [2]), tmp_path).steps] == [
        "RESHAPE"
    ]
    folded = fold_constants(read_tflite(build_tflite(tensors, operators, [0], [2])))
    np.testing.assert_array_equal(folded.tensors[1].data, [1, 2, 3])


def test_contradicting_arguments_are_left_to_the_importer(tmp_path):
    tensors = [
        T((1, 4), **QUANTIZATION),
        T((1, 4), data=np.zeros((1, 4), np.int8), **QUANTIZATION),
        ints(1, 2, 3), T((1, 4), **QUANTIZATION), T((1, 8), **QUANTIZATION),
    ]  # fmt: skip
    operators = [Op("TILE", [1, 2], [3], version=2), Op("CONCATENATION", [0, 3], [4], {"Axis": 1})]
    with pytest.raises(ModelError, match="TILE"):
        generate(build_tflite(tensors, operators, [0], [4]), tmp_path)
