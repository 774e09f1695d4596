"""How bad a proxy can get, and how soon: the frontier, rising pressure, and how far the two rewards are alike."""

from math import degrees, isnan
from typing import Any

from alignment_gym.exact.analysis import Analysis, Angles, Verification
from alignment_gym.exact.frontier import NEAR, Frontier
from alignment_gym.exact.goodhart import GoodhartCurve
from alignment_gym.experiments.records import nulled
from alignment_gym.reports.markdown import bullets, number, page, span

UNDEFINED = "a score is undefined here"
HEADROOM = "T >= 0 is T at least that of uniform play"


def proxy_parts(found: Analysis) -> tuple[str, ...]:
    """Return the analysis of a proxy as parts in Markdown."""
    return (
        page("## How bad it can get", bullets(_frontier(found.frontier))),
        page("## How soon", bullets(_curve(found.curve))),
        page("## How alike the rewards are", bullets([*_likeness(found), *_angles(found.angles)])),
        page("## The exploit event", bullets(_verification(found.verification))) if found.verification else "",
    )


def _frontier(found: Frontier) -> list[str]:
    why = found.reasons.get("headroom", "")
    low, high = found.envelope(NEAR)
    exact = "exact" if found.error <= 1e-9 else f"to within {number(found.error)} of the ranges; its readings are exact"
    within = found.class_within(NEAR) or "none"
    return [
        f"All policies: a polygon of {len(found.vertices)} vertices in the plane of both returns, {exact}. "
        f"The pair is **{found.verdict}**.",
        f"Headroom, the largest proxy score P with T >= 0: {number(found.headroom, why)}.",
        f"True return of near-optimal policies, P >= {1 - NEAR:g}: {span(low, high)}; class {within} there.",
        f"Worst true return of a policy that earns no less proxy than uniform play: "
        f"{number(found.worst_at_no_proxy_loss)}; best proxy return of one that gains no true return on it: "
        f"{number(found.best_proxy_at_no_true_gain)}.",
    ]


def _curve(found: GoodhartCurve) -> list[str]:
    if found.reason:
        return [f"No Goodhart curve: {found.reason}."]
    peak = found.peak
    first = "helps" if found.initial_slope > 0 else "harms"
    lines = [
        f"The lightest pressure {first}: dJ_true/dβ = {number(found.initial_slope)} at β = 0 "
        f"({number(found.initial_slope_by_differences)} by differences).",
    ]
    if isnan(found.drop) or found.drop <= 1e-9:
        return [*lines, "No Goodhart drop: the true return is never larger than in the limit of endless pressure."]
    return [
        *lines,
        f"The true return peaks at β = {number(peak.beta)}: P = {number(peak.proxy_score)} (the onset), "
        f"T = {number(peak.true_score)}, {number(peak.kl)} nats from uniform play.",
        f"From there to endless pressure it loses {number(found.drop)} of its range (normalised drop height, counted "
        "positive, on the path of maximal causal entropy from uniform play).",
    ]


def _likeness(found: Analysis) -> list[str]:
    reason = found.correlation.reason
    return [
        f"STARC distance (value-adjusted levelling, in [0, 1]): {number(found.starc, UNDEFINED)}.",
        f"Correlation of the rewards where uniform play goes: {number(found.correlation.value, reason or UNDEFINED)}; "
        f"of the two returns of its episodes: {number(found.return_correlation, UNDEFINED)}.",
    ]


def _angles(found: Angles | None) -> list[str]:
    if found is None:
        return ["The angle between the rewards and its kin: with `--geometry`."]
    lines = [f"Unavailable, {reason}." for reason in found.reasons.values()]
    if found.geometry is not None:
        each = found.geometry
        lines += [
            f"Projected angle: {number(degrees(each.angle), UNDEFINED)} degrees "
            f"(cosine {number(each.cosine, UNDEFINED)}): over all policies the pair is {each.verdict}.",
            f"STARC distance (minimal, L2, in [0, 1]): {number(each.starc_minimal, UNDEFINED)}.",
            f"EPIC distance, which knows nothing of the dynamics: {number(each.epic, UNDEFINED)}.",
        ]
    if found.ascent is not None:
        lost = number(found.ascent.drop, UNDEFINED)
        lines.append(f"On steepest ascent of the proxy, the drop after the peak is {lost} of the true range.")
    return lines


def _verification(found: Verification) -> list[str]:
    name = found.event.replace("_", " ")
    worth = f"{number(found.worth.amount, found.worth.reason)}"
    share = "" if isnan(found.worth.share) else f", {number(found.worth.share)} of the proxy's range"
    return [
        f"An episode contains *{name}* with a probability of at least {number(found.least)} and at most "
        f"{number(found.most)}, whatever the policy.",
        f"To a maximiser of the proxy it is worth {worth}{share}.",
    ]


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
        "likeness": nulled(
            {
                "starc_val": found.starc,
                "reward_correlation": found.correlation.value,
                "return_correlation": found.return_correlation,
            }
        ),
        "exploit_event": _verification_record(found.verification),
        "geometry": None if found.angles is None else _angles_record(found.angles),
    }


def _verification_record(found: Verification | None) -> dict[str, Any] | None:
    if found is None:
        return None
    worth = {"worth": found.worth.amount, "worth_share": found.worth.share, "reason": found.worth.reason or None}
    return nulled({"event": found.event, "least": found.least, "most": found.most, **worth})


def _angles_record(found: Angles) -> dict[str, Any]:
    record: dict[str, Any] = {"reasons": dict(found.reasons)}
    if found.geometry is not None:
        each = found.geometry
        record |= {
            "angle": each.angle,
            "cosine": each.cosine,
            "starc_minimal": each.starc_minimal,
            "epic": each.epic,
            "verdict": each.verdict,
        }
    if found.ascent is not None:
        record["steepest_ascent_drop"] = found.ascent.drop
    return nulled(record)
