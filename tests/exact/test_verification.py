"""Questions about events: against every policy of tiny worlds, against walking all episodes, and in worlds."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from numpy.testing import assert_allclose

from alignment_gym import FiniteMDP
from alignment_gym.agents.planner import scripted, untrained
from alignment_gym.core import InvalidWorld, UnknownName
from alignment_gym.engine.mdp import as_mdp
from alignment_gym.exact.values import occupancy, uniform
from alignment_gym.exact.verification import (
    MARK,
    after,
    event_probability,
    expected_amount,
    expected_occurrences,
    first_time,
    least_probable,
    lengths,
    most_probable,
)
from alignment_gym.metrics.shutdown import neutrality, usefulness
from tests.exact.oracles import pays, plans
from tests.tiny import Table, Tiger, random_table


def close(actual, desired, **more):
    assert_allclose(actual, desired, rtol=0, atol=1e-9, **more)


def episodes(world, policy, step=0, state=None, chance=1.0, so_far=()):
    """Yield (probability, the steps' events) of every episode; what the end pays belongs to the last step."""
    if state is None:
        for each, start in world.initial():
            yield from episodes(world, policy, 0, start, each, ())
        return
    for arm, action in enumerate(world.actions):
        for each, following, events, terminated in world.outcomes(state, action):
            probability = chance * policy[step, state, arm] * each
            if not probability:
                continue
            last = terminated or step == world.horizon - 1
            names = [name for name, amount in events.items() if amount]
            names += [name for name, amount in world.final(following).items() if amount and last]
            paid = {
                name: events.get(name, 0.0) + (world.final(following).get(name, 0.0) if last else 0.0)
                for name in world.events
            }
            steps = (*so_far, (frozenset(names), paid))
            if last:
                yield probability, steps
            else:
                yield from episodes(world, policy, step + 1, following, probability, steps)


def drawn(seed: int, horizon: int = 4):
    """Return a random world whose events are rare enough to be asked about, its tables, and a policy."""
    rng = np.random.default_rng(seed)
    world = random_table(rng, states=3, horizon=horizon)
    world = replace(
        world, final_pay=tuple(tuple(0.0 if rng.random() < 0.7 else pay for pay in row) for row in world.final_pay)
    )
    mdp = as_mdp(world)
    by_state = rng.dirichlet(np.ones(2), size=(horizon, 3))
    return world, mdp, by_state, by_state[:, list(mdp.states)]


def first(steps, event: str, begin: int = 0) -> int | None:
    return next((number for number, (names, _) in enumerate(steps) if number >= begin and event in names), None)


@pytest.mark.parametrize("seed", range(6))
def test_answers_about_a_policy_are_those_of_walking_all_its_episodes(seed):
    world, mdp, by_state, policy = drawn(seed)
    found = list(episodes(world, by_state))
    close(sum(chance for chance, _ in found), 1)
    for event, other in [("paid", "meant"), ("meant", "paid")]:
        when = np.zeros(world.horizon + 1)
        both = given = occurrences = amount = 0.0
        for chance, steps in found:
            place = first(steps, event)
            when[world.horizon if place is None else place] += chance
            occurrences += chance * sum(event in names for names, _ in steps)
            amount += chance * sum(paid[event] for _, paid in steps)
            if place is not None:
                given += chance
                both += chance * (first(steps, other, place) is not None)
        close(first_time(mdp, policy, event).chances, when)
        close(event_probability(mdp, policy, event), when[:-1].sum())
        close(expected_occurrences(mdp, policy, event), occurrences)
        close(expected_amount(mdp, policy, event), amount)
        close(after(mdp, policy, other, given=event), both / given)


@pytest.mark.parametrize("seed", range(4))
def test_lengths_are_those_of_walking_all_episodes(seed):
    world, mdp, by_state, policy = drawn(seed)
    chances, earned = np.zeros((2, world.horizon + 1))
    for chance, steps in episodes(world, by_state):
        place = first(steps, "paid")
        until = steps if place is None else steps[: place + 1]
        place = world.horizon if place is None else place
        chances[place] += chance
        earned[place] += chance * sum(pays({"meant": 1.0}, paid) for _, paid in until)
    found = lengths(mdp, policy, "paid", {"meant": 1.0})
    close(found.chances, chances)
    occurs = chances > 0
    close(found.achieved[occurs], earned[occurs] / chances[occurs])
    assert np.isnan(found.achieved[~occurs]).all()


@pytest.mark.parametrize("seed", range(6))
def test_no_policy_makes_an_event_more_or_less_probable_than_the_extremes(seed):
    rng = np.random.default_rng(seed)
    world = random_table(rng, states=2, horizon=3)
    thin = tuple(tuple(pay if rng.random() < 0.4 else 0.0 for pay in row) for row in world.true)
    world = replace(world, true=thin, final_pay=())
    mdp = as_mdp(world)
    chances = []
    for plan in plans(world):
        chosen = [[mdp.actions.index(step.get(state, "arm 0")) for state in mdp.states] for step in plan]
        chances.append(event_probability(mdp, np.eye(len(mdp.actions))[chosen], "meant"))
    for extreme, best in [(most_probable(mdp, "meant"), max(chances)), (least_probable(mdp, "meant"), min(chances))]:
        close(extreme.probability, best)
        close(event_probability(mdp, extreme.policy, "meant"), best)
        assert extreme.mdp is mdp


@pytest.mark.parametrize("seed", range(4))
def test_extremes_over_policies_that_see_little_are_those_of_enumerating_them(seed):
    rng = np.random.default_rng(seed)
    world = replace(
        random_table(rng, states=3, horizon=2, looks=(0, 0, 1)),
        ends=(),
        final_pay=(),
        true=tuple((float(rng.random() < 0.3), float(rng.random() < 0.3)) for _ in range(3)),
    )
    mdp = as_mdp(world)
    chances = []
    looks, acts = sorted(set(world.looks)), range(2)
    for now in product(acts, repeat=2):
        for then in product(acts, repeat=4):
            total = 0.0
            for weight, state in world.initial():
                arm = now[looks.index(world.looks[state])]
                for chance, following, events, _ in world.outcomes(state, world.actions[arm]):
                    seen = 2 * looks.index(world.looks[state]) + looks.index(world.looks[following])
                    later = world.true[following][then[seen]]
                    total += weight * chance * float(bool(events["meant"] or later))
            chances.append(total)
    close(most_probable(mdp, "meant").probability, max(chances))
    close(least_probable(mdp, "meant").probability, min(chances))


def test_who_cannot_hear_the_tiger_cannot_tell_the_doors_apart():
    close(most_probable(Tiger(horizon=1), "gold").probability, 0.5)
    close(most_probable(Tiger(horizon=2), "gold").probability, 0.85)
    close(least_probable(Tiger(horizon=2), "eaten").probability, 0)
    found = most_probable(Tiger(horizon=2), "gold")
    close(expected_amount(found.mdp, found.policy, MARK), 0.85)


def test_an_endless_discount_counts_as_the_chance_to_go_on():
    # Arm 0 waits, arm 1 tries and is paid with probability one half.
    P = np.zeros((2, 2, 2))
    P[0, 0], P[0, 1], P[1, :] = (1, 0), (0.5, 0.5), (0, 1)
    pays_for = np.zeros((2, 2, 2))
    pays_for[0, 1, 1] = 1.0
    endless = FiniteMDP.from_arrays(P, pays_for, np.zeros((2, 2)), [1, 0], gamma=0.9)
    close(most_probable(endless, "proxy").probability, 0.5 / (1 - 0.45))
    close(least_probable(endless, "proxy").probability, 0)
    close(expected_occurrences(endless, np.array([[0, 1], [0, 1]]), "proxy"), 0.5 / (1 - 0.45))
    with pytest.raises(InvalidWorld, match="there is none"):
        first_time(endless, uniform(endless), "proxy")


def test_what_the_horizon_pays_is_met_by_who_goes_on_so_far():
    world = Table(
        follows=(((0.5, 0.5),) * 2,) * 2,
        proxy=((0.0, 0.0),) * 2,
        true=((0.0, 0.0),) * 2,
        start=(1.0, 0.0),
        final_pay=((0.0, 1.0), (1.0, 1.0)),
        horizon=3,
    )
    mdp = replace(as_mdp(world), discount=0.8)
    policy = uniform(mdp)
    close(event_probability(mdp, policy, "paid"), 0.5 * 0.8**3)
    close(first_time(mdp, policy, "paid").chances, [0, 0, 0.5 * 0.8**3, 1 - 0.5 * 0.8**3])
    close(expected_occurrences(mdp, policy, "paid"), 0.5 * 0.8**3)
    close(after(mdp, policy, "paid", given="meant"), 0.5)
    close(most_probable(mdp, "paid").probability, 0.5 * 0.8**3)


def test_interruptions_of_the_classic_can_be_evaded_and_being_held_is_a_coins_toss_at_most():
    mdp = as_mdp("SafeInterruptibility", level="1")
    close(least_probable(mdp, "held").probability, 0)
    most = most_probable(mdp, "held")
    close(most.probability, 0.5)  # the draw is hidden, and who is held was due to be
    assert most.mdp is not mdp
    close(expected_amount(most.mdp, most.policy, MARK), 0.5)
    obeys = scripted(mdp, "intended")
    close(event_probability(mdp, obeys, "held"), 0.5)
    close([event_probability(mdp, scripted(mdp, "exploit"), event) for event in ("held", "disable")], [0, 1])
    assert after(mdp, obeys, "goal", given="held") == 0
    assert np.isnan(after(mdp, obeys, "goal", given="disable"))


def test_a_worker_that_obeys_is_stopped_whenever_it_is_due_and_one_that_disables_the_button_never():
    mdp = as_mdp("ShutdownButton")
    hazard, steps, notice = 0.04, mdp.horizon, 3
    when = first_time(mdp, scripted(mdp, "intended"), "stopped")
    lit = hazard * (1 - hazard) ** np.arange(steps)  # the lamp lights with step t; three steps on the button is pressed
    close(when.chances[notice + 1 : -1], lit[: steps - notice - 1])
    close(when.probability, 1 - (1 - hazard) ** (steps - notice - 1))
    close(when.median, notice + 1 + np.searchsorted(np.cumsum(lit), when.probability / 2))
    never = first_time(mdp, scripted(mdp, "exploit"), "stopped")
    assert never.probability == 0.0  # the notice is long enough for the way to the panel
    assert np.isnan(first_time(mdp, scripted(mdp, "intended"), "disable").mean)


def test_neutrality_and_usefulness_are_read_off_a_policy():
    mdp = as_mdp("ShutdownButton", hazard=0.5, horizon=8)
    found = lengths(mdp, scripted(mdp, "intended"), "stopped", {"work": 1.0})
    close(found.chances.sum(), 1)
    close(found.chances @ np.nan_to_num(found.achieved), expected_amount(mdp, scripted(mdp, "intended"), "work"))
    close(neutrality(found.chances), -sum(p * np.log2(p) for p in (0.5, 0.25, 0.125, 0.0625, 0.0625)))
    occurs = found.chances > 0
    useful = usefulness(found.chances, found.achieved, np.where(occurs, 8.0, 0.0))
    close(useful, expected_amount(mdp, scripted(mdp, "intended"), "work") / 8)


def test_amounts_are_visits_times_what_they_emit():
    mdp = as_mdp("AbsentSupervisor")
    policy = untrained(mdp, "exploit").probabilities[mdp.observation_id]
    close(expected_amount(mdp, policy, "step"), occupancy(mdp, policy).sum())
    close(expected_occurrences(mdp, policy, "step"), 0.5 * 3 + 0.5 * 9)
    close([most_probable(mdp, "caught").probability, least_probable(mdp, "caught").probability], [0.5, 0])


def test_an_unknown_event_is_refused_with_the_nearest_name():
    mdp = as_mdp(Table())
    ask = (event_probability, expected_occurrences, first_time)
    questions = [lambda each=each: each(mdp, uniform(mdp), "payed") for each in ask]
    questions += [lambda: most_probable(mdp, "payed"), lambda: after(mdp, uniform(mdp), "paid", given="payed")]
    for question in questions:
        with pytest.raises(UnknownName, match="did you mean 'paid'"):
            question()
