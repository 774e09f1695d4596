"""Wrappers: any Gymnasium environment as a proxy/true pair, and a pair as a reward of two components.

`ProxyReward` and `VectorReward` wrap one environment; `alignment_gym.wrappers.vector` has their
twins for batches, under the same names, as Gymnasium does it. Gymnasium and NumPy suffice.
"""

from alignment_gym.wrappers import vector
from alignment_gym.wrappers.proxy_reward import ProxyReward
from alignment_gym.wrappers.sources import RewardSource, Transition
from alignment_gym.wrappers.vector_reward import VectorReward

__all__ = ["ProxyReward", "RewardSource", "Transition", "VectorReward", "vector"]
