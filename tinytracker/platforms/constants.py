"""Every constant of the cost model, with its source and its range: one page.

Units: pJ per operation, mW, ms, GMAC/s. Ranges say what the sources leave open, not what a statistic says.
"""

from __future__ import annotations

from tinytracker.platforms.figure import Figure, Mark

_PAPER = "Bonazzi et al., arXiv 2307.07813, abstract"
_DERIVED = f"derived from {_PAPER}"
_DAVIES = "Davies et al. 2018, as keras-spiking 0.3 counts them"
_PILOTNET = "Intel's PilotNet notebook for Loihi 2 (lava-dl)"
_FACTOR_2 = f"{_DAVIES}, within a factor of 2 of {_PILOTNET}"

# The paper's network has 11,839,208 MACs at 112 x 112 or, as its released file, 16,815,360 at 128 x 128: it does not
# say which was measured. The first is its table's; both make the range.
PAPER_MACS = (11_839_208, 16_815_360)

# ---- Raspberry Pi AI Camera (IMX500): 19 ms = 17.9 + 0.86 + 0.24; 4.9 mJ, of which 0.06 mJ inference
IMX500_INFERENCE_MS = Figure(0.86, Mark.PUBLISHED, _PAPER)
IMX500_INFERENCE_MJ = Figure(0.06, Mark.PUBLISHED, _PAPER)
IMX500_FRAME_MS = Figure(19.0, Mark.PUBLISHED, _PAPER)
IMX500_FRAME_MJ = Figure(4.9, Mark.PUBLISHED, _PAPER)
IMX500_AROUND_MS = Figure(17.9 + 0.24, Mark.PUBLISHED, f"{_PAPER}: camera 17.9 ms, retrieval 0.24 ms")
IMX500_PJ_PER_MAC = Figure(
    0.06e9 / PAPER_MACS[0], Mark.MODELLED, f"{_DERIVED}: 0.06 mJ over 11.8 M or 16.8 M MACs",
    0.06e9 / PAPER_MACS[1], 0.06e9 / PAPER_MACS[0],
)  # fmt: skip
IMX500_GMAC_PER_S = Figure(
    PAPER_MACS[0] / 0.86e6, Mark.MODELLED, f"{_DERIVED}: 11.8 M or 16.8 M MACs in 0.86 ms",
    PAPER_MACS[0] / 0.86e6, PAPER_MACS[1] / 0.86e6,
)  # fmt: skip
_REST_MW = (4.9 - 0.06) / (17.9 + 0.24) * 1e3
IMX500_REST_MW = Figure(
    _REST_MW, Mark.MODELLED, f"{_DERIVED}: (4.9 - 0.06) mJ in 18.14 ms, and 254 mW of Q-Segment on the same sensor",
    254.0, _REST_MW,
)  # fmt: skip

# ---- Coral Dev Board Micro: 34.4 ms and 34.2 mJ, and no split
CORALMICRO_FRAME_MS = Figure(34.4, Mark.PUBLISHED, _PAPER)
CORALMICRO_FRAME_MJ = Figure(34.2, Mark.PUBLISHED, _PAPER)
CORALMICRO_MW = Figure(
    34.2 / 34.4 * 1e3, Mark.MODELLED, f"{_DERIVED}: the mean over its frame, as no split is published"
)

# ---- Edge TPU on USB (Coral USB Accelerator, at 500 MHz)
CORAL_USB_MW = Figure(
    2000.0,
    Mark.PUBLISHED,
    "Coral's data sheet: 2 W at 4 TOPS, with half to twice of it as range",
    1000.0,
    4000.0,
)
CORAL_USB_CLOCK = 2.0
"""Its clock over that of the Coral Dev Board Micro (500 and 250 MHz), by which MACs are faster."""
EDGE_TPU_BYTES = (100_000, 250_000)
"""Instructions that cross USB with every frame when the file is not compiled yet: between half of and one and a half
times those of a MobileNet v1 0.25 128 (170,032 bytes)."""

# ---- Microcontrollers: cycles of a Cortex-M4 per MAC in generated C
M4_CYCLES_PER_MAC = Figure(
    1.82 * 1.18, Mark.MODELLED,
    "generated C on the emulated Cortex-M4: 1.65 to 2.06 cycles per MAC without wait states (benchmarks/results/"
    "mcu.csv), times 0.96 to 1.35 of published programs on a NUCLEO-L4R5ZI",
    1.65 * 0.96, 2.06 * 1.35,
)  # fmt: skip
MULTICORE = {
    1: Figure(1.0, Mark.EMULATED, "one core"),
    2: Figure(1.99, Mark.EMULATED, "benchmarks/results/multicore.csv", 1.9, 2.0),
    3: Figure(2.98, Mark.EMULATED, "benchmarks/results/multicore.csv", 2.7, 3.0),
    4: Figure(3.94, Mark.EMULATED, "benchmarks/results/multicore.csv", 3.4, 4.0),
    5: Figure(4.85, Mark.EMULATED, "benchmarks/results/multicore.csv", 4.0, 5.0),
}
"""How many times faster several cores of a Spresense are, by instructions on the critical path; waiting for memory may
make it less."""
SPRESENSE_CORE_MW = Figure(
    0.1282 * 156, Mark.PUBLISHED,
    "128.2 µW/MHz of the core, at 156 MHz: survey of face recognition on microcontrollers (openreview hw6s-qry_qx)",
)  # fmt: skip

# ---- Neuromorphic chips
LOIHI_PJ_PER_SOP = Figure(23.6, Mark.MODELLED, _FACTOR_2, 23.6 / 2, 23.6 * 2)
LOIHI_PJ_PER_UPDATE = Figure(81.0, Mark.MODELLED, _FACTOR_2, 81.0 / 2, 81.0 * 2)
LOIHI_STEP_MS = Figure(
    0.153, Mark.MODELLED, f"{_PILOTNET}: 153 µs a step, with a factor of 2 as range", 0.153 / 2, 0.153 * 2
)
LOIHI_REST_MW = Figure(232.0, Mark.PUBLISHED, f"{_PILOTNET}: static power of one chip", 232.0, 282.0)
LOIHI_NEURONS = {1: 131_072, 2: 1_048_576}
"""Of one chip: 128 cores of 1,024, and of 8,192 (Intel's technology brief of 2021)."""
SPECK_REST_MW = Figure(0.42, Mark.PUBLISHED, "SynSense: Speck at rest")
SPECK_PJ_PER_MAC = Figure(
    8.5, Mark.MODELLED,
    "derived from Retina (arXiv 2312.00425): 2.89 to 4.8 mW for 5.57 to 8.01 ms, 3.03 M MACs, which is another network",
    2.89 * 5.57 / 3.03e6 * 1e6, 4.8 * 8.01 / 3.03e6 * 1e6,
)  # fmt: skip
SPECK_MS = Figure(6.8, Mark.PUBLISHED, "Retina (arXiv 2312.00425), its network", 5.57, 8.01)
SPECK_NEURONS = 327_680
"""SynSense's data sheet: 0.32 million spiking neurons in nine convolutional layers."""

SOPS_PER_MAC = Figure(
    0.93, Mark.MODELLED,
    "assumed: conversions of a five-layer gaze network need 0.48 (4 steps) to 1.26 (64) synaptic operations per MAC",
    0.48, 1.26,
)  # fmt: skip
STEPS = 8
"""Assumed time steps of a converted network."""

# ---- The papers' statement, for the validation
LOIHI_LESS_ENERGY = Figure(
    10.0, Mark.PUBLISHED, "Smith et al., arXiv 2403.08792, abstract: one order less energy than the Coral TPU"
)
LOIHI_LESS_POWER = Figure(
    100.0,
    Mark.PUBLISHED,
    "Smith et al., arXiv 2403.08792, abstract: two orders less power than the Coral TPU",
)
PILOTNET_STEP_UJ = Figure(
    1.093544e3 / 16, Mark.PUBLISHED, f"{_PILOTNET}: 1.094 mJ dynamic energy a frame of 16 steps"
)
PILOTNET_SOPS = {10_000: 22.9e9 / 10_000, 20_000: 22.9e9 / 20_000}
"""Synaptic operations a step: 22.9e9 in all, read off the notebook's plot, over a run of one of two lengths."""
PILOTNET_NEURONS = 158_509
Q_SEGMENT_INFERENCE_MW = Figure(
    72.0, Mark.PUBLISHED, "Q-Segment on the IMX500, abstract: 72 mW during inference"
)
Q_SEGMENT_FRAME_MW = Figure(254.0, Mark.PUBLISHED, "Q-Segment on the IMX500, abstract: 254 mW over 17 ms")
SPRESENSE_FRAME_MS = Figure(
    1000 / 3, Mark.PUBLISHED, "Rüegg et al., arXiv 2308.12313, abstract: TinyTrackerS at 3 frames/s"
)
TINYTRACKER_S_MACS = 5_229_184

# ---- The link between a neuromorphic chip and the processor of an ordinary network, and the accumulator behind it
LINK_PJ_PER_BIT = Figure(
    1.25 * 10 * 1.8**2, Mark.MODELLED,
    "C V² of a trace for each rise of a clocked line, which data do for a quarter of the bits and the clock for all: "
    "10 pF at 1.8 V, with 5 pF at 1.2 V to 20 pF at 3.3 V as range",
    1.25 * 5 * 1.2**2, 1.25 * 20 * 3.3**2,
)  # fmt: skip
LINK_MBIT_PER_S = Figure(25.0, Mark.MODELLED, "assumed: a serial line between two chips", 10.0, 50.0)
ACCUMULATE_CYCLES = Figure(
    28.0, Mark.MODELLED,
    "the 16 instructions for a spike in deploy/common/tt_accumulate.c, compiled for a Cortex-M4 at -O2, of which the "
    "division takes 2 to 12 cycles",
    22.0, 36.0,
)  # fmt: skip
CORTEX_M_PJ_PER_CYCLE = Figure(
    128.2, Mark.PUBLISHED,
    "128.2 µW/MHz of a Spresense's core: survey of face recognition on microcontrollers (openreview hw6s-qry_qx)",
)  # fmt: skip
CORTEX_M_HZ = 156_000_000
