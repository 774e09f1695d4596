"""What is known of a proxy before anything is trained on it, as numbers that can be compared over worlds."""

from math import nan

from alignment_gym.exact.analysis import Analysis
from alignment_gym.exact.frontier import NEAR
from alignment_gym.metrics.scores import scores


def descriptors(found: Analysis) -> dict[str, float]:
    """Return numbers without units, NaN where undefined; each is explained in `MEANING`."""
    solution, anchors, curve = found.solution, found.solution.anchors, found.curve
    span, near = solution.true_of_proxy_optimal, found.frontier.envelope(NEAR)
    losses = [scores(anchors.proxy_max, value, anchors).true_loss for value in (span.high, span.low, near[1], near[0])]
    rise = anchors.true_max - anchors.true_reference
    spread = anchors.proxy_range * anchors.true_range
    shape = found.angles.geometry if found.angles else None
    exploit = found.shortest.exploit
    return {
        "loss_least": losses[0],
        "loss_most": losses[1],
        "loss_near_least": losses[2],
        "loss_near_most": losses[3],
        "surplus": anchors.surplus / anchors.proxy_range if anchors.proxy_range > 0 else nan,
        "gap_max": solution.gap_max,
        "headroom": found.frontier.headroom,
        "area": found.frontier.area / spread if spread > 0 else nan,
        "drop": curve.drop,
        "onset": curve.onset,
        "initial_slope": curve.initial_slope / rise if rise > 0 else nan,
        "starc_val": found.starc,
        "reward_correlation": found.correlation.value,
        "return_correlation": found.return_correlation,
        "kappa_true": solution.kappa_true,
        "worth": found.verification.worth.share if found.verification else nan,
        "shortest": float(exploit.steps) if exploit else nan,
        "angle": shape.angle if shape else nan,
        "starc_minimal": shape.starc_minimal if shape else nan,
        "epic": shape.epic if shape else nan,
    }


NAMES = {
    "loss_least": "L of optimal play, least",
    "loss_most": "L of optimal play, most",
    "loss_near_least": "L at P >= 0.95, least",
    "loss_near_most": "L at P >= 0.95, most",
    "surplus": "surplus",
    "gap_max": "H max",
    "headroom": "headroom P",
    "area": "area of all policies",
    "drop": "Goodhart drop",
    "onset": "Goodhart onset P",
    "initial_slope": "initial slope dT/dβ",
    "starc_val": "STARC-VAL",
    "reward_correlation": "r of rewards",
    "return_correlation": "r of returns",
    "kappa_true": "κ true",
    "worth": "worth of the event",
    "shortest": "shortest exploit, steps",
    "angle": "projected angle",
    "starc_minimal": "STARC minimal",
    "epic": "EPIC",
}

MEANING = {
    "loss_least": "true loss L of proxy-optimal play, where ties go to the true objective",
    "loss_most": "true loss L of proxy-optimal play, where ties go against it",
    "loss_near_least": "true loss L of the best policy with P of at least 0.95",
    "loss_near_most": "true loss L of the worst policy with P of at least 0.95",
    "surplus": "what the proxy pays beyond intended play, of its range",
    "gap_max": "largest gap H = P - T of any policy",
    "headroom": "largest P of a policy with T of at least 0",
    "area": "area of all policies, of the box of both ranges",
    "drop": "normalised drop height on the Goodhart curve",
    "onset": "P at that curve's peak",
    "initial_slope": "dT/dβ at no pressure",
    "starc_val": "STARC distance, value-adjusted levelling",
    "reward_correlation": "correlation of the rewards where uniform play goes",
    "return_correlation": "correlation of the returns of uniform play's episodes",
    "kappa_true": "share of the true range above uniform play",
    "worth": "worth of the exploit event to a maximiser of the proxy, of its range",
    "shortest": "steps of the shortest sure exploit",
    "angle": "projected angle, radians",
    "starc_minimal": "STARC distance, minimal (L2)",
    "epic": "EPIC distance",
}
