"""Policies on planes, pixels and text are evaluated as exactly as those on features."""

from zlib import crc32

import numpy as np
import pytest

from alignment_gym import exact
from alignment_gym.core import InvalidPolicy, InvalidWorld, TooLargeToEnumerate, make_world
from alignment_gym.engine import views
from alignment_gym.engine.mdp import as_mdp, compiled
from alignment_gym.engine.single import AlignmentEnv
from alignment_gym.engine.views import view_of
from alignment_gym.exact import tabulate

VIEWS = ("planes", "pixels", "text")

in_every_view = pytest.mark.parametrize("obs", VIEWS)


def drift(env_id: str, **dials):
    """Return a way of acting that depends on where the one who acts is, as a function of the cell."""
    actions = len(as_mdp(env_id, **dials).actions)

    def at(cell) -> np.ndarray:
        weights = np.arange(1.0, actions + 1.0) ** ((2 * cell[0] + cell[1]) % 3)
        return weights / weights.sum()

    return at


def on_features(env_id: str, at, **dials):
    """Return the drift as a table, by way of states."""
    mdp = as_mdp(env_id, **dials)
    rows = np.array([at(mdp.world.look(state).sprites[-1].cell) for state in mdp.states])
    return exact.evaluate(rows, env_id, **dials)


def assert_equal(one, other) -> None:
    """Demand two evaluations to be one, but for rounding: a table's rows are made to sum to 1."""
    for name in ("proxy_return", "true_return", "exploit_probability", "exploit_probability_greedy", "unseen"):
        assert getattr(one, name) == pytest.approx(getattr(other, name), rel=1e-12), name


def test_a_policy_on_planes_is_evaluated_as_the_same_one_on_features():
    place = view_of(as_mdp("BoatRace-v0"), "planes").vocabulary.place["the one who acts"]
    at = drift("BoatRace-v0")

    def agent(planes):
        return np.array([at(np.argwhere(each[place])[0]) for each in planes])

    found = exact.evaluate(tabulate(agent, "BoatRace-v0", obs="planes"), "BoatRace-v0")
    assert_equal(found, on_features("BoatRace-v0", at))


def test_a_policy_that_finds_the_boat_in_pixels_is_evaluated_as_the_same_one_on_features():
    red = np.array([213, 94, 0], dtype=np.int16)  # of the deck
    at = drift("BoatRace-v0")

    def agent(images):
        assert images.dtype == np.uint8
        near = np.abs(images.astype(np.int16) - red).sum(axis=-1)
        tiles = near[:, : near.shape[1] // 8 * 8, : near.shape[2] // 8 * 8]
        tiles = tiles.reshape(len(images), tiles.shape[1] // 8, 8, -1, 8).min(axis=(2, 4))
        cells = [np.unravel_index(each.argmin(), each.shape) for each in tiles]
        return np.array([at(cell) for cell in cells])

    found = exact.evaluate(tabulate(agent, "BoatRace-v0", obs="pixels"), "BoatRace-v0")
    assert_equal(found, on_features("BoatRace-v0", at))


def test_a_policy_that_reads_is_evaluated_as_the_same_one_on_features():
    at = drift("SensorCleaner-v0")

    def agent(texts):
        assert all(isinstance(text, str) for text in texts)
        rows = [[line[2:] for line in text.splitlines() if line.startswith("  ")] for text in texts]
        return np.array([at(next((y, row.index("R")) for y, row in enumerate(each) if "R" in row)) for each in rows])

    found = exact.evaluate(tabulate(agent, "SensorCleaner-v0", obs="text"), "SensorCleaner-v0")
    assert_equal(found, on_features("SensorCleaner-v0", at))


@in_every_view
def test_a_table_is_what_episodes_earn(obs):
    """The exact return of an agent that draws actions by a view's contents, against its mean over episodes."""
    dials = {"horizon": 12, "view": "near:1"}

    def chances(shown) -> np.ndarray:
        content = shown.encode() if isinstance(shown, str) else shown.tobytes()
        weights = np.array([1.0 + crc32(content) % 5, 2.0, 1.0, 1.0, 3.0, 1.0])
        return weights / weights.sum()

    table = tabulate(lambda seen: np.array([chances(each) for each in seen]), "SensorCleaner-v0", obs=obs, **dials)
    expected = exact.evaluate(table, "SensorCleaner-v0", horizon=12).proxy_return
    env, rng = AlignmentEnv("SensorCleaner-v0", obs=obs, **dials), np.random.default_rng(0)
    returns = []
    for key in range(600):
        seen, _ = env.reset(options={"key": key})
        done = False
        while not done:
            seen, _, terminated, done, info = env.step(rng.choice(6, p=chances(seen)))
            assert not terminated
        returns.append(info["proxy_return"])
    error = np.std(returns) / np.sqrt(len(returns))
    assert abs(np.mean(returns) - expected) < 4 * error


@in_every_view
def test_where_scenes_look_alike_the_policy_is_the_same(obs):
    rng = np.random.default_rng(0)
    table = tabulate(lambda seen: rng.dirichlet(np.ones(4), size=len(seen)), "BoatRace-v0", obs=obs, view="near:1")
    mdp = as_mdp("BoatRace-v0")
    numbers = view_of(mdp, obs, 1).numbers
    policy = table.on(mdp).by_state(mdp)
    for number in range(numbers.max() + 1):
        assert len(np.unique(policy[numbers == number], axis=0)) == 1
    assert numbers.max() + 1 < len(numbers)


@in_every_view
def test_an_agent_is_asked_in_parts_and_never_twice_about_one_scene(monkeypatch, obs):
    mdp = compiled(make_world("ShutdownButton-v0", horizon=7))
    whole = tabulate(lambda seen: np.full(len(seen), 2), mdp, obs=obs)
    view = view_of(mdp, obs)
    monkeypatch.setattr(view, "at_once", 9)
    asked = []

    def agent(seen):
        assert len(seen) <= 9
        asked.extend(each if isinstance(each, str) else each.tobytes() for each in seen)
        return np.full(len(seen), 2)

    table = tabulate(agent, mdp, obs=obs)
    assert len(asked) == len(set(asked)) == view.numbers.max() + 1
    np.testing.assert_array_equal(table.probabilities, whole.probabilities)


@in_every_view
def test_with_a_clock_an_agent_is_asked_at_every_step(obs):
    dials = {"horizon": 6, "observe_clock": True}

    def agent(seen):
        if obs == "text":
            return np.array([int(text.splitlines()[-1].split()[1].split("/")[0]) % 3 for text in seen])
        return np.arange(len(seen)) % 3

    table = tabulate(agent, "ShutdownButton-v0", obs=obs, **dials)
    mdp = as_mdp("ShutdownButton-v0", **dials)
    assert table.probabilities.shape == (6, len(mdp.observations), len(mdp.actions))
    if obs == "text":
        assert (table.probabilities.argmax(axis=-1) == np.arange(6)[:, None] % 3).all()
    assert np.isfinite(exact.evaluate(table, "ShutdownButton-v0", **dials).proxy_return)


@pytest.mark.parametrize("answer", [lambda seen: np.zeros((len(seen), 3)), lambda seen: [9] * len(seen)])
def test_wrong_answers_are_refused(answer):
    with pytest.raises(InvalidPolicy):
        tabulate(answer, "BoatRace-v0", obs="text")


def test_levels_that_differ_in_sight_alone_are_tabulated_one_by_one():
    def agent(seen):
        return np.zeros(len(seen), dtype=int)

    with pytest.raises(InvalidWorld, match="take its levels one by one"):
        tabulate(agent, "SensorCleaner-v0", level="flat,closet", obs="pixels")
    tabulate(agent, "SensorCleaner-v0", level="closet", obs="pixels")


def test_a_mask_costs_what_can_not_be_seen_and_no_more():
    whole = exact.solve("ShutdownButton-v0", horizon=20)
    masked = exact.solve("ShutdownButton-v0", horizon=20, obs="planes", view="near:1")
    assert masked.beliefs is not None
    assert masked.full_state.proxy_max == pytest.approx(whole.anchors.proxy_max)
    assert masked.anchors.proxy_max <= whole.anchors.proxy_max + 1e-9
    assert masked.anchors.true_max <= whole.anchors.true_max + 1e-9
    assert masked.anchors.proxy_reference == pytest.approx(whole.anchors.proxy_reference)


def test_a_mask_that_hides_nothing_changes_nothing():
    whole = exact.solve("SensorCleaner-v0", level="closet", horizon=20)
    masked = exact.solve("SensorCleaner-v0", level="closet", horizon=20, obs="planes", view="near:20")
    assert masked.beliefs is None
    assert masked.anchors == whole.anchors


def test_more_beliefs_than_can_be_counted_are_refused(monkeypatch):
    monkeypatch.setattr("alignment_gym.engine.belief.MAX_STATES", 100)
    with pytest.raises(TooLargeToEnumerate, match="near:1"):
        exact.solve("SensorCleaner-v0", horizon=15, obs="planes", view="near:1")


def test_the_dial_named_view_is_still_a_dial():
    assert exact.solve("SensorCleaner-v0", level="closet", view="camera", horizon=5).mdp.world.view == "camera"
    assert tabulate(lambda seen: np.zeros(len(seen), dtype=int), "SensorCleaner-v0", view="camera").env
    assert views.divided("SensorCleaner-v0", "camera", {"depth": 2}) == ({"depth": 2, "view": "camera"}, None)
