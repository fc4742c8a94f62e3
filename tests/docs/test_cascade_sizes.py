"""Sizes in docs/cascade.md are those of the table beside it and of the program."""

import csv

from support.tree import ROOT

from tinytracker.platforms.cascade_rows import STATE_BYTES


def test_the_sizes_on_the_page_are_those_of_the_results():
    with (ROOT / "benchmarks/results/cascade_device.csv").open() as file:
        rows = list(csv.DictReader(file))
    big, both = (
        next(
            int(r["program_bytes"]) for r in rows if (r["model"], bool(r["little"])) == ("v2-aim.tflite", has)
        )
        for has in (False, True)
    )
    page = " ".join((ROOT / "docs/cascade.md").read_text().split())
    for sentence in (
        f"one image of {both:,} bytes",
        f"Little accounts for {both - big:,} of these bytes",
        f"a state of {STATE_BYTES:,} bytes",
    ):
        assert sentence in page
