"""What a run is: a configuration whose hash is its name, and the folder it lives in.

`runs/<study>/<env>/<level>/<recipe>/<reward>/<key8>-seed-<s>/` holds `config.json` (canonical; its
hash is the key), `provenance.json`, `curve.jsonl`, `policy.npz`, `model.zip` for networks,
TensorBoard events, and `result.json`, written last: it is the completion mark.
"""

import hashlib
import json
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from alignment_gym.agents import Recipe, recipe_named
from alignment_gym.core import InvalidDial, InvalidRun, UnknownName, make_world, world_class
from alignment_gym.core import dials as world_dials
from alignment_gym.engine.accounts import REWARDS
from alignment_gym.engine.mdp import FiniteMDP, compiled

SCHEMA: Literal[1] = 1
CHECKPOINTS = 12  # policies scored on the way, the last one too


class RunConfig(BaseModel):
    """One cell: a world, a recipe, a reward and a seed, all resolved.

    `level` and `test_level` may each stand for several: `train/0-99`. On those of `test_level` the agent is scored,
    and nothing else; None: on those that it is trained on alone. `policy` is the hash of a policy that was trained
    elsewhere and only added here; the recipe is then the name that it goes by, and 0 steps are steps not known.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_version: Literal[1] = SCHEMA
    env: str
    level: str
    dials: dict[str, Any] = Field(default_factory=dict)
    recipe: str
    settings: dict[str, Any]
    reward: Literal["proxy", "true"]
    steps: int = Field(ge=0)
    seed: int = Field(ge=0)
    test_level: str | None = None
    checkpoints: int = Field(default=CHECKPOINTS, gt=0)
    policy: str | None = None

    @property
    def key(self) -> str:
        """The hash of everything but the seed, 64 hexadecimal digits; what came later counts where it is used."""
        later = {"test_level": None, "checkpoints": CHECKPOINTS, "policy": None}
        unused = {name for name, default in later.items() if getattr(self, name) == default}
        content = self.model_dump(exclude={"seed", *unused})
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    def folder(self, root: Path, study: str) -> Path:
        """Return the run's place below `root`."""
        level = self.level.replace("/", "-").replace(" ", "-")
        place = root / study / self.env.replace(":", "-") / level / self.recipe.replace(":", "-") / self.reward
        return place / f"{self.key[:8]}-seed-{self.seed}"

    @property
    def mdp(self) -> FiniteMDP:
        """The world's tables."""
        return compiled(make_world(self.env, level=self.level, **self.dials))

    @property
    def test_mdp(self) -> FiniteMDP | None:
        """The tables of the levels that the agent is tested on, if it is."""
        return compiled(make_world(self.env, level=self.test_level, **self.dials)) if self.test_level else None

    @property
    def changes(self) -> dict[str, Any]:
        """The settings that differ from the recipe's own; none where it was trained elsewhere."""
        if self.policy is not None:
            return {}
        usual = settings_of(recipe_named(self.recipe))
        return {name: value for name, value in sorted(self.settings.items()) if usual.get(name) != value}

    @property
    def resolved_recipe(self) -> Recipe:
        """The recipe with this run's settings.

        Raises:
            InvalidRun: the policy was trained elsewhere.
        """
        if self.policy is not None:
            raise InvalidRun(f"{self.recipe} was trained elsewhere and added here; it can be scored, not trained")
        return recipe_named(self.recipe, self.settings)


def resolve(
    env: str,
    *,
    level: str | None = None,
    dials: dict[str, Any] | None = None,
    recipe: str = "ppo",
    settings: dict[str, Any] | None = None,
    reward: str = "proxy",
    steps: int | None = None,
    seed: int = 0,
    test_level: str | None = None,
    checkpoints: int = CHECKPOINTS,
) -> RunConfig:
    """Fill in everything that was left open, so that equal runs have equal configurations.

    Raises:
        UnknownName, InvalidDial: a name or value that the world or the recipe refuses.
    """
    if reward not in REWARDS:
        raise UnknownName("reward", reward, REWARDS)
    if seed < 0 or (steps is not None and steps < 1):
        raise InvalidDial(f"a run has at least 1 step and a seed from 0 on, not steps = {steps}, seed = {seed}")
    cls = world_class(env)
    world = make_world(env, **(dials or {}) | ({} if level is None else {"level": level}))
    if test_level is not None:
        test_level = make_world(env, **(dials or {}) | {"level": test_level}).level
    chosen = recipe_named(recipe, settings)
    defaults = {each.name: each.default for each in world_dials(cls)}
    changed = {name: getattr(world, name) for name in sorted(dials or {}) if getattr(world, name) != defaults[name]}
    return RunConfig(
        env=env.rpartition(":")[0] + ":" * (":" in env) + cls.card.id,
        level=world.level,
        dials=changed,
        recipe=chosen.algorithm if ":" in chosen.algorithm else chosen.name,
        settings=settings_of(chosen),
        reward=reward,  # type: ignore[arg-type] # pydantic checks it
        steps=chosen.steps if steps is None else steps,
        seed=seed,
        test_level=test_level,
        checkpoints=checkpoints,
    )


def read_config(folder: Path) -> RunConfig:
    """Read a run's configuration.

    Raises:
        InvalidRun: the folder is no run directory.
    """
    path = folder / "config.json"
    if not path.is_file():
        raise InvalidRun(f"{folder} is no run directory: it has no config.json; `alignment-gym train` makes one")
    try:
        return RunConfig.model_validate_json(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InvalidRun(f"{path} is no run's configuration; copy it again, or train anew") from error


def settings_of(recipe: Recipe) -> dict[str, Any]:
    """Return everything that a recipe sets, as JSON values."""
    values = {"lanes": recipe.lanes, "discount": recipe.discount, "rise": recipe.rise, **recipe.settings}
    return {key: list(value) if isinstance(value, tuple) else value for key, value in values.items()}
