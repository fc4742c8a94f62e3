# ---
# jupyter:
#   jupytext:
#     formats: py:percent,ipynb
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # How long does a frame take, and what does it cost?
#
# One measured session, phase by phase: where the time goes, how much it varies, and, if a power meter recorded it, the
# energy of each phase. Environment variables name the files:
#
# | variable | content |
# | --- | --- |
# | `TINYTRACKER_SESSION` | a session that `tinytracker measure` wrote |
# | `TINYTRACKER_OTHER` | optional: a second session to compare with |
# | `TINYTRACKER_TRACE` | optional: a power meter's file of the same run |
# | `TINYTRACKER_VOLTAGE` | supply in V, for meters that record only the current |
#
# **A session of the emulated board contains no real time**: its "µs" are counted instructions. The notebook says so
# in every figure, and never computes an energy from such a session.

# %%
import os
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from tinytracker.energy.result import Refusal
from tinytracker.errors import RefusedError
from tinytracker.measure.latency import FRAME, PERIOD, compare_sessions, latencies
from tinytracker.measure.power import measure_energy
from tinytracker.measure.results import summarize_session
from tinytracker.measure.session_reader import read_session

SESSION = Path(os.environ.get("TINYTRACKER_SESSION", "session.jsonl"))
OTHER = os.environ.get("TINYTRACKER_OTHER")
TRACE = os.environ.get("TINYTRACKER_TRACE")
VOLTAGE = float(os.environ["TINYTRACKER_VOLTAGE"]) if "TINYTRACKER_VOLTAGE" in os.environ else None

COLOURS = ["#0b7285", "#74b9c5", "#c2410c", "#8794a4", "#5f3dc4"]
GREY = "#8794a4"
plt.rcParams.update({
    "figure.figsize": (9, 3.4), "figure.dpi": 110, "figure.constrained_layout.use": True, "font.size": 10,
    "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True, "axes.axisbelow": True,
    "grid.color": "#e6eaee", "axes.edgecolor": GREY, "axes.titleweight": "bold", "axes.titlelocation": "left",
})  # fmt: skip


def ends(interval, spec, factor=1.0):
    """An interval as text; "none" when there are too few frames for one."""
    return "none" if interval is None else " to ".join(format(factor * end, spec) for end in interval)


session = read_session(SESSION)
header = session.header
result = summarize_session(session)
KIND = "emulated: counted instructions, no real time" if header.is_emulated else "measured"
print(f"{header.board.get('name')}, network {header.model.get('sha256', '')[:12]}, {KIND}")
for sentence in result.sentences:
    print("-", sentence)

# %% [markdown]
# ## Where the time goes
#
# Medians after the warm-up, in the order in which a frame passes through the phases.

# %%
phases = {name: result.rows[name] for name in header.phases}
print(f"{'':14}{'median':>14}{'95 % interval':>28}{'p5':>14}{'p95':>14}   µs")
for name, row in result.rows.items():
    print(f"{name:14}{row.median:14,.1f}{ends(row.ci95, ',.1f'):>28}{row.p5:14,.1f}{row.p95:14,.1f}")

figure, axes = plt.subplots(figsize=(9, 2.1))
start = 0.0
for colour, (name, row) in zip(COLOURS, phases.items(), strict=False):
    axes.barh(0, row.median / 1e3, left=start, color=colour, height=0.6,
              label=f"{name}  {row.median / 1e3:,.3g} ms, {row.median / result.rows[FRAME].median:.0%}")  # fmt: skip
    start += row.median / 1e3
axes.set(title=f"One frame ({KIND})", xlabel="ms since the start of the frame", yticks=[], xlim=(0, None))
axes.grid(axis="y", visible=False)
figure.legend(frameon=False, ncols=len(phases), loc="outside lower left", fontsize=9)
plt.show()

# %% [markdown]
# ## How much does it vary?
#
# Each frame in the order in which it was measured; the shaded ones are warm-up and do not count. Steps, drift and single
# outliers have different causes: a new image, a warm chip, an interrupt.

# %%
found = latencies(session)
figure, axes = plt.subplots()
for colour, name in zip(COLOURS, header.phases, strict=False):
    axes.plot(found.series[name] / 1e3, ".-", color=colour, markersize=4, linewidth=0.8, label=name)
axes.axvspan(-0.5, header.warmup - 0.5, color=GREY, alpha=0.15)
axes.set(title=f"Each phase, frame by frame ({KIND})", xlabel="frame", ylabel="ms", yscale="log")
axes.yaxis.set_major_formatter("{x:g}")
figure.legend(frameon=False, ncols=len(phases), fontsize=9, loc="outside lower left")
plt.show()

counted = found.series[FRAME][header.warmup :] / 1e3
figure, axes = plt.subplots(figsize=(9, 2.6))
axes.plot(np.sort(counted), (np.arange(len(counted)) + 1) / len(counted), color=COLOURS[0])
axes.set(
    title=f"Share of frames done within ... ({KIND})", xlabel="ms", ylabel="share of frames", ylim=(0, 1.02)
)
plt.show()
if PERIOD in result.rows and not header.is_emulated:
    print(f"{1e6 / result.rows[PERIOD].median:.1f} frames per second, from start to start")

# %% [markdown]
# ## Comparison with another session
#
# The interval says how well the two medians are known. Only more sessions can tell whether the difference would recur: use
# `tinytracker compare A... -- B...` with five or more on each side.

# %%
if OTHER:
    comparison = compare_sessions(SESSION, OTHER)
    for remark in comparison.remarks:
        print("-", remark)
    for name, row in comparison.rows.items():
        before, after = row.medians
        print(
            f"{name:14} {before:14,.1f} → {after:14,.1f} µs   {row.difference:+,.1f} ({ends(row.difference_ci95, '+,.1f')})"
        )
else:
    print("No other session was named (TINYTRACKER_OTHER).")

# %% [markdown]
# ## Energy
#
# From the current that a meter recorded together with the phase lines. A number that would be wrong is refused, with the
# reason. "Without idle" subtracts what the board would have drawn in the same time if it had been idle.

# %%
measured = None
if not TRACE:
    print("No trace was named (TINYTRACKER_TRACE): without a power meter there is no energy.")
elif header.is_emulated:
    print("An emulated board draws no current: the trace cannot belong to this session.")
else:
    try:
        measured = measure_energy(Path(TRACE), session, voltage_v=VOLTAGE)
    except RefusedError as refusal:
        print(refusal)

if measured is not None:
    report = measured.report
    for row in report.phases:
        total = row.total
        if isinstance(total, Refusal):
            print(f"{row.phase:14} {total.detail}")
        else:
            power = f"{row.power_w * 1e3:8.1f} mW" if row.power_w is not None else " " * 11
            print(f"{row.phase:14} {total.mean_j * 1e3:9.4f} mJ ({ends(total.ci95_j, '.4f', 1e3)}), {power}")
    rows = [row for row in report.phases[:-1] if not isinstance(row.total, Refusal)]
    figure, (left, right) = plt.subplots(1, 2, width_ratios=(3, 2))
    trace, edges = measured.trace, measured.segments.edges
    first = min(measured.segments.edges.shape[0], 2)
    begin, end = int(edges[0, 0]) - 200, int(edges[first - 1, -1]) + 200
    begin, end = max(begin, 0), min(end, len(trace))
    thin = max((end - begin) // 4000, 1)
    time_ms = (trace.time(np.arange(begin, end, thin)) - trace.time(edges[0, 0])) * 1e3
    left.plot(time_ms, trace.current_a[begin:end:thin] * 1e3, color=GREY, linewidth=0.8)
    for number in range(first):
        for colour, a, b in zip(COLOURS, edges[number, :-1], edges[number, 1:], strict=False):
            left.axvspan(
                *((trace.time(np.array([a, b])) - trace.time(edges[0, 0])) * 1e3), color=colour, alpha=0.25
            )
    left.set(
        title=f"Current of {first} frames ({trace.meter or 'meter'})",
        xlabel="ms",
        ylabel="mA",
        ylim=(0, None),
    )
    right.bar(
        [row.phase for row in rows], [row.total.mean_j * 1e3 for row in rows], color=COLOURS[: len(rows)]
    )
    for place, row in enumerate(rows):
        if row.total.ci95_j is not None:
            right.plot([place, place], [1e3 * end for end in row.total.ci95_j], color="#2b3540")
    right.set(title="Energy per frame", ylabel="mJ")
    plt.show()

# %% [markdown]
# ## Summary

# %%
summary = {f"{name}, µs ({KIND})": round(row.median, 1) for name, row in result.rows.items()}
if measured is not None and not isinstance(measured.report.phases[-1].total, Refusal):
    summary["energy per frame, mJ"] = round(measured.report.phases[-1].total.mean_j * 1e3, 4)
for name, value in summary.items():
    print(f"{name:70} {value}")
