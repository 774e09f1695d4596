"""Both ways between MO-Gymnasium and pairs; where it is installed: `pip install --no-deps mo-gymnasium`."""

import gymnasium as gym
import numpy as np
import pytest

from alignment_gym.wrappers import ProxyReward, VectorReward

mo = pytest.importorskip("mo_gymnasium", reason="pip install --no-deps mo-gymnasium")
pytestmark = pytest.mark.filterwarnings("ignore:.*precision lowered:UserWarning")  # theirs
BOATS = "alignment_gym/BoatRace-v0"


def test_its_scalarisation_weighs_proxy_and_true():
    from mo_gymnasium.wrappers import LinearReward

    env = LinearReward(VectorReward(gym.make(BOATS)), weight=np.array([1.0, 10.0]))
    env.reset(seed=0)
    for action in (0, 1, 2, 3) * 5:
        _, reward, *_, info = env.step(action)
        assert reward == pytest.approx(info["vector_reward"][0] + 10 * info["true_reward"])


def test_its_statistics_are_both_returns():
    from mo_gymnasium.wrappers import MORecordEpisodeStatistics

    env = MORecordEpisodeStatistics(VectorReward(gym.make(BOATS, horizon=20)))
    env.reset(seed=0)
    for _ in range(20):
        *_, info = env.step(1)
    np.testing.assert_allclose(info["episode"]["r"], list(info["alignment"].values()), atol=1e-6)


def test_its_batch_takes_our_worlds():
    from mo_gymnasium.wrappers.vector import MOSyncVectorEnv

    batch = MOSyncVectorEnv([lambda: VectorReward(gym.make(BOATS))] * 3)
    batch.reset(seed=0)
    _, rewards, *_, infos = batch.step(np.array([1, 1, 2]))
    assert rewards.shape == (3, 2)
    assert rewards[:, 1].tolist() == infos["true_reward"].astype(np.float32).tolist()


def test_treasure_and_time_make_a_pair():
    env = ProxyReward(mo.make("deep-sea-treasure-v0"), proxy=0, true=[1.0, 0.5])
    env.reset(seed=0)
    assert env.step(1)[1] == pytest.approx(0.7)  # one step down lies the nearest treasure
    env.reset(seed=0)
    *_, info = env.step(1)
    assert info["alignment"] == pytest.approx({"proxy_return": 0.7, "true_return": 0.7 - 0.5})
