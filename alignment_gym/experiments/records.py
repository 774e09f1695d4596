"""What is written down about a policy: flat records, one a run, NaN as null with a reason."""

from math import isnan
from typing import Any

from alignment_gym.exact import (
    Evaluation,
    LevelScores,
    Pursuit,
    Solution,
    generalisation_gap,
    misgeneralisation,
)


def evaluation_record(evaluation: Evaluation) -> dict[str, Any]:
    """Return an evaluation as JSON values; `reasons` says why a score is null."""
    found = evaluation.scores
    record = {
        "proxy_return": evaluation.proxy_return,
        "true_return": evaluation.true_return,
        "exploitation": found.exploitation,
        "true_loss": found.true_loss,
        "hack": found.hack,
        "proxy_score": found.proxy_score,
        "true_score": found.true_score,
        "hacking_gap": found.hacking_gap,
        "worse_than_random": found.worse_than_random,
        "exploit_probability": evaluation.exploit_probability,
        "exploit_probability_greedy": evaluation.exploit_probability_greedy,
        "unseen_observations": evaluation.unseen,
        "exact": evaluation.exact,
        "reasons": dict(found.reasons),
    }
    return nulled(record)


def levels_record(found: LevelScores) -> dict[str, Any]:
    """Return a policy's scores on a set of levels as JSON values: an evaluation's, of the mean, and some more.

    `levels_scored` counts the levels; `behaviour` is null where the card names no behavioural goal.
    """
    record = evaluation_record(found.mean)
    behaviour = None if found.behaviour is None else _pursuit(found.behaviour)
    return {**record, "levels_scored": len(found.levels), "behaviour": behaviour}


def generalisation_record(train: LevelScores, test: LevelScores) -> dict[str, Any]:
    """Return how a policy does on other levels than those it was trained on, as JSON values.

    `test` are its scores there; for the others, see `compared`.
    """
    return {"test": levels_record(test), **compared(train, test)}


def tested_record(train: LevelScores, test: LevelScores) -> dict[str, Any]:
    """Return the same beside a record of the test set: `train` are the scores on the levels trained on."""
    return {"train": levels_record(train), **compared(train, test)}


def compared(train: LevelScores, test: LevelScores) -> dict[str, float | None]:
    """Return `generalisation_gap`, and `misgeneralisation` on either set, as `exact.levels` defines them."""
    found = {
        "generalisation_gap": generalisation_gap(train, test),
        "misgeneralisation_train": misgeneralisation(train),
        "misgeneralisation_test": misgeneralisation(test),
    }
    return nulled(found)


def level_records(found: LevelScores) -> list[dict[str, Any]]:
    """Return a policy's scores on each level of a set as JSON values."""
    return [
        nulled(
            {
                "level": row.level,
                "proxy_return": row.proxy_return,
                "true_return": row.true_return,
                "exploitation": row.scores.exploitation,
                "true_loss": row.scores.true_loss,
                "hack": row.scores.hack,
                "proxy_score": row.scores.proxy_score,
                "true_score": row.scores.true_score,
                "exploit_probability": row.exploit_probability,
                "behaviour": None if row.behaviour is None else _pursuit(row.behaviour),
                "reasons": dict(row.scores.reasons),
            }
        )
        for row in found.levels
    ]


def _pursuit(found: Pursuit) -> dict[str, float | None]:
    return nulled({"return": found.earned, "share": found.share, "score": found.score})


def solution_record(solution: Solution) -> dict[str, Any]:
    """Return a solution as JSON values, under the names that others build on."""
    anchors = solution.anchors
    record: dict[str, Any] = {
        "env": solution.env,
        "level": solution.level,
        "states": solution.states,
        "transitions": solution.transitions,
        "beliefs": solution.beliefs,
        "horizon": solution.horizon,
        "discount": solution.discount,
        "proxy": {"max": anchors.proxy_max, "min": anchors.proxy_min, "reference": anchors.proxy_reference},
        "true": {"max": anchors.true_max, "min": anchors.true_min, "reference": anchors.true_reference},
        "true_of_proxy_optimal": _range(solution.true_of_proxy_optimal),
        "proxy_of_true_optimal": _range(solution.proxy_of_true_optimal),
        "kappa": {"proxy": solution.kappa_proxy, "true": solution.kappa_true},
        "class": solution.class_name,
        "gap_max": solution.gap_max,
        "certificate": {
            "holds": solution.certified,
            "margins": [
                nulled({"condition": margin.condition, "loss": margin.loss, "surplus": margin.surplus})
                for margin in solution.certificate
            ],
        },
        "stationary": nulled(
            {
                "proxy": solution.stationary.proxy,
                "true": solution.stationary.true,
                "proxy_share": solution.stationary.proxy_share,
                "true_share": solution.stationary.true_share,
            }
        ),
        "reason": "a reward is the same for every policy" if solution.class_name is None else None,
    }
    if solution.full_state is not None:
        full = solution.full_state
        record["full_state"] = {"proxy_max": full.proxy_max, "true_max": full.true_max}
    record["kappa"] = nulled(record["kappa"])
    return nulled(record)


def nulled(record: dict[str, Any]) -> dict[str, Any]:
    """Put null for NaN, as JSON has none."""
    return {key: None if isinstance(value, float) and isnan(value) else value for key, value in record.items()}


def _range(found: Any) -> dict[str, float | None]:
    gap = found.gap if found.gap != float("inf") else None
    return {"low": found.low, "high": found.high, "tie_gap": gap}
