"""Divides a network over several cores: which part of each layer a core computes, and where the cores wait.

A core computes its parts with the kernels of one core and other parameters (`parts`). Steps between two barriers are a
region; `regions` chooses parts and regions with a cost function, `memory` places tensors so that a region's never
overlap, and `write` makes the C. docs/codegen.md explains the method.
"""

from tinytracker.codegen.multicore.divide import Divided, divide
from tinytracker.codegen.multicore.parts import MAX_CORES
from tinytracker.codegen.multicore.write import Team, make_team, parts_source, team_header

__all__ = ["MAX_CORES", "Divided", "Team", "divide", "make_team", "parts_source", "team_header"]
