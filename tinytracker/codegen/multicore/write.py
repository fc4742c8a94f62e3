"""The C of a network for several cores: `NAME_team.h`, `NAME_parts.c`, and what `NAME.c` has besides one core's.

`NAME.c` holds everything that exists once: constants, arena, the interface, and the steps of core 0. `NAME_parts.c` is
compiled for every core, so that each can run a copy of its own; it reaches the rest through `NAME_team_t`, whose
addresses are the same for all cores.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tinytracker.codegen.cwriter import c_comment
from tinytracker.codegen.graph import Graph
from tinytracker.codegen.kernel import LayerCode
from tinytracker.codegen.multicore.divide import Divided
from tinytracker.codegen.multicore.parts import Division, Part, PartCode
from tinytracker.codegen.multicore.regions import Region

SOURCES = ("tt_part.h", "tt_team.h")
"""Files of the kernel library that every divided network needs."""

HOOK = """\
#ifdef TT_STEP_HOOK
extern void tt_step_done(int32_t step);
#define TT_STEP_DONE(step) tt_step_done(step)
#else
#define TT_STEP_DONE(step) ((void)0)
#endif
"""


@dataclass(frozen=True)
class Team:
    """A divided network.

    Attributes:
        cores: number of cores.
        regions: steps between barriers. divisions: one per step. codes: C of the divided steps, one per step.
        alone: steps that core 0 computes whole, with the code of one core.
        tables: parts of all cores as C initializers, which the calls refer to by number.
        scratch_bytes: working memory of the core that needs most.
    """

    cores: int
    regions: tuple[Region, ...]
    divisions: tuple[Division, ...]
    codes: tuple[PartCode, ...]
    alone: tuple[int, ...]
    tables: tuple[str, ...]
    scratch_bytes: int

    @property
    def sources(self) -> set[str]:
        """Return the files of the kernel library that the parts need."""
        return {*SOURCES, *(s for code in self.codes for s in code.sources)}


def make_team(name: str, divided: Divided, layers: Sequence[LayerCode], offsets: dict[int, int]) -> Team:
    """Write the calls of all parts.

    Args:
        name: prefix of the C interface.
        divided: what was chosen.
        layers: constants of all steps, and the calls that compute them whole.
        offsets: byte offset of each run-time tensor in the arena.
    """
    codes = [
        PartCode(f"{name}_layer_{step}", "arena", offsets, layer=f"team->layers->layer_{step}")
        for step in range(len(layers))
    ]
    scratch = [0]
    tables: dict[tuple[Part, ...], int] = {}
    for region in divided.regions:
        for step, split in zip(range(region.first, region.end), region.splits, strict=True):
            division = divided.divisions[step]
            if not division.parameters:
                continue
            numbers = [tables.setdefault(parts, len(tables)) for parts in split.rounds]
            division.emit(codes[step], split, [f"&team->parts[{number}][core]" for number in numbers])
            parts = (part for core in range(divided.cores) for part in split.of_core(core))
            scratch += [division.scratch_bytes(part) for part in parts]
    alone = tuple(
        step
        for step, (division, layer) in enumerate(zip(divided.divisions, layers, strict=True))
        if not division.parameters and layer.statements
    )
    return Team(
        divided.cores,
        divided.regions,
        divided.divisions,
        tuple(codes),
        alone,
        tuple(map(_table, tables)),
        max(scratch),
    )


def _table(parts: tuple[Part, ...]) -> str:
    """Return the initializer of the parts of all cores."""
    rows = (f"{{{p.first_position}, {p.end_position}, {p.first_channel}, {p.end_channel}}}" for p in parts)
    return "{" + ", ".join(rows) + "}"


def team_header(name: str, team: Team, banner: str) -> str:
    """`NAME_team.h`."""
    macro = name.upper()
    headers = sorted(s for s in team.sources if s.endswith("_part.h"))
    includes = "".join(f'#include "{header}"\n' for header in ["tt_team.h", *headers])
    divided = [(step, d.parameters) for step, d in enumerate(team.divisions) if d.parameters]
    layers = "".join(f"    const {c_name} *layer_{step};\n" for step, c_name in divided)
    alone = "".join(f"void {name}_alone_{step}(void);\n" for step in team.alone)
    words = max(-(-team.scratch_bytes // 4), 1)
    return f"""{banner}#ifndef {macro}_TEAM_H
#define {macro}_TEAM_H

#include "{name}.h"
{includes}
#define {macro}_CORES {team.cores}
#define {macro}_REGIONS {len(team.regions)}
#define {macro}_SCRATCH_WORDS {words}

/* Parameters of the divided layers; all cores read the same ones. */
typedef struct {{
{layers or "    int32_t none;" + chr(10)}}} {name}_layers_t;

/* What the cores share. Its addresses have to mean the same on every core. */
typedef struct {{
    const {name}_layers_t *layers;
    const tt_part_t (*parts)[{macro}_CORES]; /* of all cores, one row per way to divide a layer */
    int8_t *arena;
    tt_flag_t *flags;                        /* one per core */
    uint32_t *scratch[{macro}_CORES];        /* {macro}_SCRATCH_WORDS words for each core */
}} {name}_team_t;

extern {name}_team_t {name}_team;

/* Computes the parts of one core and returns when all cores are ready. inference: counts from 0, and wraps. Each core
 * calls it once per inference. */
void {name}_core(const {name}_team_t *team, int32_t core, uint32_t inference);

/* The parts of one core in one region, without waiting. */
void {name}_region(const {name}_team_t *team, int32_t region, int32_t core);

/* Makes the other cores begin: they have to call {name}_core with this number, and to see everything that was written
 * before. */
typedef void {name}_start_t(void *context, uint32_t inference);

/* From now on, a run calls `start` and computes the parts of core 0 only. With NULL, as at the beginning, it computes
 * the parts of all cores, one after the other. */
void {name}_use_cores({name}_start_t *start, void *context);

/* Steps that core 0 computes alone. */
{alone}
#endif
"""


def parts_source(graph: Graph, name: str, team: Team, banner: str) -> str:
    """`NAME_parts.c`."""
    macro = name.upper()
    shared = {key: text for code in team.codes for key, text in code.shared.items()}
    shared_text = "".join(f"{text}\n\n" for text in shared.values())
    declarations = "\n\n".join("\n".join(code.declarations) for code in team.codes if code.declarations)
    regions = "\n".join(_region(graph, name, team, number) for number in range(len(team.regions)))
    table = ",\n".join(f"    {name}_region_{number}" for number in range(len(team.regions)))
    return f"""{banner}#include "{name}_team.h"

#include <stddef.h>

/* A measuring build; see {name}.c. */
{HOOK}
/* An application that measures how long cores work and wait defines TT_TEAM_HOOK and provides this function. It is
 * called on each core where it begins to work (1), and to wait (0). */
#ifdef TT_TEAM_HOOK
extern void tt_team_hook(int32_t core, int32_t working);
#define TT_TEAM(core, working) tt_team_hook(core, working)
#else
#define TT_TEAM(core, working) ((void)0)
#endif

{shared_text}{declarations}

{regions}
typedef void {name}_region_t(const {name}_team_t *team, int32_t core, uint32_t *scratch);

static {name}_region_t *const {name}_regions[{macro}_REGIONS] = {{
{table},
}};

void {name}_region(const {name}_team_t *team, int32_t region, int32_t core)
{{
    {name}_regions[region](team, core, team->scratch[core]);
}}

void {name}_core(const {name}_team_t *team, int32_t core, uint32_t inference)
{{
    const uint32_t passed = inference * {macro}_REGIONS; /* barriers of earlier inferences */
    for (int32_t region = 0; region < {macro}_REGIONS; region++) {{
        {name}_region(team, region, core);
        TT_TEAM(core, 0);
        tt_team_barrier(team->flags, {macro}_CORES, core, passed + (uint32_t)region + 1u);
        TT_TEAM(core, 1);
    }}
}}
"""


def _region(graph: Graph, name: str, team: Team, number: int) -> str:
    """Return the function of one region."""
    macro = name.upper()
    region = team.regions[number]
    lines = []
    for step, split in zip(range(region.first, region.end), region.splits, strict=True):
        label = c_comment(graph.nodes[step].operator.label)
        lines.append(f"    /* step {step}: {label}, {split.name} */")
        if team.divisions[step].parameters:
            lines += [f"    {statement}" for statement in team.codes[step].statements]
        elif step in team.alone:
            lines += [
                f"#ifndef {macro}_WORKER", "    if (core == 0) {", f"        {name}_alone_{step}();", "    }", "#endif",
            ]  # fmt: skip
        lines.append(f"    TT_STEP_DONE(({step} * {macro}_CORES) + core);")
    text = "\n".join(lines)
    arena = "    int8_t *const arena = team->arena;\n" if "arena[" in text else ""
    used = {"team": "team->" in text, "core": "[core]" in text, "scratch": "scratch)" in text}
    unused = "".join(f"    (void){word};\n" for word, is_used in used.items() if not is_used)
    return f"""static void {name}_region_{number}(const {name}_team_t *team, int32_t core, uint32_t *scratch)
{{
{arena}{unused}{text}
}}
"""


def main_declarations(name: str, team: Team) -> str:
    """Return what `NAME.c` declares for the team."""
    macro = name.upper()
    members = "".join(
        f"    &{name}_layer_{step}_parameters,\n" for step, d in enumerate(team.divisions) if d.parameters
    )
    tables = "".join(f"    {table},\n" for table in team.tables)
    scratch = ", ".join(f"{name}_scratch[{core}]" for core in range(team.cores))
    return f"""
static const {name}_layers_t {name}_layers = {{
{members or "    0," + chr(10)}}};

static const tt_part_t {name}_parts[{max(len(team.tables), 1)}][{macro}_CORES] = {{
{tables or "    {{0, 0, 0, 0}}," + chr(10)}}};

static uint32_t {name}_scratch[{macro}_CORES][{macro}_SCRATCH_WORDS];
static tt_flag_t {name}_flags[{macro}_CORES];

{name}_team_t {name}_team = {{&{name}_layers, {name}_parts, {name}_arena.bytes, {name}_flags, {{{scratch}}}}};

static {name}_start_t *{name}_start;
static void *{name}_start_context;
static uint32_t {name}_inferences;
"""


def main_steps(graph: Graph, name: str, layers: Sequence[LayerCode], team: Team) -> str:
    """Return the functions of `NAME.c` that run a divided network."""
    macro = name.upper()
    alone = "".join(
        f"/* step {step}: {c_comment(graph.nodes[step].operator.label)} */\nvoid {name}_alone_{step}(void)\n{{\n"
        + "".join(f"    {statement}\n" for statement in layers[step].statements)
        + "}\n\n"
        for step in team.alone
    )
    return f"""{alone}void {name}_use_cores({name}_start_t *start, void *context)
{{
    {name}_start = start;
    {name}_start_context = context;
}}

static void {name}_steps(void)
{{
    TT_STEP_DONE(-1);
    if ({name}_start != NULL) {{
        const uint32_t inference = {name}_inferences;
        {name}_inferences++;
        {name}_start({name}_start_context, inference);
        {name}_core(&{name}_team, 0, inference);
    }} else {{
        for (int32_t region = 0; region < {macro}_REGIONS; region++) {{
            for (int32_t core = 0; core < {macro}_CORES; core++) {{
                {name}_region(&{name}_team, region, core);
            }}
        }}
    }}
}}
"""
