"""A divided network on threads: equal to the oracle and free of races, and every kind of mistake is found."""

import re
import shutil

import pytest
from support.teams import TeamOnThreads, small_team_net
from support.tflite_nets import tinytracker, tinytracker_s

pytestmark = [
    pytest.mark.train,
    pytest.mark.skipif(shutil.which("gcc") is None, reason="no gcc"),
]


@pytest.mark.parametrize("kind", ["races", "memory"])
@pytest.mark.parametrize(
    "cores", [3, *(pytest.param(n, marks=pytest.mark.exhaustive) for n in (1, 2, 4, 5) if n > 1)]
)
def test_threads_equal_the_oracle_without_races(cores, kind, tmp_path):
    trial = TeamOnThreads(small_team_net(), tmp_path, cores).run(kind)
    assert trial.messages == ""
    assert trial.equal


@pytest.mark.exhaustive
@pytest.mark.parametrize("kind", ["races", "memory"])
@pytest.mark.parametrize("cores", [2, 5])
@pytest.mark.parametrize("make", [tinytracker, tinytracker_s])
def test_whole_networks_on_threads(make, cores, kind, tmp_path):
    trial = TeamOnThreads(make(), tmp_path, cores, images=2).run(kind)
    assert trial.messages == ""
    assert trial.equal


def test_a_missing_barrier_is_a_race_and_changes_the_outputs(tmp_path):
    team = TeamOnThreads(small_team_net(), tmp_path, 3)
    call = "tt_team_barrier(team->flags"
    team.replace("model_parts.c", call, f"if (region != 0) {call}")
    trial = team.run(
        "races", "PACE_AHEAD=2"
    )  # core 0 needs in region 1 what the others have not computed in region 0
    assert trial.reports > 0
    assert not trial.equal


def test_shared_scratch_is_a_race_and_changes_the_outputs(tmp_path):
    team = TeamOnThreads(small_team_net(), tmp_path, 3)
    team.replace(
        "model.c",
        "{model_scratch[0], model_scratch[1], model_scratch[2]}",
        "{model_scratch[0], model_scratch[0], model_scratch[0]}",
    )
    # Each core has written a patch before one of them uses it: only the last one's is there.
    use = "run_channels(&p->weights, scratch, out, out_c, NULL, NULL);"
    team.replace("tt_m4_conv.c", use, f"extern void pace_patch(void);\n        pace_patch();\n        {use}")
    trial = team.run("races", "PACE_PATCHES")
    assert trial.reports > 0
    assert not trial.equal


def move_an_end(team: TeamOnThreads, step: str, change: int) -> None:
    """Change the end of core 0's positions in the parts of a step that is divided by positions."""
    text = (team.folder / "model_parts.c").read_text()
    call = re.search(rf"/\* step \d+: [^\n]*{step}, positions \*/\n[^\n]*team->parts\[(\d+)\]\[core\]", text)
    assert call is not None, step
    tables = (team.folder / "model.c").read_text().split("static const tt_part_t model_parts")[1].splitlines()
    row = tables[1 + int(call[1])]
    end = int(row.split("{0, ")[1].split(",")[0])
    team.replace("model.c", row, row.replace(f"{{0, {end},", f"{{0, {end + change},", 1))


def test_overlapping_parts_are_a_race_although_the_outputs_are_equal(tmp_path):
    team = TeamOnThreads(small_team_net(), tmp_path, 3)
    move_an_end(team, "CONV_2D", 2)  # not in place: the same bytes are written twice
    trial = team.run("races", "PACE_TOGETHER")
    assert trial.reports > 0
    assert trial.equal


def test_a_gap_between_parts_changes_the_outputs_without_a_race(tmp_path):
    team = TeamOnThreads(small_team_net(), tmp_path, 3)
    move_an_end(team, "ADD", -2)
    trial = team.run("races")
    assert trial.reports == 0
    assert not trial.equal
