"""The table of resolver methods is what the installed TFLM has, operator by operator."""

import pytest
import tflite
from support.tflite_builder import Op, T, build_tflite

from tinytracker.errors import ModelError
from tinytracker.interpreters.micro_process import MicroProcess, MicroRefusalError
from tinytracker.model.tflite_file import read_tflite
from tinytracker.package.tflm_operators import METHODS, resolver_methods

pytest.importorskip("tflite_micro")
MISSING = "CONCAT_EMBEDDINGS"
NOT_BUILTIN = ("CUSTOM", "DELEGATE", "PLACEHOLDER_FOR_GREATER_OP_CODES", MISSING)


def two_operators(first: str) -> bytes:
    """The second operator is one that no TFLM has, so that loading ends before a kernel looks at its tensors."""
    tensors = [T((1, 8), scales=(0.1,)) for _ in range(3)]
    options = "VarHandleOptions" if first == "VAR_HANDLE" else None  # its Python interface reads them
    return build_tflite(
        tensors, [Op(first, [0], [1], options_class=options), Op(MISSING, [1], [2])], [0], [2]
    )


def test_the_table_is_what_the_resolver_knows():
    builtin = {name for name, value in vars(tflite.BuiltinOperator).items() if isinstance(value, int)}
    custom = {name for name in METHODS if name.startswith("CUSTOM:")} | {"CUSTOM:nobody"}
    process, known = MicroProcess(), set()
    for name in (builtin - set(NOT_BUILTIN)) | custom:
        with pytest.raises(MicroRefusalError) as caught:
            process.load(two_operators(name), 1 << 16)
        if MISSING in caught.value.message:
            known.add(name)
    process.close()
    assert known == set(METHODS)


def test_a_model_gets_the_methods_of_its_operators():
    model = read_tflite(
        build_tflite([T((1, 8))] * 3, [Op("EXPAND_DIMS", [0], [1]), Op("CAST", [1], [2])], [0], [2])
    )
    assert resolver_methods(model) == {"CAST": "Cast", "EXPAND_DIMS": "ExpandDims"}
    with pytest.raises(
        ModelError, match=r"operator CONCAT_EMBEDDINGS cannot be registered with TFLM's resolver"
    ):
        resolver_methods(read_tflite(two_operators("ADD")))


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("edgetpu-custom-op", "compiled for the Edge TPU; package the file from which it was compiled"),
        ("ethos-u", r"compiled for Arm Ethos-U by Vela .* Use the original \.tflite file"),
    ],
)
def test_a_compiled_file_is_called_one(code, sentence):
    with pytest.raises(ModelError, match=sentence):
        resolver_methods(read_tflite(two_operators(f"CUSTOM:{code}")))
