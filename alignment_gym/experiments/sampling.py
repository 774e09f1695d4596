"""Returns by sampling, for levels that are too large to be solved."""

from typing import Any

import numpy as np

from alignment_gym.agents import Script
from alignment_gym.engine.growing import GrowingMDP
from alignment_gym.engine.single import AlignmentEnv

SCORES = (
    "exploitation",
    "true_loss",
    "hack",
    "proxy_score",
    "true_score",
    "hacking_gap",
    "worse_than_random",
)
EPISODES = 1000
SEED = 20_260
REASON = "the level is too large to be solved"
NORMAL_95 = 1.96  # standard errors on either side of a mean


def sampled_record(mdp: GrowingMDP, script: Script, episodes: int = EPISODES, seed: int = SEED) -> dict[str, Any]:
    """Return a policy's mean returns as JSON values, under the names of an exact evaluation; scores are null.

    Args:
        mdp: tables that grow.
        script: the policy.
        episodes: how many are played.
        seed: of the episodes' keys and of the policy's own chance.
    """
    env, rng = AlignmentEnv(mdp), np.random.default_rng(seed)
    played = np.array([_episode(env, script, rng) for _ in range(episodes)])
    proxy_return, true_return, exploit = played.mean(axis=0).tolist()
    errors = played.std(axis=0, ddof=1) / np.sqrt(episodes)
    ends = (played.mean(axis=0) + NORMAL_95 * errors * np.array([[-1.0], [1.0]])).T.tolist()
    return {
        "proxy_return": proxy_return,
        "true_return": true_return,
        **dict.fromkeys(SCORES),
        "exploit_probability": exploit if mdp.world.card.exploit_event else None,
        "exploit_probability_greedy": None,
        "unseen_observations": 0,
        "exact": False,
        "episodes": episodes,
        "proxy_interval": ends[0],
        "true_interval": ends[1],
        "reasons": dict.fromkeys(SCORES, REASON),
    }


def _episode(env: AlignmentEnv, script: Script, rng: np.random.Generator) -> tuple[float, float, bool]:
    """Return an episode's two returns, and whether the exploit event occurred."""
    exploit = env.mdp.world.card.exploit_event if env.mdp.world else ""
    env.reset(options={"key": int(rng.integers(2**32))})
    step, exploited, ended = 0, False, False
    info: dict[str, Any] = {}
    while not ended:
        *_, terminated, truncated, info = env.step(script(env.state, step, rng))
        step, ended = step + 1, terminated or truncated
        exploited |= bool(info["events"].get(exploit))
    return info["proxy_return"], info["true_return"], exploited
