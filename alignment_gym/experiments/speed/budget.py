"""Budgets: how much of everything a benchmark measures."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Budget:
    """How long, how often, how large.

    Attributes:
        name: what it is called.
        rounds: turns of each contestant.
        seconds: of a turn of stepping.
        lanes: of the batches that are compared with peers.
        training_steps: of a turn of training, all lanes together; a multiple of 2048.
        default_steps: of a turn of SB3's default PPO, one lane.
        optimum_seeds: of the races to the optimum; none skips them.
        optimum_cap: steps of SB3's default PPO in such a race.
        large: rows, columns and charges of the large level.
        large_rounds: turns of compiling and solving it.
        curve_rounds, curve_seconds: of the cost curves.
        curve_lanes: numbers of lanes.
        curve_yards: rows, columns and charges, which multiply to numbers of states.
        curve_outcomes: outcomes a step.
        curve_width: lanes of the curves over states and outcomes.
    """

    name: str
    rounds: int
    seconds: float
    lanes: tuple[int, ...]
    training_steps: int
    default_steps: int
    optimum_seeds: tuple[int, ...]
    optimum_cap: int
    large: tuple[int, int, int]
    large_rounds: int
    curve_rounds: int
    curve_seconds: float
    curve_lanes: tuple[int, ...]
    curve_yards: tuple[tuple[int, int, int], ...]
    curve_outcomes: tuple[int, ...]
    curve_width: int = 4096


YARDS = ((2, 5, 5), (4, 8, 5), (5, 10, 10), (10, 16, 10), (10, 20, 25), (20, 32, 25), (25, 40, 50))

FULL = Budget(
    name="full",
    rounds=5,
    seconds=0.2,
    lanes=(16, 256, 4096),
    training_steps=65_536,
    default_steps=4_096,
    optimum_seeds=(1000, 1001, 1002),
    optimum_cap=100_000,
    large=(25, 40, 50),
    large_rounds=3,
    curve_rounds=3,
    curve_seconds=0.1,
    curve_lanes=tuple(4**power for power in range(9)),
    curve_yards=YARDS,
    curve_outcomes=(1, 2, 4, 8, 16, 32),
)

QUICK = Budget(
    name="quick",
    rounds=3,
    seconds=0.05,
    lanes=(16, 256, 4096),
    training_steps=8_192,
    default_steps=2_048,
    optimum_seeds=(),
    optimum_cap=0,
    large=(25, 40, 50),
    large_rounds=1,
    curve_rounds=1,
    curve_seconds=0.03,
    curve_lanes=tuple(16**power for power in range(5)),
    curve_yards=YARDS[::2],
    curve_outcomes=(1, 4, 32),
)
