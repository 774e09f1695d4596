"""Conformance checks: what a world and a batch must keep to, for this package's tests and for those of others."""

from alignment_gym.testing.batches import check_vector_env
from alignment_gym.testing.nonconformance import NonConformance
from alignment_gym.testing.worlds import check_world

__all__ = ["NonConformance", "check_vector_env", "check_world"]
