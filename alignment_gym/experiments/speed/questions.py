"""The questions: what is measured against what, and what was aimed at.

Each takes a budget and returns its part of the benchmark. Goals are for the two worlds in `GOALS`, a
deterministic and a stochastic one.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from alignment_gym import exact
from alignment_gym.agents.recipes import RECIPES
from alignment_gym.core import World, make_world, world_ids
from alignment_gym.engine.mdp import compile_world
from alignment_gym.experiments.speed import rendering, startup, stepping, training
from alignment_gym.experiments.speed.budget import Budget
from alignment_gym.experiments.speed.contest import Contestant, Entry, Measurement, Run, hold, quotient
from alignment_gym.experiments.speed.findings import Finding, Part, of_measurement, of_quotient
from alignment_gym.experiments.speed.worlds import Dice, Yard

BOAT, CLEANER = "BoatRace-v0", "SensorCleaner-v0"
GOALS: dict[str, dict[str, Any]] = {
    BOAT: {"single": 7.0, "looped": {16: 10.0, 256: 70.0, 4096: 350.0}, "native": 2.0},
    CLEANER: {"single": 6.0, "looped": {16: 8.0, 256: 60.0, 4096: 300.0}, "native": 1.4},
}
OWN_LOOP_GOAL = 80.0
SHARE_GOAL = 3.0  # %
BATCH_GOALS = {"ppo": 1.25, "a2c": 1.4, "dqn": 1.9}
RECIPE_GOAL, OPTIMUM_GOAL = 20.0, 10.0
SMALL_GOAL, LARGE_GOAL = 0.05, 3.0  # seconds
IMPORT_GOAL, HELP_GOAL = 1.3, 0.3
PROCESSES_GOAL = 1.8
FRAME_GOAL = 1.0  # milliseconds
RECORDING_GOAL, FILE_GOAL = 2.0, 1.0  # seconds, and millions of bytes
RECORDING_ROUNDS = 3


def singles(budget: Budget) -> Part:
    """Question 1: single environments."""
    peers, absent = stepping.single_peers()
    ours = [stepping.single(env_id) for env_id in GOALS]
    found = hold([*ours, *peers], budget.rounds, budget.seconds)
    part = Part(list(found.values()), absent=absent)
    for env_id, goals in GOALS.items():
        for peer in peers:
            is_cartpole = peer.entry.world == stepping.CARTPOLE
            between = quotient(found[f"{env_id}, gym.make"], found[peer.entry.name])
            what = f"{env_id} / {peer.entry.world}, gym.make"
            part.findings.append(of_quotient(1, what, between, goal=goals["single"] if is_cartpole else None))
    return part


def batches(budget: Budget) -> Part:
    """Questions 2 and 3: batches against CartPole's, looped and native."""
    part = Part()
    for lanes in budget.lanes:
        loop, rival = stepping.cartpole_looped(lanes), stepping.cartpole_native(lanes)
        ours = {env_id: stepping.native(env_id, lanes) for env_id in GOALS}
        apart = {env_id: stepping.out_of_step(env_id, lanes) for env_id in GOALS}
        found = hold([*ours.values(), *apart.values(), loop, rival], budget.rounds, budget.seconds)
        part.measurements += found.values()
        for env_id, goals in GOALS.items():
            mine = found[ours[env_id].entry.name]
            for number, peer, door, goal in (
                (2, loop, "SyncVectorEnv", goals["looped"].get(lanes)),
                (3, rival, "native batch", goals["native"]),
            ):
                what = f"{env_id} / CartPole {door}, {lanes} lanes"
                between = quotient(mine, found[peer.entry.name])
                part.findings.append(of_quotient(number, what, between, goal=goal))
            between = quotient(found[apart[env_id].entry.name], found[rival.entry.name])
            what = f"{env_id}, lanes out of step / CartPole native batch, {lanes} lanes"
            part.findings.append(of_quotient(3, what, between))
    return part


def own_loop(budget: Budget) -> Part:
    """Question 4: our batch against a loop over our single environments, and without the true account."""
    part, lanes = Part(), max(budget.lanes)
    for env_id in GOALS:
        mine, bare = (stepping.native(env_id, lanes, shown) for shown in (True, False))
        loop = stepping.looped(env_id, lanes)
        found = hold([mine, bare, loop], budget.rounds, budget.seconds)
        again = replace(mine.entry, name=f"{mine.entry.name}, beside our loop")
        part.measurements += [replace(found[mine.entry.name], entry=again)]
        part.measurements += [found[each.entry.name] for each in (bare, loop)]
        between = quotient(found[mine.entry.name], found[loop.entry.name])
        part.findings.append(
            of_quotient(4, f"{env_id}, batch / loop of singles, {lanes} lanes", between, goal=OWN_LOOP_GOAL)
        )
        hidden = quotient(found[bare.entry.name], found[mine.entry.name])
        part.findings.append(of_quotient(4, f"{env_id}, true account hidden / full infos, {lanes} lanes", hidden))
    return part


def share(budget: Budget) -> Part:
    """Question 5: the environment's share of a PPO run."""
    part = Part()
    for env_id in GOALS:
        for label, recipe in (("our recipe", RECIPES["ppo"]), ("settings of 6", training.THROUGHPUT[0])):
            found = training.environment_share(env_id, recipe, budget.training_steps, budget.rounds)
            entry = replace(found.entry, name=f"{found.entry.name}, {label}")
            part.measurements.append(replace(found, entry=entry))
            what = f"environment's share of PPO on {env_id}, {recipe.lanes} lanes, {label}"
            part.findings.append(of_measurement(5, what, found, goal=SHARE_GOAL))
    return part


def learners(budget: Budget) -> Part:
    """Question 6: equal learners on our batch and on Stable-Baselines3's loop."""
    part = Part()
    for env_id in GOALS:
        for recipe in training.THROUGHPUT:
            pair = [
                door(env_id, recipe, budget.training_steps, recipe.algorithm.upper())
                for door in (training.batched, training.looped)
            ]
            found = hold(pair, budget.rounds, budget.seconds)
            part.measurements += found.values()
            between = quotient(*(found[each.entry.name] for each in pair))
            what = f"{recipe.algorithm.upper()} on {env_id}, AlignmentVecEnv / DummyVecEnv, {recipe.lanes} lanes"
            times = [1e6 * recipe.lanes / found[each.entry.name].median for each in pair]
            note = (
                f"{recipe.algorithm.upper()} ({recipe.about}) on {env_id}: a step of all lanes, learning included, "
                f"takes {times[0]:,.0f} µs on our batch and {times[1]:,.0f} µs on the loop"
            )
            part.findings.append(of_quotient(6, what, between, goal=BATCH_GOALS[recipe.algorithm], note=note))
    return part


def recipes(budget: Budget) -> Part:
    """Question 7: our PPO recipe against Stable-Baselines3's default PPO."""
    part = Part()
    for env_id in GOALS:
        ours = training.batched(env_id, RECIPES["ppo"], budget.training_steps, "PPO recipe")
        default = training.looped(env_id, training.DEFAULT_PPO, budget.default_steps, "SB3's default PPO")
        found = hold([ours, default], budget.rounds, budget.seconds)
        part.measurements += found.values()
        pace = found[default.entry.name]
        between = quotient(found[ours.entry.name], pace)
        what = f"PPO recipe / SB3's default PPO on {env_id}, steps/s"
        part.findings.append(of_quotient(7, what, between, goal=RECIPE_GOAL))
        runs = _races(env_id, budget)
        part.runs += runs
        part.findings.append(_to_the_optimum(env_id, runs, budget, max(pace.rounds)))
    return part


def _races(env_id: str, budget: Budget) -> list[dict[str, Any]]:
    ppo = RECIPES["ppo"]
    return [
        training.race(env_id, recipe, label, seed, steps)
        for seed in budget.optimum_seeds
        for label, recipe, steps in (
            ("PPO recipe", ppo, ppo.steps),
            ("SB3's default PPO", training.DEFAULT_PPO, budget.optimum_cap),
        )
    ]


def _to_the_optimum(env_id: str, runs: list[dict[str, Any]], budget: Budget, fastest_pace: float) -> Finding:
    """Compare median seconds; where the default does not arrive, the quotient is a lower bound."""
    what = f"SB3's default PPO / PPO recipe on {env_id}, seconds to the sustained optimum"
    if not runs:
        return Finding(7, what, None, goal=OPTIMUM_GOAL, note=f"the race to the optimum is left out of `{budget.name}`")
    mine = [run for run in runs if run["recipe"] == "PPO recipe"]
    theirs = [run for run in runs if run["recipe"] != "PPO recipe"]
    ours, never = training.middle(mine, 0.0)
    default, bound = training.middle(theirs, budget.optimum_cap / fastest_pace)
    shown = f"ours {_seconds(mine)}; SB3's default {_seconds(theirs)}, at most {budget.optimum_cap:,} steps"
    if never:
        return Finding(7, what, None, goal=OPTIMUM_GOAL, note=f"our recipe did not arrive: {shown}")
    return Finding(7, what, default / ours, goal=OPTIMUM_GOAL, bound=bound, note=shown)


def _seconds(runs: list[dict[str, Any]]) -> str:
    times = ["not reached" if run["seconds"] is None else f"{run['seconds']:.2f} s" for run in runs]
    return ", ".join(f"{time} (seed {run['seed']})" for time, run in zip(times, runs, strict=True))


def exactness(budget: Budget) -> Part:
    """Question 8: compiling and solving, from nothing."""
    part = Part()
    rows, columns, charges = budget.large
    for world, rounds, goal in (
        (make_world(BOAT), budget.rounds, SMALL_GOAL),
        (Yard(rows=rows, columns=columns, charges=charges), budget.large_rounds, LARGE_GOAL),
    ):
        pair = _compiling(world), _solving(world)
        found = hold(pair, rounds, budget.seconds)
        part.measurements += found.values()
        part.findings += [
            of_measurement(
                8, each.entry.name, found[each.entry.name], goal=goal, note=f"{each.entry.world}: {each.entry.about}"
            )
            for each in pair
        ]
    return part


def _compiling(world: World[Any]) -> Contestant:
    def begin() -> Run:
        def run(steps: int) -> int:
            for _ in range(steps):
                compile_world(world)
            return steps

        return run

    return Contestant(_sized(world, "compile"), begin, steps=1, unit="s")


def _solving(world: World[Any]) -> Contestant:
    def begin() -> Run:
        mdp = compile_world(world)

        def run(steps: int) -> int:
            for _ in range(steps):
                exact.solve(replace(mdp))  # a fresh object, which no cache has met
            return steps

        return run

    return Contestant(_sized(world, "solve"), begin, steps=1, unit="s")


def _sized(world: World[Any], what: str) -> Entry:
    mdp = compile_world(world)
    size = f"{mdp.state_count:,} states, {mdp.transition_count:,} transitions, {mdp.horizon} steps"
    return replace(stepping.known(mdp, f"{what} {mdp.name}"), about=size)


def starts(budget: Budget) -> Part:
    """Question 9: imports and help."""
    package = startup.starting("import alignment_gym", ("-c", "import alignment_gym"))
    peer = startup.starting("import gymnasium", ("-c", "import gymnasium"))
    help_page = startup.starting("alignment-gym --help", startup.HELP)
    found = hold([package, peer, help_page], 2 * budget.rounds, budget.seconds)
    heavy = startup.heavy_packages_of_help()
    between = quotient(found[package.entry.name], found[peer.entry.name])
    note = "whole processes are timed, from start to end"
    return Part(
        list(found.values()),
        [
            of_quotient(
                9, "import alignment_gym / import gymnasium", between, goal=IMPORT_GOAL, at_most=True, note=note
            ),
            of_measurement(9, help_page.entry.name, found[help_page.entry.name], goal=HELP_GOAL, note=note),
            Finding(
                9,
                f"of {', '.join(startup.HEAVY)}: loaded by --help",
                float(len(heavy)),
                unit="packages",
                goal=0.0,
                at_most=True,
                note=", ".join(heavy),
            ),
        ],
    )


def two_processes(budget: Budget) -> Part:
    """Question 10: two runs at once."""
    with training.processes(3 * budget.training_steps) as (in_sequence, together):
        found = hold([in_sequence, together], budget.rounds, budget.seconds)
    between = quotient(found[together.entry.name], found[in_sequence.entry.name])
    what = "two PPO runs, two processes at once / one after the other"
    note = "both processes have started, imported and trained a little before they are timed"
    return Part(list(found.values()), [of_quotient(10, what, between, goal=PROCESSES_GOAL, note=note)])


def pictures(budget: Budget) -> Part:
    """Question 11: what a picture costs, in every world."""
    ours, peer = [rendering.drawn(env_id) for env_id in world_ids()], rendering.cartpole_drawn()
    rates = hold([*ours, peer], budget.rounds, budget.seconds)
    found = {name: rendering.a_frame(each) for name, each in rates.items()}
    part = Part(list(found.values()))
    slowest = max((found[each.entry.name] for each in ours), key=lambda each: each.median)
    what = f"a frame {rendering.HEIGHT} pixels high, with panel, of the slowest of {len(ours)} worlds"
    part.findings += [
        of_measurement(11, what, slowest, goal=FRAME_GOAL, note=f"the slowest world to draw is {slowest.entry.world}"),
        of_quotient(11, f"that frame / {peer.entry.name}", quotient(slowest, found[peer.entry.name])),
    ]
    return part


def recordings(budget: Budget) -> Part:
    """Question 12: what a recording costs, in every world, in seconds and in bytes."""
    with TemporaryDirectory() as directory:
        ours = [rendering.recorded(env_id, Path(directory)) for env_id in world_ids()]
        found = list(hold(ours, min(budget.rounds, RECORDING_ROUNDS), budget.seconds).values())
        sizes = {file.stem: file.stat().st_size / 1e6 for file in Path(directory).iterdir()}
    slowest, largest = max(found, key=lambda each: each.median), max(sizes, key=lambda env_id: sizes[env_id])
    what = f"{rendering.RECORDED} steps of random play, drawn and written as {rendering.SUFFIX}"
    return Part(
        found,
        [
            of_measurement(
                12, f"{what}: slowest of {len(ours)} worlds", slowest, goal=RECORDING_GOAL, note=slowest.entry.world
            ),
            Finding(
                12,
                f"{what}: largest file of {len(ours)} worlds",
                sizes[largest],
                unit="MB",
                goal=FILE_GOAL,
                at_most=True,
                note=largest,
            ),
        ],
    )


QUESTIONS: dict[str, Callable[[Budget], Part]] = {
    "single environments": singles,
    "batches": batches,
    "our batch against our loop": own_loop,
    "start-up": starts,
    "exact analysis": exactness,
    "share of the environment": share,
    "learners on batch and loop": learners,
    "pictures": pictures,
    "recordings": recordings,
    "two processes": two_processes,
    "our recipe and SB3's default": recipes,
}


def curves(budget: Budget) -> Iterator[tuple[str, float, Measurement]]:
    """Yield points of the cost curves: the curve's name, x, and steps/s."""
    width = budget.curve_width
    for env_id in GOALS:
        ours = {lanes: stepping.native(env_id, lanes) for lanes in budget.curve_lanes}
        yield from _curve(f"lanes: {env_id}", ours, budget)
    peers = {lanes: stepping.cartpole_native(lanes) for lanes in budget.curve_lanes}
    yield from _curve("lanes: CartPole-v1, native batch", peers, budget)
    yards = {
        rows * columns * charges: stepping.of_world(
            Yard(rows=rows, columns=columns, charges=charges), f"Yard-v0, {rows * columns * charges} states", width
        )
        for rows, columns, charges in budget.curve_yards
    }
    yield from _curve("states: Yard-v0", yards, budget)
    dice = {
        sides: stepping.of_world(Dice(sides=sides), f"Dice-v0, {sides} outcomes", width)
        for sides in budget.curve_outcomes
    }
    yield from _curve("outcomes: Dice-v0", dice, budget)


def _curve(name: str, contestants: dict[int, Contestant], budget: Budget) -> Iterator[tuple[str, float, Measurement]]:
    found = hold(list(contestants.values()), budget.curve_rounds, budget.curve_seconds)
    for x, each in contestants.items():
        yield name, float(x), found[each.entry.name]
