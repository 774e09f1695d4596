"""How bad a proxy can get, and how soon: the frontier, rising pressure, and how far the two rewards are alike."""

from math import degrees, isnan
from typing import Any

from alignment_gym.exact.analysis import Analysis, Angles, Verification
from alignment_gym.exact.frontier import NEAR, Frontier
from alignment_gym.exact.goodhart import GoodhartCurve
from alignment_gym.experiments.records import nulled
from alignment_gym.reports.markdown import bullets, number, page, span

CLASSES = {
    "A": "aligned: both rewards rank all policies alike",
    "A'": "compatible at the optimum: every proxy-optimal policy is true-optimal, lesser ones may differ",
    "B": "tie: some proxy-optimal policy is true-optimal, another is not",
    "C": "lossy: no proxy-optimal policy is true-optimal, none is worse than uniform play",
    "M": "mixed: some proxy-optimal policies are worse than uniform play, others are not",
    "D": "below random: every proxy-optimal policy is worse than uniform play",
}
UNDEFINED = "a reward is the same for every policy"
FLAT = "a return is the same in all episodes of uniform play"
WHAT = {"geometry": "The projected angle", "ascent": "Steepest ascent", "stop": "Where to stop the ascent"}
SHAPES = {"point": "a single point", "area": "a polygon of {} corners"}
RISING_STILL = "where it still rises, "
TELLING = 1e-6  # of the true range
CERTAIN = 1e-9  # of a probability, and of a share
MAXIMAL = "(normalised drop height, counted positive, on the path of maximal causal entropy from uniform play)"


def proxy_parts(found: Analysis) -> tuple[str, ...]:
    """Return the analysis of a proxy as parts in Markdown."""
    return (
        page("## All policies", bullets(_frontier(found.frontier))),
        page("## Rising pressure", bullets(_curve(found.curve))),
        page("## How alike the rewards are", bullets([*_likeness(found), *_angles(found)])),
        page("## The exploit event", bullets(_verification(found.verification))) if found.verification else "",
    )


def _frontier(found: Frontier) -> list[str]:
    shape = SHAPES.get(found.shape, "a line").format(len(found.vertices))
    exact = "exact" if found.error <= CERTAIN else f"to within {number(found.error)} of the ranges; below, all is exact"
    pair = f"All pairs of proxy and true return fill {shape}, {exact}. The pair of rewards is **{found.verdict}**."
    if found.verdict == "trivial":
        return [pair]
    low, high = found.envelope(NEAR)
    within, why = found.class_within(NEAR), found.reasons.get("headroom", "")
    return [
        pair,
        f"Headroom, the largest proxy score P with T >= 0: {number(found.headroom, why)}.",
        f"True return of near-optimal policies, P >= {1 - NEAR:g}: {span(low, high)}"
        + (f"; there it is class {within}, {near_optimal(within)}." if within else "."),
        f"True return of the worst policy that earns no less proxy than uniform play: "
        f"{number(found.worst_at_no_proxy_loss)}.",
        f"Proxy return of the best paid policy that has no more true return than uniform play: "
        f"{number(found.best_proxy_at_no_true_gain)}.",
    ]


def near_optimal(class_name: str) -> str:
    """Return what a class means, of near-optimal policies."""
    return CLASSES[class_name].replace("proxy-optimal", "near-optimal")


def _curve(found: GoodhartCurve) -> list[str]:
    if found.reason:
        return [f"No Goodhart curve: {found.reason}."]
    slope, peak = found.initial_slope, found.peak
    effect = "changes nothing" if abs(slope) <= CERTAIN else "helps" if slope > 0 else "harms"
    first = f"The lightest pressure {effect}: dJ_true/dβ = {number(slope)} at β = 0."
    if not found.drop > CERTAIN:
        return [first, f"No Goodhart drop: the true return is {never_larger(found)} than under endless pressure."]
    place = (
        f"with P = {number(peak.proxy_score)} (the onset), T = {number(peak.true_score)}, {number(peak.kl)} nats from "
        "uniform play"
    )
    rising = still_rising(found)
    largest = (
        f"The true return is largest at β = {number(peak.beta)}, {'uniform play' if falls_at_once(found) else place}"
    )
    return [
        first,
        f"{largest}{f', {RISING_STILL}so that the peak is further on' if rising else ''}.",
        f"From there to endless pressure it loses {'at least ' * rising}{number(found.drop)} of its range {MAXIMAL}.",
    ]


def never_larger(found: GoodhartCurve) -> str:
    """Say how often it was looked whether the true return is larger under a finite pressure."""
    return f"at none of the {len(found.beta) - 1} pressures looked at larger"


def still_rising(found: GoodhartCurve) -> bool:
    """Tell whether the peak is the last finite pressure, and the true return rises there."""
    return bool(found.peak.beta == found.beta[-2] and found.slope[-2] > 0.0)


def falls_at_once(found: GoodhartCurve) -> bool:
    """Tell whether the true return gains nothing worth telling before it falls."""
    gain = found.peak.true_return - found.true_return[0]
    return found.peak.beta == 0.0 or bool(gain <= TELLING * found.anchors.true_range)


def _likeness(found: Analysis) -> list[str]:
    return [
        f"STARC distance (value-adjusted levelling, in [0, 1]): {number(found.starc, UNDEFINED)}.",
        f"Correlation of the rewards where uniform play goes: "
        f"{number(found.correlation.value, found.correlation.reason or UNDEFINED)}.",
        f"Correlation of the returns of its episodes: {number(found.return_correlation, FLAT)}.",
    ]


def _angles(analysis: Analysis) -> list[str]:
    found, lines = analysis.angles, []
    if found is None:
        return ["The angle between the rewards and its kin: with `--geometry`."]
    if found.geometry is not None:
        each = found.geometry
        lines += [
            f"Projected angle: {number(degrees(each.angle), UNDEFINED)}{'' if isnan(each.angle) else ' degrees'} "
            f"(cosine {number(each.cosine)}); by it the pair is {each.verdict}.",
            f"STARC distance (minimal, L2, in [0, 1]): {number(each.starc_minimal, UNDEFINED)}.",
            f"EPIC distance, which knows nothing of the dynamics: {number(each.epic, each.reasons.get('epic', ''))}.",
        ]
    if found.ascent is not None:
        lines.append(
            f"On steepest ascent of the proxy, the true return's drop after its peak: "
            f"{number(found.ascent.drop, found.ascent.reason)}{'' if found.ascent.reason else ' of its range'}."
        )
        lines.append(_stop(found, analysis))
    return [*lines, *(_unavailable(name, found.reasons[name]) for name in WHAT if name in found.reasons)]


def _unavailable(name: str, reason: str) -> str:
    if name != "ascent":
        return f"{WHAT[name]}: unavailable; {reason}."
    return (
        f"{WHAT[name]}: unavailable; {reason}. These are its columns, and its work grows with their cube; in Python, "
        "`exact.steepest_ascent(..., max_columns=...)` takes more."
    )


def _stop(found: Angles, analysis: Analysis) -> str:
    stop = found.ascent.stop if found.ascent else None
    if stop is None:
        return ""
    there = f"{number(stop.proxy_return)}, of {number(analysis.solution.anchors.proxy_max)}"
    where = "at once" if stop.place == 0 else f"at a proxy return of {there} (true {number(stop.true_return)})"
    return f"Whoever knows of the true reward only that angle has to stop the ascent {where}."


def _verification(found: Verification) -> list[str]:
    name = f"`{found.event}`"
    worth = f"To a maximiser of the proxy it is worth {number(found.worth.amount, found.worth.reason)}"
    share = "" if isnan(found.worth.share) else f", {number(found.worth.share)} of the proxy's range"
    if found.most <= CERTAIN:
        return [f"No policy can bring about {name}, which the card names as the exploit."]
    if found.worth.amount <= CERTAIN:
        worth, share = "To a maximiser of the proxy it is worth nothing", ""
    return [
        f"{name}, which the card names as the exploit, {_chances(found)}. Under uniform play its probability is "
        f"{number(found.uniform)}.",
        f"{worth}{share}.",
    ]


def _chances(found: Verification) -> str:
    """Say what policies can do about the event."""
    if found.least >= 1.0 - CERTAIN:
        return "happens whatever the policy does"
    if found.least > CERTAIN:
        return f"happens with a probability of {number(found.least)} to {number(found.most)}, by policy"
    sure = found.most >= 1.0 - CERTAIN
    return f"can be avoided, and made {'sure' if sure else f'to happen with a probability of {number(found.most)}'}"


def proxy_record(found: Analysis) -> dict[str, Any]:
    """Return the same as JSON values."""
    polygon, curve, low_high = found.frontier, found.curve, found.frontier.envelope(NEAR)
    peak = curve.peak
    return {
        "frontier": {
            **nulled(
                {
                    "verdict": polygon.verdict,
                    "headroom": polygon.headroom,
                    "error": polygon.error,
                    "area": polygon.area,
                    "class_near_optimal": polygon.class_within(NEAR),
                    "worst_at_no_proxy_loss": polygon.worst_at_no_proxy_loss,
                    "best_proxy_at_no_true_gain": polygon.best_proxy_at_no_true_gain,
                }
            ),
            "shape": polygon.shape,
            "reasons": polygon.reasons,
            "vertices": polygon.vertices.tolist(),
            "near_optimal": {"share": NEAR, "low": low_high[0], "high": low_high[1]},
        },
        "goodhart": {
            **nulled(
                {
                    "path": "maximal causal entropy from uniform play",
                    "peak_beta": peak.beta if peak.beta < float("inf") else None,
                    "onset": curve.onset,
                    "peak_true_score": peak.true_score,
                    "peak_kl": peak.kl,
                    "drop": curve.drop,
                    "initial_slope": curve.initial_slope,
                    "initial_slope_by_differences": curve.initial_slope_by_differences,
                    "reason": curve.reason or None,
                }
            ),
            "curve": [
                nulled({"beta": beta if beta < float("inf") else None, "proxy": proxy, "true": true, "kl": kl})
                for beta, proxy, true, kl in zip(
                    *(each.tolist() for each in (curve.beta, curve.proxy_return, curve.true_return, curve.kl)),
                    strict=True,
                )
            ],
        },
        "likeness": _likeness_record(found),
        "exploit_event": _verification_record(found.verification),
        "geometry": None if found.angles is None else _angles_record(found.angles),
    }


def _likeness_record(found: Analysis) -> dict[str, Any]:
    values = {
        "starc_val": (found.starc, UNDEFINED),
        "reward_correlation": (found.correlation.value, found.correlation.reason or UNDEFINED),
        "return_correlation": (found.return_correlation, FLAT),
    }
    reasons = {name: reason for name, (value, reason) in values.items() if isnan(value)}
    return nulled({name: value for name, (value, _) in values.items()}) | {"reasons": reasons}


def _verification_record(found: Verification | None) -> dict[str, Any] | None:
    if found is None:
        return None
    worth = {"worth": found.worth.amount, "worth_share": found.worth.share, "reason": found.worth.reason or None}
    chances = {"least": found.least, "most": found.most, "uniform": found.uniform}
    return nulled({"event": found.event, **chances, **worth})


def _angles_record(found: Angles) -> dict[str, Any]:
    """Return the angles as JSON values; what is missing is null, with a reason."""
    shape, ascent = found.geometry, found.ascent
    stop = ascent.stop if ascent else None
    record: dict[str, Any] = dict.fromkeys(("angle", "cosine", "angle_error", "starc_minimal", "epic", "verdict"))
    record |= {name: getattr(shape, name) for name in record if shape is not None}
    reasons = dict(found.reasons) | (shape.reasons if shape else {})
    if ascent is not None and ascent.reason:
        reasons["steepest_ascent_drop"] = ascent.reason
    return nulled(record) | {
        "steepest_ascent_drop": None if ascent is None or ascent.reason else ascent.drop,
        "safe_stop": stop and {"proxy_return": stop.proxy_return, "true_return": stop.true_return},
        "reasons": reasons,
    }
