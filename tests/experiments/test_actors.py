import pytest

from alignment_gym.agents import save_policy
from alignment_gym.core import world_ids
from alignment_gym.exact import tabulate
from alignment_gym.experiments.actors import find_actor, find_companion


def still(obs):
    return [0] * len(obs)


@pytest.mark.parametrize("env", world_ids())
def test_a_companion_acts_in_the_same_world(env):
    first = find_actor("uniform", env)
    assert find_companion("uniform", first).mdp.world == first.mdp.world


def test_a_companion_acts_on_the_same_levels_of_a_mixture_with_its_dials():
    first = find_actor("uniform", "BoatRace-v0", "lagoon,harbour", {"depth": 2})
    assert find_companion("uniform", first).mdp.world == first.mdp.world


def test_a_companion_leaves_its_own_dials_but_sees_the_clock_as_it_is_used_to(tmp_path):
    for name, dials in (("shallow", {}), ("deep", {"depth": 3}), ("timed", {"observe_clock": True})):
        save_policy(tmp_path / f"{name}.npz", tabulate(still, "BoatRace-v0", **dials), dials)
    shallow = find_actor(str(tmp_path / "shallow.npz"))
    assert find_companion(str(tmp_path / "deep.npz"), shallow).mdp.world == shallow.mdp.world
    timed = find_companion(str(tmp_path / "timed.npz"), shallow).mdp
    assert timed.observe_clock
    assert timed.world.depth == 1
