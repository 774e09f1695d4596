"""A table's fingerprint: equal ones behave alike, whatever made them."""

from hashlib import sha256

import numpy as np

from alignment_gym.engine.mdp import FiniteMDP

DIGITS = 9  # decimals that count: what differs beyond them differs between machines


def fingerprint(mdp: FiniteMDP) -> str:
    """Return the SHA-256 of a world's tables as 64 hexadecimal digits.

    It covers dynamics, events, both rewards, observations, the start and the horizon, and neither names of states nor
    the order in which equal event rows were met.
    """
    found = sha256(repr((mdp.actions, mdp.events, mdp.horizon, float(mdp.discount), mdp.observe_clock)).encode())
    for whole in (mdp.offset, mdp.next_state, mdp.terminated, mdp.succeeded, mdp.start):
        found.update(np.ascontiguousarray(whole, dtype="<i8").tobytes())
    weights = [[mdp.reward(which).get(event, 0.0) for event in mdp.events] for which in ("proxy", "true")]
    for real in (mdp.probability, mdp.event_rows[mdp.event_id], mdp.final, mdp.start_probability, weights):
        found.update((np.round(np.asarray(real, dtype="<f8"), DIGITS) + 0.0).tobytes())
    found.update(np.ascontiguousarray(mdp.observations[mdp.observation_id], dtype=np.uint8).tobytes())
    return found.hexdigest()
