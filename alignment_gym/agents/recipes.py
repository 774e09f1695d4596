"""Recipes: one an algorithm, the same for all worlds.

Those of published results were tried on the reward that they are trained on, proxy or twin, with seeds
1000 to 1009, and frozen before any published seed was run; each says in `tuned` what was done, and
`agents/tuning.md` in the repository logs the trials.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any

from alignment_gym.core import InvalidDial, UnknownName

ForeignLearner = Callable[..., Any]
"""`learner(make_env, steps=..., seed=...)` trains on environments from `make_env()` and returns an agent:
from observations, uint8 (N, D), to probabilities (N, A) or actions (N,)."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """An algorithm with its hyperparameters.

    Attributes:
        name: what it is called.
        algorithm: `ppo`, `a2c`, `dqn`, `qr-dqn`, `q-learning`, `sarsa`, or `module:function`.
        about: a sentence.
        deployed: how the trained agent acts: `stochastic` or `greedy`.
        steps: environment steps, all lanes together, unless told otherwise.
        lanes: episodes side by side.
        discount: gamma of the learner; scores are undiscounted.
        rise: what optimal play earns an episode, on the learner's scale, where uniform play earns 0;
            0 leaves the reward as it is.
        settings: the algorithm's own; SB3's names for SB3's algorithms.
        tuned: how it was tuned, a sentence.
    """

    name: str
    algorithm: str
    about: str
    deployed: str
    steps: int
    lanes: int
    discount: float
    rise: float
    settings: Mapping[str, Any]
    tuned: str = "by whoever wrote it."


_TABULAR = {
    "optimism": 2.0,  # first value of every entry, on the learner's scale
    "exploring": 0.9,  # share of training over which exploration falls to its last value
    "last_exploration": 0.01,
    "rate_decay": 0.6,  # step size visits ** -decay, but at least last_rate
    "last_rate": 0.01,
}

RECIPES: Mapping[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        Recipe(
            name="ppo",
            algorithm="ppo",
            about="Proximal policy optimisation: many lanes, few epochs, an entropy bonus that is lowered to zero.",
            tuned="On its own training reward, with seeds 1000-1009; log in [tuning.md](tuning.md).",
            deployed="stochastic",
            steps=200_000,
            lanes=128,
            discount=0.98,
            rise=5.0,
            settings={
                "n_steps": 16,
                "batch_size": 1024,
                "n_epochs": 2,
                "learning_rate": 6e-3,
                "decay": True,
                "ent_coef": 0.5,
                "bonus_held": 0.35,  # share of training up to which the entropy bonus is whole
                "bonus_gone": 0.8,  # share of training after which it is gone
                "gae_lambda": 0.95,
                "net_arch": (64, 64),
                "activation": "relu",
                "fused": True,  # Adam in one kernel
            },
        ),
        Recipe(
            name="a2c",
            algorithm="a2c",
            about="Advantage actor-critic with Adam: normalised advantages, an entropy bonus that is lowered to zero.",
            tuned="On its own training reward, in few trials, with seeds 1000-1009; log in [tuning.md](tuning.md).",
            deployed="stochastic",
            steps=600_000,
            lanes=128,
            discount=0.98,
            rise=5.0,
            settings={
                "n_steps": 8,
                "learning_rate": 6e-3,
                "decay": True,
                "ent_coef": 0.5,
                "bonus_held": 0.35,
                "bonus_gone": 0.8,
                "gae_lambda": 0.95,
                "normalize_advantage": True,
                "net_arch": (64, 64),
                "activation": "relu",
                "fused": True,  # Adam, where SB3's default is RMSprop
            },
        ),
        Recipe(
            name="dqn",
            algorithm="dqn",
            about="Deep Q-network, two hidden layers of 64, acting greedily once trained.",
            tuned="On its own training reward, with seeds 1000-1009; log in [tuning.md](tuning.md).",
            deployed="greedy",
            steps=150_000,
            lanes=64,
            discount=0.98,
            rise=5.0,
            settings={
                "learning_rate": 3e-3,
                "decay": True,
                "batch_size": 256,
                "buffer_size": 150_000,
                "learning_starts": 2_000,
                "train_freq": 4,
                "gradient_steps": 4,
                "target_update_interval": 4_000,
                "exploration_fraction": 0.6,
                "exploration_final_eps": 0.05,
                "net_arch": (64, 64),
                "fused": True,
            },
        ),
        Recipe(
            name="qr-dqn",
            algorithm="qr-dqn",
            about="Quantile-regression DQN: the distribution of the return by 16 quantiles, "
            "acting greedily on their mean once trained.",
            tuned="DQN's settings, tried on its own training reward, seeds 1000-1009; log in [tuning.md](tuning.md).",
            deployed="greedy",
            steps=150_000,
            lanes=64,
            discount=0.98,
            rise=5.0,
            settings={
                "n_quantiles": 16,
                "learning_rate": 3e-3,
                "decay": True,
                "batch_size": 256,
                "buffer_size": 150_000,
                "learning_starts": 2_000,
                "train_freq": 4,
                "gradient_steps": 4,
                "target_update_interval": 4_000,
                "exploration_fraction": 0.6,
                "exploration_final_eps": 0.05,
                "net_arch": (64, 64),
                "fused": True,
            },
        ),
        Recipe(
            name="q-learning",
            algorithm="q-learning",
            about="Tabular Q-learning with optimistic first values, acting greedily once trained.",
            tuned="On its own training reward, with seeds 1000-1009; log in [tuning.md](tuning.md).",
            deployed="greedy",
            steps=600_000,
            lanes=128,
            discount=0.98,
            rise=5.0,
            settings=_TABULAR,
        ),
        Recipe(
            name="sarsa",
            algorithm="sarsa",
            about="Tabular SARSA with optimistic first values, acting greedily once trained.",
            tuned="On its own training reward, with seeds 1000-1009; log in [tuning.md](tuning.md).",
            deployed="greedy",
            steps=600_000,
            lanes=128,
            discount=0.98,
            rise=5.0,
            settings={
                **_TABULAR,
                "optimism": 2.5,
                "exploring": 0.2,  # soon: on-policy values count what exploration costs
                "last_rate": 0.05,  # so that they forget it once it is over
            },
        ),
    )
}


def recipe_named(name: str, changes: Mapping[str, Any] | None = None) -> Recipe:
    """Return a recipe, with some of its settings changed.

    Args:
        name: of the recipe.
        changes: new values of `lanes`, `discount`, `rise` or of the algorithm's settings.

    Raises:
        UnknownName: no such recipe or setting.
        InvalidDial: a value of another kind.
    """
    if name not in RECIPES and ":" not in name:
        raise UnknownName("algorithm", name, RECIPES)
    recipe = RECIPES[name] if name in RECIPES else _foreign(name)
    for key, value in (changes or {}).items():
        recipe = _changed(recipe, key, value)
    return recipe


def foreign_learner(name: str) -> ForeignLearner:
    """Import the learner that `module:function` names.

    Raises:
        InvalidDial: there is no such module or function.
    """
    module, _, function = name.partition(":")
    try:
        found = getattr(import_module(module), function)
    except Exception as error:  # whatever a module of the user's own raises
        raise InvalidDial(
            f"cannot import the recipe {name!r}: {type(error).__name__}: {error}; it is module:function"
        ) from error
    if not callable(found):
        raise InvalidDial(f"the recipe {name!r} is no function")
    learner: ForeignLearner = found
    return learner


def _foreign(name: str) -> Recipe:
    foreign_learner(name)
    return Recipe(
        name=name.replace(":", "-"),
        algorithm=name,
        about="A learner from elsewhere.",
        deployed="stochastic",
        steps=100_000,
        lanes=1,
        discount=1.0,
        rise=0.0,
        settings={},
    )


def _changed(recipe: Recipe, key: str, value: Any) -> Recipe:
    top = {"lanes": recipe.lanes, "discount": recipe.discount, "rise": recipe.rise}
    known = {**top, **recipe.settings}
    if key not in known:
        raise UnknownName(f"setting of {recipe.name}", key, known)
    before = known[key]
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if isinstance(before, float) and number:
        value = float(value)
    elif isinstance(before, tuple) and isinstance(value, list | tuple):
        value = tuple(value)
    if type(value) is not type(before):
        raise InvalidDial(f"{key} is like {before!r}, not {value!r}")
    if (number and value < 0) or (key in ("lanes", "n_steps", "batch_size", "n_quantiles") and value < 1):
        raise InvalidDial(f"{key} = {value!r} is out of range")
    if key in top:
        return replace(recipe, **{key: value})
    return replace(recipe, settings={**recipe.settings, key: value})
