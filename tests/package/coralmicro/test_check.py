"""Each rule has a graph that breaks it and one that keeps it; the report follows the compiler's one cut."""

import itertools
import json
import random

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from support.edgetpu_builder import compiled_net
from support.tflite_builder import Op, T, build_tflite, conv_options
from support.tflite_nets import NetBuilder, tinytracker_s

from tinytracker.errors import InputFileError, ModelError, UnknownNameError, UsageError
from tinytracker.model.tflite_file import read_tflite
from tinytracker.package.coralmicro.check import BEHIND, check
from tinytracker.package.coralmicro.rules.evidence import EVIDENCE
from tinytracker.package.coralmicro.rules.general import GENERAL_RULES
from tinytracker.package.coralmicro.rules.graph import CHIP_RULES, GRAPH_RULES
from tinytracker.package.coralmicro.rules.operators import OPERATOR_RULES
from tinytracker.package.coralmicro.rules.parameters import predicted_bytes
from tinytracker.package.coralmicro.rules.partition import cut_by
from tinytracker.package.coralmicro.rules.table import OPERATORS
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


def conv(dilation=(1, 1), weights_dtype="int8", version=3, weights=True, kernel=(3, 3)):
    shape = (4, *kernel, 4)
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


def resize(size, to, code="RESIZE_BILINEAR"):
    return one(code, act((1, size, size, 4)), ints(to, to), out=act((1, to, to, 4)), version=1)


def padded_sum(code):
    """The sum of the input and of what an operator makes of it."""
    amounts = T((4, 2), "int32", data=np.zeros((4, 2), np.int32))
    ops = [Op(code, [0, 1] if code == "PAD" else [0], [2]), Op("ADD", [0, 2], [3])]
    return build_tflite([act(), amounts, act(), act()], ops, [0], [3])


def split(axis, parts=2):
    tensors = [ints(axis), act(), *(act((1, 8, 8, 4 // parts)) for _ in range(parts))]
    outputs = list(range(2, 2 + parts))
    return build_tflite(tensors, [Op("SPLIT", [0, 1], outputs, {"NumSplits": parts})], [1], outputs)


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
    "known-operator": (one("HARD_SWISH", act()), "does not have HARD_SWISH (Use ReLU", RELU),
    "integer-tensors": (one("RELU", act(dtype="float32", scale=0)), "is not INT8", RELU),
    "integer-parameters": (conv(weights_dtype="float32"), "is float32", conv()),
    "static-shapes": (one("RELU", act(signature=(1, -1, 8, 4))), "[1, -1, 8, 4]", RELU),
    "three-dimensions": (one("RELU", act((2, 8, 8, 4))), "has more", one("RELU", act((1, 1, 8, 8, 4)))),
    "constant-parameters": (conv(weights=False), "computed at run time", conv()),
    "version-is-taken": (conv(version=6), "version 6; versions 6 and later are refused", conv(version=5)),
    "version-was-seen-mapped": (conv(version=5), "version 5; the newest seen mapped is 3", conv(version=6)),
    "no-fused-activation": (pool("RELU"), "fused RELU", pool()),
    "concatenated-constant": (concat(4), "is not all zero", concat(3)),
    "equal-dilation": (conv(dilation=(2, 1)), "dilation 2x1", conv(dilation=(4, 1), kernel=(3, 1))),
    "default-weight-format": (dense(form="SHUFFLED4x16INT8"), "SHUFFLED4x16INT8", dense()),
    "flat-dense-output": (dense(outputs=(1, 2, 2)), "output tensor", dense()),
    "one-scale-per-dense-layer": (dense(scales=(0.1, 0.2)), "2 scales", dense()),
    "no-batch-reduction": (mean(0, 1), "axes [0, 1]", mean(-3, -2)),
    "mean-over-channels": (mean(-1, channels=6), "mean over 6 channels", mean(-1, channels=8)),
    "no-batch-padding": (pad(1), "batch padded by [1, 0]", pad(0)),
    "shared-prelu": (prelu(IMAGE[1:]), "slope tensor", prelu((1, 1, 4))),
    "prelu-is-risky": (prelu((1, 1, 4)), "PRELU", RELU),
    "padded-addend": (padded_sum("PAD"), "adds the result of operator 0 PAD", padded_sum("RELU")),
    "resize-factor": (resize(1, 33), "1x1 to 33x33", resize(3, 33)),
    "resize-depends-on-size": (resize(8, 24), "1x8x8x4 to 1x24x24x4", resize(8, 16)),
    "flat-softmax": (one("SOFTMAX", act((1, 16_385))), "16,385 elements", one("SOFTMAX", act((1, 16_384)))),
    "no-batch-split": (split(0), "along axis 0", split(0, parts=1)),
    "plain-strided-slice": (strided(2), "strides [1, 2, 2, 1]", strided()),
    "no-recurrent-layer": (lstm(), "UNIDIRECTIONAL", RELU),
    "single-input": (one("ADD", act(), act()), "2 inputs", RELU),
    "uint8-input": (one("RELU", act(dtype="int8"), out=act(dtype="int8")), "is int8", RELU),
    "image-size": (
        one("RELU", act((1, 2048, 2048, 1)), out=act((1, 2048, 2048, 1))), "2048 x 2048 pixels",
        one("RELU", act((1, 2047, 2048, 1)), out=act((1, 2047, 2048, 1))),
    ),
    "has-operators": (build_tflite([act()], [], [0], [0]), "is empty", RELU),
}  # fmt: skip


def found(graph):
    report = check(read_tflite(graph, "test"))
    return {v.rule: v.found for v in (*report.graph, *(v for o in report.operators for v in o.findings))}


def test_there_is_a_case_for_every_rule():
    graph_rules = (*GENERAL_RULES, *GRAPH_RULES, *CHIP_RULES)
    rules = {r.name for r in (*graph_rules, *(r for _, r in OPERATOR_RULES))}
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
        (one("SOFTMAX", act((1, 4, 4))), "flat-softmax", "not a vector"),
        (resize(100, 512), "resize-factor", "512x512 pixels"),
        (split(0), "no-batch-split", "along axis 0"),
        (conv(dilation=(1, 4)), "equal-dilation", "dilation 1x4"),
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


def weights(code, shape, scales=1):
    """A graph of one operator with weights of a shape and a number of scales."""
    data = T(shape, "int8", (0.1,) * scales, (0,) * scales, data=np.zeros(shape, np.int8))
    return predicted_bytes(read_tflite(one(code, act((1, 4, 4, shape[-1])), data)))


@pytest.mark.parametrize(
    ("code", "shape", "scales", "size"),
    [
        # Sizes in public compiled files of this one layer, or of many equal ones divided by their number.
        ("CONV_2D", (1, 1, 1, 3), 1, 64),  # model_stride_*
        ("CONV_2D", (32, 7, 7, 32), 1, 50_304),  # model_conv_*: 15 more layers take 754,560 bytes
        ("FULLY_CONNECTED", (1, 94_400), 1, 1_510_464),  # edgetpu-tcn, streamed
        ("FULLY_CONNECTED", (100, 100), 1, 13_312),  # model_dense_*: 100 more layers take 1,331,200 bytes
        ("FULLY_CONNECTED", (256, 256), 256, 67_584),  # dense_256
        ("FULLY_CONNECTED", (512, 512), 512, 266_240),  # dense_512
        ("FULLY_CONNECTED", (1024, 1024), 1024, 1_056_768),  # dense_1024
    ],
)
def test_predicted_bytes_are_those_of_public_files(code, shape, scales, size):
    assert weights(code, shape, scales) == size


# Channels of MobileNet v1, and bytes of its published compiled forms (runtime 12).
CHANNELS = (32, 64, 128, 128, 256, 256, *[512] * 6, 1024, 1024)


@pytest.mark.parametrize(("width", "size"), [(0.25, 518_656), (0.5, 1_425_024), (0.75, 2_729_344)])
def test_predicted_bytes_of_mobilenet_v1_are_exact(width, size):
    first = int(32 * width)
    layers = [weights("CONV_2D", (first, 3, 3, 3)), weights("CONV_2D", (1001, 1, 1, int(1024 * width)))]
    for inputs, outputs in itertools.pairwise(CHANNELS):
        layers.append(weights("DEPTHWISE_CONV_2D", (1, 3, 3, int(inputs * width))))
        layers.append(weights("CONV_2D", (int(outputs * width), 1, 1, int(inputs * width))))
    assert sum(layers) == size


def test_the_evidence_agrees_with_the_table_of_operators():
    for e in EVIDENCE:
        if e.mapped:
            assert OPERATORS[e.operator].seen >= e.version
            assert OPERATORS[e.operator].since <= e.runtime
        elif e.operator not in OPERATORS:
            assert not any(other.mapped for other in EVIDENCE if other.operator == e.operator)


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


def test_what_converts_the_input_does_not_cut_the_graph():
    """As in MoveNet: a CAST to float and a QUANTIZE stay on the CPU, all behind them maps."""
    tensors = [act(), T(IMAGE, "float32"), act(), act()]
    ops = [Op("CAST", [0], [1]), Op("QUANTIZE", [1], [2]), Op("RELU", [2], [3])]
    report = check(read_tflite(build_tflite(tensors, ops, [0], [3])))
    assert [o.maps for o in report.operators] == [False, False, True]
    assert not report.ok


def test_a_branch_that_does_not_pass_through_the_cpu_stays_whole():
    """As in MoveNet: what counts is who needs whose results, not the order in the file."""
    ops = [Op("RELU", [0], [1]), Op("HARD_SWISH", [1], [2]), Op("RELU", [1], [3]), Op("ADD", [2, 3], [4])]
    report = check(read_tflite(build_tflite([act() for _ in range(5)], ops, [0], [3, 4])))
    assert [o.maps for o in report.operators] == [True, False, True, False]
    assert "operator 1 HARD_SWISH" in report.operators[3].findings[-1].found


@given(
    st.lists(st.tuples(st.booleans(), st.integers(0, 99), st.integers(0, 99)), min_size=1, max_size=12),
)
def test_the_chips_part_never_needs_the_cpu_and_is_as_large_as_can_be(nodes):
    """Random graphs; each operator has two inputs among the tensors before it, and is supported or not."""
    ops = [Op("ADD", [a % (i + 1), b % (i + 1)], [i + 1]) for i, (_, a, b) in enumerate(nodes)]
    model = read_tflite(build_tflite([act() for _ in range(len(ops) + 1)], ops, [0], [len(ops)]))
    cuts = cut_by(model, [supported for supported, _, _ in nodes])
    mapped = [supported and cut is None for (supported, _, _), cut in zip(nodes, cuts, strict=True)]
    needs = [set(op.inputs) - {0} for op in ops]

    def needs_chip(tensor):
        return mapped[tensor - 1] or any(needs_chip(t) for t in needs[tensor - 1])

    def through_cpu(tensor):
        """Whether a tensor depends on the chip by way of an operator on the CPU."""
        sources = needs[tensor - 1]
        on_cpu = not mapped[tensor - 1] and any(needs_chip(t) for t in sources)
        return on_cpu or any(through_cpu(t) for t in sources)

    for index, (supported, _, _) in enumerate(nodes):
        cut_off = any(through_cpu(t) for t in needs[index])
        assert mapped[index] == (supported and not cut_off)


def test_parameters_of_operators_on_the_cpu_are_not_counted():
    kernel = T((4, 3, 3, 4), "int8", (0.1,), (0,), data=np.ones((4, 3, 3, 4), np.int8))
    options = conv_options()
    ops = [
        Op("CONV_2D", [0, 1], [2], options),
        Op("HARD_SWISH", [2], [3]),
        Op("CONV_2D", [3, 1], [4], options),
    ]
    report = check(read_tflite(build_tflite([act(), kernel, act(), act(), act()], ops, [0], [4])))
    assert report.facts["parameter_bytes"] == weights("CONV_2D", (4, 3, 3, 4))


def test_a_recurrent_layer_maps_but_the_board_cannot_run_it():
    state = T((1, 4), "int16", (0.1,), (0,), is_variable=True)
    tensors = [act((1, 4, 4)), state, act((1, 4, 4))]
    op = Op("UNIDIRECTIONAL_SEQUENCE_LSTM", [0, *[-1] * 18, 1], [2])
    report = check(read_tflite(build_tflite(tensors, [op], [0], [2])))
    assert [o.maps for o in report.operators] == [True]
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
    assert [o.index for o in report.operators if not o.maps] == [0, 22]  # and the DEQUANTIZE at the end
    assert not report.ok


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
    with pytest.raises(UnknownNameError, match="Unknown target 'toaster'"):
        check_target(str(model), "toaster")
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
