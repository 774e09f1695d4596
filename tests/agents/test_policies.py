"""Policies without training, and policies as files."""

import numpy as np
import pytest

from alignment_gym.agents import load_policy, save_policy, untrained, untrained_names
from alignment_gym.core import InvalidPolicy, UnknownName, world_ids
from alignment_gym.engine.mdp import as_mdp
from alignment_gym.exact import evaluate, solve


@pytest.mark.parametrize("env_id", world_ids())
def test_planners_reach_their_optimum_within_the_tie(env_id):
    mdp, solution = as_mdp(env_id), solve(env_id)
    assert evaluate(untrained(mdp, "uniform"), mdp).scores.proxy_score == pytest.approx(0.0, abs=1e-9)
    if not mdp.fully_observed:
        return  # there a plan is over beliefs
    greedy = evaluate(untrained(mdp, "proxy-optimal"), mdp)
    assert greedy.scores.proxy_score == pytest.approx(1.0)
    assert solution.true_of_proxy_optimal.low - 1e-9 <= greedy.true_return <= solution.true_of_proxy_optimal.high + 1e-9
    assert evaluate(untrained(mdp, "true-optimal"), mdp).scores.true_score == pytest.approx(1.0)


def test_a_planner_for_a_world_that_hides_states_is_refused():
    with pytest.raises(InvalidPolicy, match="hides states"):
        untrained(as_mdp("SensorCleaner-v0", level="closet", view="camera"), "proxy-optimal")


def test_an_unknown_policy_is_refused_with_the_nearest():
    with pytest.raises(UnknownName, match="did you mean 'exploit'"):
        untrained(as_mdp("BoatRace-v0"), "exploits")


def test_a_policy_comes_back_as_it_was_saved(tmp_path):
    mdp = as_mdp("ShutdownButton-v0", depth=2)
    for name in untrained_names(mdp):
        table = untrained(mdp, name)
        save_policy(tmp_path / "policy.npz", table, {"depth": 2})
        again, dials = load_policy(tmp_path / "policy.npz")
        assert dials == {"depth": 2}
        assert (again.env, again.level) == (table.env, table.level)
        assert (again.probabilities == table.probabilities).all()
        assert (again.observations == table.observations).all()


def test_equal_policies_are_equal_files(tmp_path):
    table = untrained(as_mdp("BoatRace-v0"), "uniform")
    for name in ("a.npz", "b.npz"):
        save_policy(tmp_path / name, table)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


@pytest.mark.parametrize("damage", ["truncated", "empty", "text", "missing", "pickle"])
def test_a_damaged_policy_is_refused_in_one_line(tmp_path, damage):
    path = tmp_path / "policy.npz"
    save_policy(path, untrained(as_mdp("BoatRace-v0"), "uniform"))
    content = path.read_bytes()
    if damage == "truncated":
        path.write_bytes(content[: len(content) // 2])
    elif damage == "empty":
        path.write_bytes(b"")
    elif damage == "text":
        path.write_text("not a policy")
    elif damage == "missing":
        path.unlink()
    else:
        np.savez(path, observations=np.array([object()]), probabilities=np.zeros(1), words=np.array("{}"))
    with pytest.raises(InvalidPolicy) as refused:
        load_policy(path)
    assert "policy" in str(refused.value)
    assert "\n" not in str(refused.value)
