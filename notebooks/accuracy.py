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
# # How far off is the gaze, and for whom?
#
# The accuracy of one run: what it was tested on, where its errors are, what INT8 costs, and how much a short
# calibration to each person helps. All errors are on people whom the network has never seen, in centimetres on the plane
# of the screen.
#
# Environment variables select the run (`TINYTRACKER_RUN`; default: that of `make demo`), its quantized model
# (`TINYTRACKER_QUANTIZED`; default: `ptq-int8`), prepared data other than its own (`TINYTRACKER_DATA`), and numbers of
# calibration dots (`TINYTRACKER_DOTS`; default: `5,9,13`). **Errors on synthetic people say nothing about real ones**: they
# compare networks, and show that the chain works.

# %%
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # silences TensorFlow's messages on import

import matplotlib.pyplot as plt
import numpy as np

from tinytracker.data.devices import DEVICES, Orientation
from tinytracker.data.index import read_index
from tinytracker.evaluate import evaluate
from tinytracker.evaluate.calibration_table import evaluate_calibration
from tinytracker.evaluate.metrics import frame_errors, subject_bootstrap
from tinytracker.evaluate.predict import truth
from tinytracker.progress import set_quiet
from tinytracker.runs import Run

RUN = Path(os.environ.get("TINYTRACKER_RUN", "../demo-out/run"))
QUANTIZED = os.environ.get("TINYTRACKER_QUANTIZED", "ptq-int8")
DOTS = tuple(int(n) for n in os.environ.get("TINYTRACKER_DOTS", "5,9,13").split(","))
SPLIT = "test"

set_quiet(True)
run = Run.open(RUN)
description = run.describe()
DATA = Path(os.environ.get("TINYTRACKER_DATA", description.data.path))
index = read_index(DATA)

BLUE, ORANGE, GREY = "#0b7285", "#c2410c", "#8794a4"
COLOURS = {"auto": ORANGE, "offset": GREY, "affine": BLUE, "ridge": "#5f3dc4"}
plt.rcParams.update({
    "figure.figsize": (9, 3.6), "figure.dpi": 110, "figure.constrained_layout.use": True, "font.size": 10,
    "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True, "axes.axisbelow": True,
    "grid.color": "#e6eaee", "axes.edgecolor": GREY, "axes.titleweight": "bold", "axes.titlelocation": "left",
})  # fmt: skip

PEOPLE = {"synthetic": "SYNTHETIC people", "recorded": "recorded people"}.get(
    index.origin, "people of unknown origin"
)
print(f"{PEOPLE}; {description.preset}, trained on {index.split('train').frames:,} frames of "
      f"{len(index.split('train').subjects)} people; {description.config['epochs']} epochs at most")  # fmt: skip

# %% [markdown]
# ## What it was tested on
#
# Errors depend on the task: dots on a tablet are farther apart than on a phone, and a data set that is mostly phones
# gives a small error for that reason alone.

# %%
frames = truth(index, SPLIT)
for name in index.splits:
    part = index.split(name) if index.splits[name].frames else None
    if part is not None:
        devices = ", ".join(f"{device} {count}" for device, count in sorted(part.devices.items()))
        print(f"{name:6} {part.frames:7,} frames, {len(part.subjects):5,} people: {devices}")

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4.2))
for family, colour in (("phone", BLUE), ("tablet", ORANGE)):
    chosen = frames.family == family
    left.scatter(
        *frames.gaze[chosen].T, s=6, alpha=0.35, color=colour, label=f"{family}, {chosen.sum():,} frames"
    )
left.plot(0, 0, "k+", markersize=9, label="camera")
left.set(title="Dots around the camera", xlabel="x, cm", ylabel="y, cm", aspect="equal")
left.legend(fontsize=8, frameon=False, loc="lower left")
names, counts = np.unique(frames.device, return_counts=True)
order = np.argsort(counts)
right.barh(
    names[order],
    counts[order],
    color=[BLUE if DEVICES[n].family == "phone" else ORANGE for n in names[order]],
)
right.set(title=f"Frames of the {SPLIT} split by device", xlabel="frames")
right.grid(axis="y")
plt.show()

# %% [markdown]
# ## The errors of all frames
#
# Next to the network is the **constant predictor**, which always answers the mean of the training labels. The difference
# between their errors is what the network has learned. The interval resamples whole people, because frames of one person
# are similar.

# %%
evaluations = {"float": evaluate(RUN, DATA, SPLIT)}
if QUANTIZED in run.quantized_names():
    evaluations["INT8"] = evaluate(RUN, DATA, SPLIT, QUANTIZED)
predicted = {
    name: np.load(run.evaluation("float" if name == "float" else QUANTIZED, SPLIT).with_suffix(".npz"))[
        "predicted"
    ]
    for name in evaluations
}
errors = {name: frame_errors(values, frames.gaze) for name, values in predicted.items()}
constant = frame_errors(np.broadcast_to(np.asarray(index.gaze.mean), frames.gaze.shape), frames.gaze)

print(f"{'':20}{'error cm':>10}{'95 % interval':>18}{'median':>10}{'per dot':>10}")
for name, evaluation in evaluations.items():
    whole = evaluation.errors.overall
    low, high = whole.ci95_cm
    print(f"{name:20}{whole.error_cm:10.2f}{f'{low:.2f} to {high:.2f}':>18}"
          f"{whole.median_cm:10.2f}{whole.dot_error_cm:10.2f}")  # fmt: skip
low, high = subject_bootstrap(constant, frames.subject)
print(
    f"{'constant predictor':20}{constant.mean():10.2f}{f'{low:.2f} to {high:.2f}':>18}{np.median(constant):10.2f}"
)

figure, axes = plt.subplots()
share = (np.arange(len(frames)) + 1) / len(frames)
for name, colour, style in (("constant", GREY, "-"), ("float", BLUE, "-"), ("INT8", ORANGE, "--")):
    values = constant if name == "constant" else errors.get(name)
    if values is not None:
        label = "constant predictor" if name == "constant" else name
        axes.plot(np.sort(values), share, style, color=colour, label=label)
axes.set(
    title="Share of frames with at most this error",
    xlabel="error, cm",
    ylabel="share of frames",
    xlim=(0, None),
)
axes.legend(frameon=False)
plt.show()

# %% [markdown]
# ## By device, by orientation
#
# Lines are 95 % intervals over people. If only one or two people held a device, its interval is too narrow to be
# trusted: the number of people is given after the name.


# %%
def bars(axes, groups, title):
    """Error of each group with its interval, the constant predictor as a mark behind it."""
    for row, group in enumerate(groups.values()):
        low, high = group.ci95_cm
        axes.plot([group.constant_cm], [row], "|", color=GREY, markersize=15, markeredgewidth=2)
        axes.plot([low, high], [row, row], color=BLUE, linewidth=2)
        axes.plot([group.error_cm], [row], "o", color=BLUE)
    axes.set_yticks(range(len(groups)), [f"{name} ({g.subjects})" for name, g in groups.items()])
    axes.set(title=title, xlabel="error, cm", xlim=(0, None), ylim=(-0.6, len(groups) - 0.4))


by_orientation = {
    Orientation(int(k)).name.lower().replace("_", " "): v
    for k, v in evaluations["float"].errors.by_orientation.items()
}
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4.4))
bars(left, evaluations["float"].errors.by_device, "By device (people)")
bars(right, by_orientation, "By orientation (people)")
figure.supxlabel("o network with interval    | constant predictor", fontsize=9, color="#44515f")
plt.show()

# %% [markdown]
# ## By distance
#
# The distance of the people was not measured, but the width of the face in the image indicates it: a face half as wide is
# about twice as far away. The figure divides the frames of each family into equal parts, from far to near. Phones and
# tablets are separate, because tablets are held farther away and their dots are farther apart.

# %%
from tinytracker.data.examples import parse
from tinytracker.data.pipeline import serialized_records


def face_widths():
    """Width of each face as a share of the frame's longer side, in the order of `frames`."""
    fields = serialized_records(index, SPLIT).map(lambda r: {k: parse(r)[k] for k in ("face", "frame_size")})
    return np.array([f["face"][2] / f["frame_size"].max() for f in fields.as_numpy_iterator()])


width = face_widths()
figure, axes = plt.subplots()
for family, colour in (("phone", BLUE), ("tablet", ORANGE)):
    of_family = np.flatnonzero(frames.family == family)
    for number, chosen in enumerate(np.array_split(of_family[np.argsort(width[of_family])], 4)):
        if len(chosen):
            low, high = subject_bootstrap(errors["float"][chosen], frames.subject[chosen])
            place = width[chosen].mean()
            axes.plot([place, place], [low, high], color=colour, linewidth=2)
            axes.plot(
                place, errors["float"][chosen].mean(), "o", color=colour, label=None if number else family
            )
            axes.plot(place, constant[chosen].mean(), "_", color=GREY, markersize=18, markeredgewidth=2)
axes.plot([], [], "_", color=GREY, markersize=12, markeredgewidth=2, label="constant predictor")
axes.set(title="Error by size of the face", xlabel="far  ←  width of the face, share of the longer side  →  near",
         ylabel="error, cm", ylim=(0, None))  # fmt: skip
axes.legend(frameon=False)
plt.show()

# %% [markdown]
# ## By place of the dot
#
# Arrows lead from the mean of the dots in a cell to the mean answer. If they all point to the middle, the
# network plays safe: its answers are nearer to the mean of the training labels than the places people looked at.


# %%
def error_map(axes, family, cells=7):
    """Mean error and mean shift per cell of the plane of the screen."""
    chosen = frames.family == family
    gaze, answer, error = frames.gaze[chosen], predicted["float"][chosen], errors["float"][chosen]
    low, high = gaze.min(0) - 0.1, gaze.max(0) + 0.1
    place = np.minimum(((gaze - low) / (high - low) * cells).astype(int), cells - 1)
    cell = place[:, 1] * cells + place[:, 0]
    count = np.bincount(cell, minlength=cells**2)
    filled = count > 0

    def mean(values):
        return np.bincount(cell, values, cells**2)[filled] / count[filled]

    picture = np.full(cells**2, np.nan)
    picture[filled] = mean(error)
    shown = axes.imshow(picture.reshape(cells, cells), origin="lower", extent=(low[0], high[0], low[1], high[1]),
                        cmap="YlGnBu", vmin=0, vmax=np.quantile(errors["float"], 0.9), aspect="equal")  # fmt: skip
    start = np.stack([mean(gaze[:, 0]), mean(gaze[:, 1])])
    end = np.stack([mean(answer[:, 0]), mean(answer[:, 1])])
    axes.quiver(*start, *(end - start), angles="xy", scale_units="xy", scale=1, color=ORANGE, width=0.006)
    axes.plot(0, 0, "k+", markersize=9)
    axes.set(title=f"{family}, {chosen.sum():,} frames", xlabel="x, cm", ylabel="y, cm")
    axes.grid(False)
    return shown


families = [f for f in ("phone", "tablet") if (frames.family == f).any()]
figure, places = plt.subplots(1, len(families), figsize=(9, 4.4), squeeze=False)
for axes, family in zip(places[0], families, strict=True):
    shown = error_map(axes, family)
figure.colorbar(shown, ax=places, label="mean error, cm", shrink=0.8)
plt.show()

# %% [markdown]
# ## What INT8 costs
#
# The same frames through both networks. A shift of the answer is not a loss by itself: it can bring the answer nearer.

# %%
if "INT8" in errors:
    loss = errors["INT8"] - errors["float"]
    low, high = subject_bootstrap(loss, frames.subject)
    moved = np.linalg.norm(predicted["INT8"] - predicted["float"], axis=1)
    print(f"error {loss.mean():+.3f} cm (95 % interval {low:+.3f} to {high:+.3f}); "
          f"an answer moves by {np.median(moved):.2f} cm (median), 99 % of them by at most {np.quantile(moved, 0.99):.2f}")  # fmt: skip
    figure, (left, right) = plt.subplots(1, 2)
    for axis, name, colour in ((0, "x", BLUE), (1, "y", ORANGE)):
        left.plot(
            predicted["float"][:, axis],
            predicted["INT8"][:, axis],
            ".",
            color=colour,
            markersize=3,
            label=name,
        )
    left.axline((0, 0), slope=1, color=GREY, linewidth=1)
    left.set(title="Answers", xlabel="float, cm", ylabel="INT8, cm")
    left.legend(frameon=False, markerscale=3)
    right.hist(loss, bins=60, color=BLUE)
    right.axvline(0, color=GREY)
    right.set(title="Change of the error", xlabel="INT8 minus float, cm", ylabel="frames")
    plt.show()
else:
    print(f"The run has no quantized model {QUANTIZED}: `tinytracker quantize {RUN}` makes one.")

# %% [markdown]
# ## How much calibration helps
#
# A person looks at a few dots; a correction is fitted to them and judged on all other dots of that person. No data of
# other people are used. People are "worse off" if their error rose by more than 1 %.

# %%
from tinytracker.errors import CalibrationError

try:
    calibration = evaluate_calibration(RUN, DATA, SPLIT, dots=DOTS, repeats=5).content
except CalibrationError as error:
    calibration = None
    print(error)

if calibration is not None:
    print(f"{calibration['subjects']} people; {calibration['left_out']} with too few dots omitted")
    figure, axes = plt.subplots()
    axes.axhline(calibration["before_cm"], color=GREY, label="without calibration")
    methods = sorted({row["method"] for row in calibration["rows"]})
    for number, method in enumerate(methods):
        rows = [row for row in calibration["rows"] if row["method"] == method]
        places = np.array([row["dots"] for row in rows]) + (number - (len(methods) - 1) / 2) * 0.3
        error = np.array([row["error_cm"] for row in rows])
        ends = np.array([row["ci95_cm"] for row in rows]).T
        strong = method == "auto"
        axes.errorbar(places, error, np.abs(ends - error), fmt="o-", capsize=3, label=method, color=COLOURS.get(method), zorder=3 if strong else 2,
                      linewidth=2 if strong else 1, alpha=1 if strong else 0.6)  # fmt: skip
        for row in rows:
            print(f"{method:8} {row['dots']:3} dots: {row['error_cm']:.2f} cm ({row['change']:+.0%}), "
                  f"{row['worse']:.0%} of people worse off")  # fmt: skip
    axes.set(title="Error against the number of dots", xlabel="calibration dots", ylabel="error on all other dots, cm",
             xticks=DOTS, ylim=(0, None))  # fmt: skip
    axes.legend(frameon=False, ncols=5, fontsize=8, loc="lower left")
    plt.show()

# %% [markdown]
# ## Summary

# %%
summary = {f"{name} error, cm": round(float(values.mean()), 3) for name, values in errors.items()}
summary["constant predictor, cm"] = round(float(constant.mean()), 3)
if calibration is not None:
    for row in calibration["rows"]:
        if row["method"] == "auto":
            summary[f"change by {row['dots']} calibration dots"] = f"{row['change']:+.1%}"
for name, value in summary.items():
    print(f"{name:32} {value}")
