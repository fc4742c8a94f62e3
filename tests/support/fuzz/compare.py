"""One batch of random networks: made from a seed, run everywhere, compared."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from support.fuzz import graphs, moves
from support.fuzz.children import Child, Outputs, builtin, builtin_ref, tflm
from support.host_c import SANITIZE, Case, compile_and_run, random_inputs
from support.random_ops import CORTEX_M4_OPS, RANDOM_OPS, SPECIFIED_OPS
from support.random_recurrent import RANDOM_RECURRENT
from support.random_select import RANDOM_SELECT

from tinytracker.codegen import generate
from tinytracker.codegen.cortex_m4 import CortexM4
from tinytracker.codegen.kernel import KernelSet
from tinytracker.codegen.reference_kernels import PORTABLE
from tinytracker.errors import ModelError
from tinytracker.model.tflite_file import read_tflite
from tinytracker.model.tflite_model import Operator, TfliteModel
from tinytracker.quant.specification import SpecificationInterpreter, reference_is_wrong

INPUTS = 6
_FLAGS = [*SANITIZE, "-O0"]  # each network runs a few times only: compiling is what takes the time
_OPS = RANDOM_OPS | CORTEX_M4_OPS | SPECIFIED_OPS | RANDOM_SELECT | RANDOM_RECURRENT
_STEPS = (*graphs.STEPS, *moves.STEPS)
_KERNELS: tuple[tuple[KernelSet, bool], ...] = (
    (PORTABLE, False), (CortexM4(), False), (CortexM4(100.0), False), (CortexM4(), True),
)  # fmt: skip
"""Kernels, and whether every network is divided over a number of cores of its own."""


@dataclass(frozen=True)
class Failure:
    """A difference, a crash, or an error of ours.

    Attributes:
        index: of the network. what: a sentence. case: the network and its inputs.
    """

    index: int
    what: str
    case: Case


@dataclass
class Tally:
    """What was found.

    Attributes:
        networks: how many were compared. failures: what is wrong. counts: what else happened, by its description.
    """

    networks: int = 0
    failures: list[Failure] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)


def random_case(seed: int, index: int) -> Case:
    """Network `index` of a seed; it does not depend on the others."""
    rng = np.random.default_rng([seed, index])
    names = sorted(_OPS)
    if rng.random() < 0.6:
        model = graphs.RandomGraph(rng).build(_STEPS, moves.ENDS)
    else:
        model = _OPS[names[int(rng.integers(len(names)))]](rng)
    return Case(model, random_inputs(model, rng, INPUTS))


class Comparison:
    """Runs batches; keeps the processes of the other runtimes between them."""

    def __init__(self) -> None:
        self.tally = Tally()
        self._tflite, self._micro = Child(), Child()

    def close(self) -> None:
        """End the processes."""
        for child in (self._tflite, self._micro):
            child.close()

    def run(self, seed: int, indices: Sequence[int]) -> None:
        """Compare some networks of a seed."""
        cases = {index: random_case(seed, index) for index in indices}
        expected: dict[int, Outputs] = {}
        for index, case in cases.items():
            self.tally.networks += 1
            try:
                expected[index] = _specified(case)
            except ModelError as error:
                self._fail(index, f"the specification refuses it: {error.message}", case)
                continue
            self._judge_others(index, case, expected[index])
        generated = {i: cases[i] for i in expected if self._can_be_generated(i, cases[i])}
        for kernels, divided in _KERNELS if generated else ():
            self._judge_generated(generated, expected, kernels, divided)

    def _can_be_generated(self, index: int, case: Case) -> bool:
        try:
            with tempfile.TemporaryDirectory() as folder:
                generate(case.model, folder)
        except ModelError as error:
            reason = error.message.split(": ", 1)[-1]
            self.tally.counts[f"codegen refuses: {''.join(c for c in reason if not c.isdigit())}"] += 1
            return False
        return True

    def _judge_generated(
        self, cases: dict[int, Case], expected: dict[int, Outputs], kernels: KernelSet, divided: bool
    ) -> None:
        """Compile all in one program; when that ends with an error, find out for which networks."""
        name = f"generated C, {kernels.name}{', divided' if divided else ''}"
        cores = [2 + index % 4 for index in cases] if divided else []
        try:
            with tempfile.TemporaryDirectory() as folder:
                outputs = compile_and_run(list(cases.values()), Path(folder), _FLAGS, kernels, cores)
        except AssertionError as error:
            if len(cases) == 1:
                (index,) = cases
                self._fail(index, f"{name}: {error}", cases[index])
                return
            indices = list(cases)
            for half in (indices[: len(indices) // 2], indices[len(indices) // 2 :]):
                self._judge_generated({i: cases[i] for i in half}, expected, kernels, divided)
            return
        for (index, case), found in zip(cases.items(), outputs, strict=True):
            if not _equal(found, expected[index]):
                self._fail(index, f"{name}: {_difference(found, expected[index])}", case)

    def _judge_others(self, index: int, case: Case, expected: Outputs) -> None:
        model = read_tflite(case.model)
        found = self._tflite.run(builtin_ref, case.model, case.inputs)
        if isinstance(found, str):
            self.tally.counts[f"BUILTIN_REF: {found[:60]}"] += 1
        elif not _equal(found, expected):
            if reference_is_wrong(model):
                self.tally.counts["BUILTIN_REF is wrong as documented"] += 1
            else:
                self._fail(index, f"BUILTIN_REF: {_difference(found, expected)}", case)
        found = self._tflite.run(builtin, case.model, case.inputs)
        if isinstance(found, str):
            self.tally.counts[f"BUILTIN: {found[:60]}"] += 1
        else:
            self.tally.counts["BUILTIN equals" if _equal(found, expected) else "BUILTIN differs"] += 1
        found = self._micro.run(tflm, case.model, case.inputs)
        if isinstance(found, str):
            self.tally.counts[f"TFLM: {found[:60]}"] += 1
        elif not _equal(found, expected):
            if micro_differs(model):
                self.tally.counts["TFLM differs as documented"] += 1
            else:
                self._fail(index, f"TFLM: {_difference(found, expected)}", case)

    def _fail(self, index: int, what: str, case: Case) -> None:
        self.tally.failures.append(Failure(index, what, case))


def micro_differs(model: TfliteModel) -> bool:
    """Whether docs/codegen.md names an operator of the network for which TFLM does not equal the oracle."""
    return bool(reference_is_wrong(model)) or any(
        operator.name in ("TANH", "LOGISTIC", "UNIDIRECTIONAL_SEQUENCE_LSTM")
        or (operator.name == "RELU6" and _rescales(model, operator))
        or (operator.name == "FULLY_CONNECTED" and _lands_on_ties(model, operator))
        for operator in model.operators
    )


def _lands_on_ties(model: TfliteModel, operator: Operator) -> bool:
    """Whether one factor for all units is a power of two in float32, which it rarely is in double precision."""
    source, filters = (model.tensors[i] for i in operator.inputs[:2])
    product = float(np.float32(source.scales[0]) * np.float32(filters.scales[0]))
    factor = product / model.tensors[operator.outputs[0]].scales[0]
    return len(filters.scales) == 1 and float(np.frexp(factor)[0]) == 0.5


def _rescales(model: TfliteModel, operator: Operator) -> bool:
    """Whether the output counts differently from the input."""
    source, target = model.tensors[operator.inputs[0]], model.tensors[operator.outputs[0]]
    return (source.scales, source.zero_points) != (target.scales, target.zero_points)


def _specified(case: Case) -> Outputs:
    stacked = [np.stack(values) for values in zip(*case.inputs, strict=True)]
    outputs = SpecificationInterpreter(case.model).run(stacked)
    return [[array[i] for array in outputs] for i in range(len(case.inputs))]


def _equal(found: Outputs, expected: Outputs) -> bool:
    return all(
        a.dtype == b.dtype and np.array_equal(a.reshape(-1), b.reshape(-1), equal_nan=a.dtype.kind == "f")
        for mine, theirs in zip(found, expected, strict=True)
        for a, b in zip(mine, theirs, strict=True)
    )


def _difference(found: Outputs, expected: Outputs) -> str:
    """Where two runtimes differ first."""
    for row, (mine, theirs) in enumerate(zip(found, expected, strict=True)):
        for output, (a, b) in enumerate(zip(mine, theirs, strict=True)):
            wrong = np.flatnonzero(a.reshape(-1) != b.reshape(-1))
            if len(wrong):
                first = wrong[0]
                values = f"{a.reshape(-1)[first]} instead of {b.reshape(-1)[first]}"
                return (
                    f"inputs {row}, output {output}: {len(wrong)} of {a.size} differ, [{first}] is {values}"
                )
    return "differs in dtype"
