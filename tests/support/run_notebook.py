"""Run a notebook's Python file; the last line that is printed says what came of it, as JSON."""

import json
import runpy
import sys
import warnings

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt

warnings.filterwarnings("ignore", message=".*non-interactive")


def drawn(axes):
    """How much of the data is to be seen in a pair of axes."""
    return len(axes.lines) + len(axes.patches) + len(axes.collections) + len(axes.images)


names = runpy.run_path(sys.argv[1])
figures = [[drawn(axes) for axes in plt.figure(number).axes] for number in plt.get_fignums()]
titles = [axes.get_title(loc="left") for number in plt.get_fignums() for axes in plt.figure(number).axes]
print(json.dumps({"figures": figures, "titles": titles, "summary": names["summary"]}))
