"""Each rule has a graph that breaks it and one that keeps it; the report follows the compiler's one cut."""

import json
import random

import numpy as np
import pytest
from click.testing import CliRunner
from support.edgetpu_builder import compiled_net
from support.tflite_builder import Op, T, build_tflite, conv_options
from support.tflite_nets import NetBuilder, tinytracker_s

from tinytracker.errors import InputFileError, ModelError, UnknownNameError, UsageError
from tinytracker.model.tflite_file import read_tflite
from tinytracker.package.coralmicro.check import BEHIND, check
from tinytracker.package.coralmicro.rules.general import GENERAL_RULES
from tinytracker.package.coralmicro.rules.graph import GRAPH_RULES
from tinytracker.package.coralmicro.rules.operators import OPERATOR_RULES
from tinytracker.package.coralmicro.rules.parameters import predicted_bytes
from tinytracker.package.suitability import check as check_target

IMAGE = (1, 8, 8, 4)


def act(shape=IMAGE, dtype="uint8", scale=1 / 128, signature=()):
    """An activation."""
    return T(shape, dtype, (scale,) if scale else (), (0,) if scale else (), signature=signature)


def ints(*values):
    """A constant of axes or sizes."""
    return T((len(values),), "int32", data=np.array(values, np.int32))


def one(code, *tensors, out=None, version=0, options_class=None, **options):
    """A graph of one operator; tensors without data are inputs of the graph."""
    all_tensors = [*tensors, out or act()]
    op = Op(code, list(range(len(tensors))), [len(tensors)], options, version, options_class)
    inputs = [i for i, t in enumerate(tensors) if t.data is None]
    return build_tflite(all_tensors, [op], inputs, [len(tensors)])


def conv(dilation=(1, 1), weights_dtype="int8", version=3, weights=True):
    shape = (4, 3, 3, 4)
    data = np.ones(shape, weights_dtype) if weights else None
    options = conv_options() | {"DilationHFactor": dilation[0], "DilationWFactor": dilation[1]}
    kernel = T(shape, weights_dtype, () if weights_dtype == "int16" else (0.1,), data=data)
    return one("CONV_2D", act(), kernel, version=version, **options)


def dense(outputs=(1, 2), scales=(0.1,), form="DEFAULT", version=4):
    weights = T((2, 16), "int8", scales, (0,) * len(scales), data=np.ones((2, 16), np.int8))
    return one(
        "FULLY_CONNECTED", act((1, 16)), weights, out=act(outputs), version=version,
        WeightsFormat=form, FusedActivationFunction="NONE",
    )  # fmt: skip


def pool(activation="NONE", code="AVERAGE_POOL_2D"):
    return one(
        code, act(), out=act((1, 4, 4, 4)), Padding="VALID", StrideW=2, StrideH=2, FilterWidth=2,
        FilterHeight=2, FusedActivationFunction=activation,
    )  # fmt: skip


def concat(values, more=0):
    planes = T(IMAGE, "uint8", (1 / 128,), (3,), data=np.full(IMAGE, values, np.uint8))
    images = [act() for _ in range(1 + more)]
    return one("CONCATENATION", *images, planes, out=act((1, 8, 8, 8 + 4 * more)), Axis=3)


def mean(*axes, channels=4, code="MEAN"):
    return one(code, act((1, 8, 8, channels)), ints(*axes), out=act((1, channels)), KeepDims=False)


def pad(batch):
    amounts = T((4, 2), "int32", data=np.array([[batch, 0], [1, 1], [1, 1], [0, 0]], np.int32))
    return one("PAD", act(), amounts, out=act((1 + batch, 10, 10, 4)))


def prelu(shape):
    slope = T(shape, "int8", (0.1,), data=np.ones(shape, np.int8))
    return one("PRELU", act(), slope)


def split(axis):
    tensors = [ints(axis), act(), act((1, 8, 8, 2)), act((1, 8, 8, 2))]
    return build_tflite(tensors, [Op("SPLIT", [0, 1], [2, 3], {"NumSplits": 2})], [1], [2])


def strided(stride=1, ellipsis=0, new_axis=0):
    corners = [ints(0, 0, 0, 0), ints(1, 8, 8, 4), ints(1, stride, stride, 1)]
    masks = {
        "BeginMask": 0,
        "EndMask": 0,
        "EllipsisMask": ellipsis,
        "NewAxisMask": new_axis,
        "ShrinkAxisMask": 0,
    }
    return one("STRIDED_SLICE", act(), *corners, **masks)


def lstm():
    return one("UNIDIRECTIONAL_SEQUENCE_LSTM", act((1, 4, 4)), out=act((1, 4, 4)))


def big_dense():
    data = np.zeros((1024, 16384), np.int8)
    weights = T(data.shape, "int8", (0.1,), data=data)
    return one(
        "FULLY_CONNECTED", act((1, 16384)), weights, out=act((1, 1024)), FusedActivationFunction="NONE"
    )


RELU = one("RELU", act())
# rule -> (graph that breaks it, part of what it says, graph that keeps it)
CASES = {
    "known-operator": (one("HARD_SWISH", act()), "no HARD_SWISH (Use ReLU", RELU),
    "integer-tensors": (one("RELU", act(dtype="float32", scale=0)), "is not INT8", RELU),
    "integer-parameters": (conv(weights_dtype="float32"), "is float32", conv()),
    "static-shapes": (one("RELU", act(signature=(1, -1, 8, 4))), "[1, -1, 8, 4]", RELU),
    "three-dimensions": (one("RELU", act((2, 8, 8, 4))), "has more", one("RELU", act((1, 1, 8, 8, 4)))),
    "constant-parameters": (conv(weights=False), "computed at run time", conv()),
    "version-is-taken": (conv(version=6), "version 6; refused from version 6 on", conv(version=5)),
    "version-was-seen-mapped": (conv(version=5), "version 5; the newest seen mapped is 3", conv(version=6)),
    "no-fused-activation": (pool("RELU"), "fused RELU", pool()),
    "concatenated-constant": (concat(4), "is not all zero", concat(3)),
    "equal-dilation": (conv(dilation=(2, 1)), "dilation 2x1", conv(dilation=(2, 2))),
    "default-weight-format": (dense(form="SHUFFLED4x16INT8"), "SHUFFLED4x16INT8", dense()),
    "flat-dense-output": (dense(outputs=(1, 2, 2)), "output tensor", dense()),
    "one-scale-per-dense-layer": (dense(scales=(0.1, 0.2)), "2 scales", dense()),
    "no-batch-reduction": (mean(0, 1), "axes [0, 1]", mean(-3, -2)),
    "mean-over-channels": (mean(-1, channels=6), "mean over 6 channels", mean(-1, channels=8)),
    "no-batch-padding": (pad(1), "batch padded by [1, 0]", pad(0)),
    "shared-prelu": (prelu(IMAGE[1:]), "slope tensor", prelu((1, 1, 4))),
    "resize-depends-on-size": (
        one("RESIZE_BILINEAR", act(), ints(16, 16), out=act((1, 16, 16, 4)), version=3),
        "1x8x8x4 to 1x16x16x4", RELU,
    ),
    "flat-softmax": (one("SOFTMAX", act((1, 16_001))), "16,001 elements", one("SOFTMAX", act((1, 16_000)))),
    "no-batch-split": (split(0), "along axis 0", split(3)),
    "plain-strided-slice": (strided(2), "strides [1, 2, 2, 1]", strided()),
    "no-recurrent-layer": (lstm(), "UNIDIRECTIONAL", RELU),
    "single-input": (one("ADD", act(), act()), "2 inputs", RELU),
    "uint8-input": (one("RELU", act(dtype="int8"), out=act(dtype="int8")), "is int8", RELU),
    "has-operators": (build_tflite([act()], [], [0], [0]), "is empty", RELU),
}  # fmt: skip


def found(graph):
    report = check(read_tflite(graph, "test"))
    return {v.rule: v.found for v in (*report.graph, *(v for o in report.operators for v in o.findings))}


def test_there_is_a_case_for_every_rule():
    rules = {r.name for r in (*GENERAL_RULES, *GRAPH_RULES, *(r for _, r in OPERATOR_RULES))}
    assert set(CASES) | {"parameters-fit"} == rules


@pytest.mark.parametrize("name", CASES)
def test_each_rule_speaks_when_broken_and_only_then(name):
    bad, says, good = CASES[name]
    assert says in found(bad)[name]
    assert name not in found(good)


@pytest.mark.parametrize(
    ("graph", "rule", "says"),
    [
        (concat(3, more=1), "concatenated-constant", "3 inputs, 1 of them constant"),
        (strided(ellipsis=1), "plain-strided-slice", "ellipsis_mask 1"),
        (strided(new_axis=2), "plain-strided-slice", "new_axis_mask 2"),
        (one("SOFTMAX", act((1, 4, 4))), "flat-softmax", "no vector"),
        (pool("RELU6", "MAX_POOL_2D"), "no-fused-activation", "RELU6"),
        (dense(version=9), "version-is-taken", "version 9"),
        (mean(0, code="REDUCE_MAX"), "no-batch-reduction", "axes [0]"),
        (one("RELU", act(scale=0)), "integer-tensors", "has no scale"),
        (one("DEQUANTIZE", act(), out=T(IMAGE, "float32")), "known-operator", "uint8"),
        (one("RELU", act(dtype="int16"), out=act(dtype="int16")), "integer-tensors", "int16"),
    ],
)
def test_further_ways_to_break_a_rule(graph, rule, says):
    assert says in found(graph)[rule]


def test_parameters_that_do_not_fit_are_a_warning():
    model = read_tflite(big_dense())
    report = check(model)
    assert report.ok
    assert [v.rule for v in report.graph] == ["parameters-fit"]


def test_predicted_bytes_follow_the_fitted_formula():
    # 64 output and 16 input lanes per kernel position, 16 bytes per channel.
    assert predicted_bytes(read_tflite(conv())) == 64 * 9 * 16 + 4 * 16
    assert predicted_bytes(read_tflite(dense())) == 16 * 16 + 2 * 16
    net = NetBuilder((1, 8, 8, 70))
    net.depthwise()
    assert predicted_bytes(read_tflite(net.build())) == 9 * 128 + 70 * 16
    # The compiler's log for a dense layer of 256 x 256 says 66.00KiB cached (the formula gives 69,632 bytes, an
    # error of 3 %).
    weights = T((256, 256), "int8", (0.1,), data=np.zeros((256, 256), np.int8))
    wide = one("FULLY_CONNECTED", act((1, 256)), weights, out=act((1, 256)))
    assert predicted_bytes(read_tflite(wide)) == pytest.approx(67_584, rel=0.043)


def chain(codes, dtype="uint8"):
    tensors = [act(dtype=dtype) for _ in range(len(codes) + 1)]
    ops = [Op(code, [i], [i + 1]) for i, code in enumerate(codes)]
    return build_tflite(tensors, ops, [0], [len(codes)])


def test_everything_behind_the_first_unmapped_operator_goes_to_the_cpu():
    report = check(read_tflite(chain(["RELU", "HARD_SWISH", "RELU", "TANH"])))
    assert [o.maps for o in report.operators] == [True, False, False, False]
    assert [[v.rule for v in o.findings] for o in report.operators] == [
        [],
        ["known-operator"],
        [BEHIND],
        [BEHIND],
    ]
    assert "operator 1 HARD_SWISH" in report.operators[2].findings[0].found
    assert not report.ok


def test_a_quantize_of_the_input_does_not_cut_the_graph():
    tensors = [T(IMAGE, "float32"), act(), act()]
    graph = build_tflite(tensors, [Op("QUANTIZE", [0], [1]), Op("RELU", [1], [2])], [0], [2])
    report = check(read_tflite(graph))
    assert [o.maps for o in report.operators] == [False, True]
    assert not report.ok


def test_a_network_that_maps_maps_and_names_its_runtime():
    net = NetBuilder((1, 16, 16, 1))
    net.conv(8, 3, 2)
    net.depthwise()
    net.mean()
    net.dense(2)
    report = check(read_tflite(net.build()))
    assert report.ok
    assert report.facts["needs_runtime"] == 10
    assert [v.rule for v in report.graph] == ["uint8-input"]
    assert check(read_tflite(one("TRANSPOSE", act(), ints(0, 2, 1, 3)))).facts["needs_runtime"] == 14


def test_the_published_small_network_does_not_map_because_of_its_constant_planes():
    report = check(read_tflite(tinytracker_s()))
    assert [v.rule for v in report.operators[0].findings] == ["concatenated-constant"]
    assert not any(o.maps for o in report.operators)


def test_compiled_files_are_sent_elsewhere():
    with pytest.raises(InputFileError, match="tinytracker edgetpu show"):
        check(read_tflite(compiled_net()))


def test_the_public_function_takes_files_and_runs(tmp_path):
    (tmp_path / "run.json").write_text('{"preset": "x"}')
    model = tmp_path / "quantized" / "ptq-uint8" / "model.tflite"
    model.parent.mkdir(parents=True)
    model.write_bytes(RELU)
    assert check_target(str(tmp_path), "coralmicro").ok
    assert check_target(str(model), "coralmicro").ok
    with pytest.raises(UnknownNameError, match="Unknown target with rules 'spresense'"):
        check_target(str(model), "spresense")
    with pytest.raises(InputFileError, match=r"no quantized model ptq-int8 .*--io int8"):
        check_target(str(tmp_path), "coralmicro", quantized="ptq-int8")
    with pytest.raises(UnknownNameError, match="Known: ptq-uint8"):
        check_target(str(tmp_path), "coralmicro", quantized="mine")
    with pytest.raises(UsageError, match="is a preset"):
        check_target("tinytracker-s", "coralmicro")
    with pytest.raises(UsageError, match="no memory report"):
        check_target(str(model), "coralmicro", memory_report=True)
    with pytest.raises(InputFileError):
        check_target(str(tmp_path / "missing.tflite"), "coralmicro")


@pytest.mark.parametrize(("codes", "exit_code"), [(["RELU"], 0), (["RELU", "HARD_SWISH", "RELU", "RELU"], 1)])
def test_the_verb_exits_with_the_answer(tmp_path, codes, exit_code):
    from tinytracker.cli.main import cli

    path = tmp_path / "x.tflite"
    path.write_bytes(chain(codes))
    result = CliRunner().invoke(cli, ["check", str(path), "--target", "coralmicro", "--json"])
    assert result.exit_code == exit_code
    document = json.loads(result.stdout)
    assert document["ok"] is (exit_code == 0)
    assert len(document["operators"]) == len(codes)
    result = CliRunner().invoke(cli, ["check", str(path), "--target", "coralmicro"])
    assert result.exit_code == exit_code
    assert "A prediction" in result.stdout
    if exit_code:
        assert "(1 more like it)" in result.stdout


def test_damaged_graphs_end_in_a_report_or_a_sentence():
    """What passes the reader of .tflite files may still be nonsense; no rule may stumble over it."""
    graphs = [good for _, _, good in CASES.values()] + [bad for bad, _, _ in CASES.values()]
    rng = random.Random(3)
    judged = 0
    for _ in range(3_000):
        bad = bytearray(rng.choice(graphs))
        for _ in range(rng.choice((1, 1, 2, 4))):
            bad[rng.randrange(8, len(bad))] = rng.choice((0, 1, 2, 255, rng.randrange(256)))
        try:
            model = read_tflite(bytes(bad))
        except (InputFileError, ModelError):
            continue
        check(model).as_json()
        judged += 1
    assert judged > 500
