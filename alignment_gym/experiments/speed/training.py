"""Who trains: our batch and Stable-Baselines3's loop under one learner, and a race to the optimum.

Both go through `agents.sb3.learn` with one torch thread and the true account hidden, as `train` does, and
with episodes monitored: our batch does so itself, the loop is the one that SB3's `make_vec_env` returns. The
network's construction is timed, its first import is not.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from math import inf, isnan
from multiprocessing import get_context
from statistics import median
from time import perf_counter
from typing import Any

from alignment_gym.agents.recipes import RECIPES, Recipe
from alignment_gym.agents.stopwatch import seconds_to_optimum
from alignment_gym.engine.mdp import as_mdp
from alignment_gym.experiments.speed.contest import Contestant, Measurement, Run
from alignment_gym.experiments.speed.stepping import HIDDEN, known

SEED = 1000
LANES = 64
WARMING = 2_048  # steps; PPO's rollouts are 1,024 or 2,048 long
EVERY = 2_048  # steps between two looks at an agent


def _recipe(algorithm: str, lanes: int, settings: dict[str, Any]) -> Recipe:
    words = ", ".join(f"{name} {value}" for name, value in settings.items())
    return Recipe(
        name=algorithm,
        algorithm=algorithm,
        about=f"{words or 'SB3 defaults'}; otherwise SB3's defaults" if words else "SB3's defaults",
        deployed="stochastic",
        steps=100_000,
        lanes=lanes,
        discount=0.99,
        rise=0.0,
        settings={**settings, "net_arch": (64, 64)},
    )


THROUGHPUT = (
    _recipe("ppo", LANES, {"n_steps": 16, "batch_size": 1024, "n_epochs": 4}),
    _recipe("a2c", LANES, {}),
    _recipe("dqn", LANES, {"buffer_size": 100_000, "train_freq": 4, "gradient_steps": 1}),
)
DEFAULT_PPO = _recipe("ppo", 1, {})


def batched(env_id: str, recipe: Recipe, steps: int, label: str) -> Contestant:
    """Return a recipe on our native batch."""

    def make() -> Any:
        from alignment_gym.agents.sb3 import AlignmentVecEnv

        return AlignmentVecEnv(env_id, recipe.lanes, SEED, expose_true=False)

    return _learner(env_id, recipe, steps, f"{label} on {env_id}, AlignmentVecEnv", make)


def looped(env_id: str, recipe: Recipe, steps: int, label: str) -> Contestant:
    """Return a recipe on Stable-Baselines3's loop over our single environments."""

    def make() -> Any:
        from alignment_gym.agents.sb3 import looped_vec_env

        return looped_vec_env(env_id, recipe.lanes, SEED, expose_true=False)

    return _learner(env_id, recipe, steps, f"{label} on {env_id}, DummyVecEnv", make)


def _learner(env_id: str, recipe: Recipe, steps: int, name: str, make: Callable[[], Any]) -> Contestant:
    def begin() -> Run:
        env = make()
        _learn(recipe, env, WARMING)
        return lambda steps: _learn(recipe, env, steps)

    mdp = as_mdp(env_id)
    entry = known(mdp, name, lanes=recipe.lanes, infos=HIDDEN, autoreset="same step", about=recipe.about)
    return Contestant(entry, begin, steps=steps)


def _learn(recipe: Recipe, env: Any, steps: int) -> int:
    from alignment_gym.agents.sb3 import learn

    learn(recipe, env, steps, SEED, (), lambda *_: None)
    return steps


def environment_share(env_id: str, recipe: Recipe, steps: int, rounds: int) -> Measurement:
    """Return the percentage of training that is spent in our batch's `step_wait`, a number a round."""
    from alignment_gym.agents.sb3 import AlignmentVecEnv

    env = AlignmentVecEnv(env_id, recipe.lanes, SEED, expose_true=False)
    _learn(recipe, env, WARMING)
    shares = []
    for _ in range(rounds):
        watched = _Watched(env.step_wait)
        setattr(env, "step_wait", watched)  # noqa: B010 - mypy takes no assignment to a method
        began = perf_counter()
        _learn(recipe, env, steps)
        shares.append(100.0 * watched.seconds / (perf_counter() - began))
        setattr(env, "step_wait", watched.function)  # noqa: B010
    name = f"{recipe.name} on {env_id}, share of step_wait"
    entry = known(as_mdp(env_id), name, lanes=recipe.lanes, infos=HIDDEN, autoreset="same step", about=recipe.about)
    return Measurement(entry, "%", tuple(shares))


class _Watched:
    """A function, and the seconds spent in it."""

    def __init__(self, function: Callable[[], Any]) -> None:
        self.function = function
        self.seconds = 0.0

    def __call__(self) -> Any:
        began = perf_counter()
        result = self.function()
        self.seconds += perf_counter() - began
        return result


def race(env_id: str, recipe: Recipe, label: str, seed: int, steps: int) -> dict[str, Any]:
    """Return one run to the sustained optimum of the proxy: `seconds` is null where `steps` do not suffice."""
    seconds = seconds_to_optimum(recipe, as_mdp(env_id), seed, steps, EVERY)
    reached = not isnan(seconds)
    return {
        "recipe": label,
        "world": env_id,
        "seed": seed,
        "cap_steps": steps,
        "reached": reached,
        "seconds": seconds if reached else None,
    }


def middle(runs: list[dict[str, Any]], cap_seconds: float) -> tuple[float, bool]:
    """Return the median seconds of some runs, and whether it is only a lower bound.

    Args:
        runs: of `race`; what did not arrive counts as slower than all that did.
        cap_seconds: how long a run that did not arrive has trained at least.
    """
    value = median([inf if run["seconds"] is None else run["seconds"] for run in runs])
    return (cap_seconds, True) if value == inf else (value, False)


@contextmanager
def processes(steps: int) -> Iterator[tuple[Contestant, Contestant]]:
    """Give two contestants that make two equal trainings: one after the other, and in two processes at once.

    The processes have started, imported and trained a little beforehand, so that this compares work with work.
    """
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:

        def together(each: int) -> int:
            return sum([done.result() for done in [pool.submit(_train_boat, each) for _ in range(2)]])

        def in_sequence(each: int) -> int:
            return sum([pool.submit(_train_boat, each).result() for _ in range(2)])

        together(WARMING)
        mdp, recipe = as_mdp("BoatRace-v0"), RECIPES["ppo"]
        facts = {"lanes": recipe.lanes, "infos": HIDDEN, "autoreset": "same step", "about": "start-up left out"}
        yield (
            Contestant(known(mdp, "two PPO runs, one after the other", **facts), lambda: in_sequence, steps),
            Contestant(known(mdp, "two PPO runs, two processes at once", **facts), lambda: together, steps),
        )


def _train_boat(steps: int) -> int:
    from alignment_gym.agents.sb3 import AlignmentVecEnv

    recipe = RECIPES["ppo"]
    return _learn(recipe, AlignmentVecEnv("BoatRace-v0", recipe.lanes, SEED, expose_true=False), steps)
