"""Observations of another kind than features: planes, pixels and text of what `World.look` shows.

They are of the tables' states, and not of the features that an environment hands out, so the
faces of the tables ask for them, and no wrapper does. Each is made when it is first asked for, and
kept; equal scenes share one. A mask, `near:2`, hides what is farther from the one who acts.
"""

from dataclasses import replace
from functools import cached_property, lru_cache
from string import ascii_letters, digits, punctuation
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from alignment_gym.core import (
    InvalidDial,
    InvalidWorld,
    Mixture,
    Scene,
    UnknownName,
    World,
    world_class,
)
from alignment_gym.core.world import dials as dials_of
from alignment_gym.engine.growing import GrowingMDP
from alignment_gym.engine.mdp import FiniteMDP, as_mdp
from alignment_gym.engine.vocabulary import CLOCK, vocabulary
from alignment_gym.render import text as texts
from alignment_gym.render import views
from alignment_gym.render.views import Vocabulary

OBS = ("features", "planes", "pixels", "text")
MASK = "near:"
EXAMPLE = "near:2"

LONGEST_TEXT = 10_000  # characters
CHARSET = ascii_letters + digits + punctuation + " \n"
KEPT = 1 << 26  # bytes of a view's observations
ASKED = 1 << 25  # bytes of observations that an agent is asked about together


class View:
    """What an agent is shown of the states of tables.

    Attributes:
        mdp: the tables.
        obs: `planes`, `pixels` or `text`.
        cells: how far the agent sees, None without a mask.
        vocabulary: what planes and pixels can show; the same for all levels of a world, unless one has more.
        space: of one observation.
        at_once: how many observations are worth having in memory together.
    """

    def __init__(self, mdp: FiniteMDP | GrowingMDP, obs: str, cells: int | None) -> None:
        if mdp.world is None:
            raise InvalidDial(f"obs={obs!r} takes a world that can be drawn; {mdp.name} is made of arrays")
        self.mdp = mdp
        self.obs = obs
        self.cells = cells
        self._world = mdp.world
        self._span = (mdp.horizon or 0) + 1 if mdp.observe_clock else 1
        self.vocabulary = Vocabulary() if obs == "text" else vocabulary(mdp)
        self.space = _space(obs, self.vocabulary)
        size = _bytes(self.space)
        kept = KEPT // size + 1
        self.at_once = ASKED // size + 1
        self._encoded = lru_cache(kept)(self._encode)
        self.shown = lru_cache(kept)(self._show)

    def __reduce__(self) -> tuple[Any, ...]:
        """Leave out what is kept; whoever takes this up finds the view of the tables at hand."""
        return view_of, (self.mdp, self.obs, self.cells)

    def scene(self, state: int, step: int = 0) -> Scene:
        """Return the scene that the agent sees, with the clock as a meter where it is observed."""
        scene = self._world.look(self.mdp.states[state])
        if self.cells is not None:
            scene = views.near(scene, self.cells)
        if self._span > 1:
            scene = views.with_meter(scene, replace(CLOCK, value=float(step), full=float(self._span - 1)))
        return scene if self.obs == "text" else views.pictured(scene)

    def _show(self, state: int, step: int = 0) -> Any:
        return self._encoded(self.scene(state, step))

    def _encode(self, scene: Scene) -> Any:
        if self.obs == "text":
            return texts.scene_text(scene).encode("ascii", "replace").decode()[:LONGEST_TEXT]
        found = (views.planes if self.obs == "planes" else views.pixels)(scene, self.vocabulary)
        found.flags.writeable = False
        return found

    def fresh(self, state: int, step: int) -> Any:
        """Return an observation that whoever gets it may write on."""
        shown = self.shown(state, step if self._span > 1 else 0)
        return shown if isinstance(shown, str) else shown.copy()

    def batch(self, states: NDArray[np.integer], steps: NDArray[np.integer] | int) -> Any:
        """Return the observations of states (n,): an array (n, ...), or a tuple of texts, as Gymnasium has them."""
        code = states.astype(np.int64) * self._span + (steps if self._span > 1 else 0)
        different, which = np.unique(code, return_inverse=True)
        shown = [self.shown(*divmod(each, self._span)) for each in different.tolist()]
        return tuple(shown[place] for place in which.tolist()) if self.obs == "text" else np.stack(shown)[which]

    @cached_property
    def numbers(self) -> NDArray[np.int32]:
        """Which of the different scenes each state of whole tables shows, (S,), the clock left out."""
        number: dict[Scene, int] = {}
        found = [number.setdefault(self.scene(state), len(number)) for state in range(len(self.mdp.states))]
        return np.array(found, dtype=np.int32)

    @property
    def name(self) -> str:
        """Such as `planes near:2`."""
        return self.obs if self.cells is None else f"{self.obs} {MASK}{self.cells}"


def view_of(mdp: FiniteMDP | GrowingMDP, obs: str, cells: int | None = None) -> View:
    """Return a view of tables, the same one to all who ask."""
    return _shared(mdp, obs, cells)


@lru_cache(maxsize=16)
def _shared(mdp: FiniteMDP | GrowingMDP, obs: str, cells: int | None) -> View:
    return View(mdp, obs, cells)


def checked_view(mdp: FiniteMDP | GrowingMDP, obs: str, cells: int | None) -> View | None:
    """Return the view that is meant, None for features.

    Raises:
        UnknownName: `obs` is none of `OBS`.
        InvalidDial: a mask on features, or a view of bare arrays.
    """
    if obs not in OBS:
        raise UnknownName("obs", str(obs), OBS)
    if obs == "features":
        if cells is not None:
            raise InvalidDial(f"view='{MASK}{cells}' masks a scene: give obs='planes', 'pixels' or 'text' with it")
        return None
    return view_of(mdp, obs, cells)


class Divided(NamedTuple):
    """What `view` said: the dials, with it or without, and how far the agent sees, None for no mask."""

    dials: dict[str, Any]
    cells: int | None


def divided(what: object, view: str | None, dials: dict[str, Any]) -> Divided:
    """Tell a mask from the dial `view` that some worlds have.

    Args:
        what: what the environment is made from; only an id takes dials.
        view: a choice of the dial, or a mask, `near:` and a number of cells.
        dials: the others.

    Raises:
        UnknownName: neither.
    """
    if view is None:
        return Divided(dials, None)
    declared = dials_of(world_class(what)) if isinstance(what, str) else ()
    choices = next((each.metadata["choices"] for each in declared if each.name == "view"), ())
    if view in choices:
        return Divided({**dials, "view": view}, None)
    cells = view.removeprefix(MASK) if isinstance(view, str) else ""
    if not cells.isdecimal() or cells == view:
        raise UnknownName("view", str(view), (*choices, EXAMPLE))
    return Divided(dials, int(cells))


def as_seen(
    what: str | World[Any] | FiniteMDP, obs: str, view: str | None, dials: dict[str, Any]
) -> tuple[FiniteMDP, View | None]:
    """Return whole tables and what is seen of them; errors as of `divided` and `checked_view`."""
    others, cells = divided(what, view, dials)
    mdp = as_mdp(what, **others)
    return mdp, checked_view(mdp, obs, cells)


@lru_cache(maxsize=16)
def seen_through(view: View) -> FiniteMDP:
    """Return a view's tables with its scenes, numbered in binary, for observations; beliefs follow from these."""
    mdp = view.mdp
    assert isinstance(mdp, FiniteMDP)
    count = int(view.numbers.max()) + 1
    bits = np.arange(max((count - 1).bit_length(), 1))
    codes = (np.arange(count)[:, None] >> bits & 1).astype(np.uint8)
    return replace(mdp, name=f"{mdp.name} ({view.name})", observations=codes, observation_id=view.numbers)


def representatives(view: View) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return a state for each of the V different scenes, (V,), and the scene of each observation of features, (O,).

    Raises:
        InvalidWorld: states with equal features show different scenes, so that what an agent does on
            scenes is no policy on features.
    """
    mdp, numbers = view.mdp, view.numbers
    assert isinstance(mdp, FiniteMDP)
    _, first = np.unique(mdp.observation_id, return_index=True)
    if (numbers[first][mdp.observation_id] != numbers).any():
        way_out = "take its levels one by one" if isinstance(mdp.world, Mixture) else "its `look` tells too much"
        raise InvalidWorld(f"{mdp.name}: states with equal features look different; {way_out}")
    _, states = np.unique(numbers, return_index=True)
    return states, numbers[first].astype(np.intp)


def _space(obs: str, words: Vocabulary) -> gym.Space[Any]:
    if obs == "text":
        return gym.spaces.Text(LONGEST_TEXT, charset=CHARSET)
    if obs == "pixels":
        return gym.spaces.Box(0, 255, (*words.size, 3), np.uint8)
    return gym.spaces.Box(0.0, 1.0, (len(words.planes), *words.shape), np.float32)


def _bytes(space: gym.Space[Any]) -> int:
    """Return about how much memory an observation takes, its scene included."""
    shape: tuple[int, ...] = space.shape or (500,)
    return int(np.prod(shape)) * int(np.dtype(space.dtype or np.uint8).itemsize) + 2_000
