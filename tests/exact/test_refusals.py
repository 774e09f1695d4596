"""What is no policy is refused in a line by every function that takes one, and an id, a world or an MDP is the same."""

from dataclasses import replace

import numpy as np
import pytest

from alignment_gym import FiniteMDP, exact
from alignment_gym.core import AlignmentGymError, InvalidPolicy, InvalidWorld, Specification, make_world
from alignment_gym.engine.mdp import as_mdp
from alignment_gym.exact.deviation import trajectory_kl
from alignment_gym.exact.incentives import interruptibility_gap, supervision_gap
from alignment_gym.exact.tables import PolicyTable, checked_policy, tabulate
from alignment_gym.exact.values import uniform
from alignment_gym.exact.verification import expected_occurrences, lengths
from tests.tiny import arms, random_arrays

MDP = random_arrays(np.random.default_rng(0), states=3, actions=2, horizon=4)
EVEN = np.full((3, 2), 0.5)

QUESTIONS = {
    "evaluate": lambda policy, what: exact.evaluate(policy, what),
    "event_probability": lambda policy, what: exact.event_probability(what, policy, event(what)),
    "first_time": lambda policy, what: exact.first_time(what, policy, event(what)).chances.tolist(),
    "expected_amount": lambda policy, what: exact.expected_amount(what, policy, event(what)),
    "expected_occurrences": lambda policy, what: expected_occurrences(what, policy, event(what)),
    "after": lambda policy, what: exact.after(what, policy, event(what), event(what)),
    "lengths": lambda policy, what: lengths(what, policy, event(what), {}).chances.tolist(),
    "trajectory_kl": lambda policy, what: trajectory_kl(what, policy),
    "trajectory_kl from": lambda policy, what: trajectory_kl(what, uniform(as_mdp(what)), policy),
    "chi_squared": lambda policy, what: exact.chi_squared(what, policy),
    "chi_squared from": lambda policy, what: exact.chi_squared(what, uniform(as_mdp(what)), policy),
    "total_variation": lambda policy, what: exact.total_variation(what, policy),
    "laidlaw_bound": lambda policy, what: exact.laidlaw_bound(what, policy),
    "reward_correlation": lambda policy, what: exact.reward_correlation(what, policy),
    "side_effects": lambda policy, what: exact.side_effects(what, policy, discount=0.9),
    "supervision_gap": lambda policy, what: supervision_gap(what, policy, lambda state: state),
    "interruptibility_gap": lambda policy, what: interruptibility_gap(uniform(as_mdp(what)), policy, what),
}

asked = pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS.keys())


def event(what):
    return "proxy" if isinstance(what, FiniteMDP) and "proxy" in what.events else "disable"


@asked
@pytest.mark.parametrize(
    ("policy", "says"),
    [
        (np.ones((3, 2)), r"policy\[0\] sums to 2 over actions"),
        (np.full((3, 2), np.nan), r"policy\[0, 0\] is nan"),
        (np.full((4, 2), 0.5), r"shape \(3, 2\) or \(4, 3, 2\), not \(4, 2\)"),
    ],
)
def test_every_question_about_a_policy_refuses_what_is_none(question, policy, says):
    with pytest.raises(InvalidPolicy, match=says):
        question(policy, MDP)


@asked
def test_lists_float32_and_tables_are_policies_too(question):
    expected = repr(question(EVEN, MDP))
    table = PolicyTable("arrays", "", MDP.observations, EVEN)
    assert [repr(question(each, MDP)) for each in (EVEN.tolist(), EVEN.astype(np.float32), table)] == [expected] * 3


@asked
def test_an_id_a_world_and_its_tables_give_the_same_answer(question):
    table = tabulate(lambda seen: np.tile([0.1, 0.2, 0.3, 0.2, 0.2], (len(seen), 1)), "ShutdownButton")
    whats = "ShutdownButton", make_world("ShutdownButton"), as_mdp("ShutdownButton")
    assert len({repr(question(table, what)) for what in whats}) == 1


@pytest.mark.parametrize(
    ("policy", "says"),
    [
        ([[0.5, 0.5], [1.5, -0.5], [1, 0]], r"policy\[1, 1\] is -0\.5"),
        ([[0.5, 0.5], [0.5, 0.5], [0.5, 0.4999]], r"policy\[2\] sums to 0\.9999 over"),
        ([[0.5, 0.5], [0.5, 0.5], [0.5, np.inf]], r"policy\[2, 1\] is inf"),
        ([[0.5, 0.5], [0.5, np.nan], [0.5, 0.5]], r"policy\[1, 1\] is nan"),
        (np.stack([EVEN, EVEN, EVEN * 2, EVEN]), r"policy\[2, 0\] sums to 2"),
        (np.stack([EVEN] * 3), r"not \(3, 3, 2\)"),
        (EVEN[0], r"not \(2,\)"),
        ([[0.5, 0.5], [1.0]], "not a ragged list"),
        (EVEN.astype(complex), "not ndarray of complex128"),
        (uniform, "a table from `tabulate`, or probabilities of shape"),
        (None, "not NoneType"),
        (PolicyTable("", "", MDP.observations, EVEN[:2]), r"shape \(2, 2\) for 3 observations"),
        (PolicyTable("", "", MDP.observations, EVEN * 2), "sums to 2"),
    ],
)
def test_what_is_no_policy_is_named_in_a_line(policy, says):
    with pytest.raises(InvalidPolicy, match=says) as refused:
        checked_policy(policy, MDP)
    assert "\n" not in str(refused.value)


def test_clocked_policies_know_every_step_and_endless_worlds_have_no_clock():
    longer = np.stack([EVEN] * 6)
    assert checked_policy(longer, MDP) is longer
    with pytest.raises(InvalidPolicy, match="for it is endless"):
        checked_policy(longer, replace(MDP, horizon=None, discount=0.9))


def test_rows_of_float32_are_scaled_to_one_and_others_left_as_they_are():
    rows = np.random.default_rng(1).dirichlet(np.ones(7), size=1)
    single = rows.astype(np.float32)
    assert single.astype(np.float64).sum() != 1.0
    np.testing.assert_allclose(checked_policy(single, arms(range(7), range(7))).sum(), 1.0, rtol=0, atol=1e-15)
    assert checked_policy(rows, arms(range(7), range(7))) is rows


def test_what_is_kept_of_a_frontier_cannot_be_overwritten():
    with pytest.raises(ValueError, match="read-only"):
        exact.frontier(MDP).vertices[0] = 0.0


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (lambda _rng: exact.rank_correlation([1, 2], [1, 2, 3]), "2 proxy and 3 true returns"),
        (lambda _rng: exact.rank_correlation([], []), "no scores"),
        (lambda _rng: exact.rank_correlation([1, np.nan], [1, 2]), "is nan"),
        (lambda rng: exact.trajectory_rank_correlation(MDP, rng, episodes=0), "episodes: 0"),
        (lambda rng: exact.trajectory_rank_correlation(MDP, rng, episodes=2.5), "episodes: 2.5"),
        (lambda _rng: exact.epic_distance(EVEN, EVEN, 0.0), "a discount lies above 0 and is at most 1, not 0"),
        (lambda _rng: exact.epic_distance(EVEN, EVEN, 1.5), "not 1.5"),
        (lambda _rng: exact.epic_distance(EVEN, EVEN, np.nan), "not nan"),
    ],
)
def test_lists_and_numbers_that_nothing_is_taken_of_are_refused(asked, says):
    with pytest.raises(AlignmentGymError, match=says):
        asked(np.random.default_rng(0))


@pytest.mark.parametrize("weight", [np.nan, np.inf, "1", None])
def test_a_weight_that_is_no_finite_number_is_refused(weight):
    with pytest.raises(InvalidWorld, match=f"the event 'proxy' has the weight {weight!r}"):
        MDP.with_specification(Specification(proxy={"proxy": weight}, true={"true": 1.0}))
    with pytest.raises(InvalidWorld, match="give a finite number"):
        exact.greedy(MDP, {"proxy": weight})


def test_weights_may_be_numpys_and_whole():
    paid = Specification(proxy={"proxy": np.float32(1.0)}, true={"true": np.int64(1)})
    assert repr(exact.solve(MDP.with_specification(paid)).anchors) == repr(exact.solve(MDP).anchors)
