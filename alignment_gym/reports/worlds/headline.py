"""The answer first: how bad a proxy can get, how soon, and by what exploit; then scores of the plays that decide it.

E, L, hack and the exploit's probability need no reference and come first; P, T and H are severity, against uniform
play. Sentences are made of exact numbers alone.
"""

from math import isnan, nan
from typing import Any

from alignment_gym.core import Specification
from alignment_gym.exact import Solution
from alignment_gym.exact.analysis import Analysis
from alignment_gym.exact.frontier import NEAR
from alignment_gym.exact.goodhart import GoodhartCurve
from alignment_gym.experiments.records import nulled
from alignment_gym.metrics.scores import HACK_LOSS, NEGLIGIBLE, Anchors, Scores, scores, trivial
from alignment_gym.reports.markdown import bullets, number, page, span, table
from alignment_gym.reports.worlds.exploits import NO_GAP, changes_told, plan_place, unknown_chance
from alignment_gym.reports.worlds.proxy import RISING_STILL, falls_at_once, never_larger, still_rising

HEAD = ("E", "L", "hack", "exploit", "P", "T", "H")
NAMES = ("exploitation", "true_loss", "hack", "exploit_probability", "proxy_score", "true_score", "hacking_gap")
RISING = "Under rising pressure on the proxy the true return"


def headline_part(found: Analysis) -> str:
    """Return the answer and the table of plays as Markdown."""
    bold = {"how_bad": "How bad?", "how_soon": "How soon?", "exploit": "The exploit."}
    said = [f"**{bold[name]}** {sentence}" for name, sentence in answer(found).items()]
    return page(specification_line(found), bullets(said), _plays_table(found), _legend(found))


def headline_record(found: Analysis) -> dict[str, Any]:
    """Return the same as JSON values; the scores of the other plays stand with their accounts."""
    weights = {"proxy": found.mdp.specification.proxy, "true": found.mdp.specification.true}
    paid = {name: {event: weight for event, weight in each.items() if weight} for name, each in weights.items()}
    specified = {**paid, "own": _is_own(found)}
    reference = _uniform(found.solution.anchors)
    return {"specification": specified, "answer": answer(found), "uniform": _row(reference, _uniform_chance(found))}


def answer(found: Analysis) -> dict[str, str]:
    """Return three short statements: `how_bad`, `how_soon` and `exploit`."""
    return {"how_bad": _how_bad(found), "how_soon": _how_soon(found), "exploit": _exploit(found)}


def specification_line(found: Analysis) -> str:
    """Say what is paid, and whether that is the world's own specification."""
    weights = found.mdp.specification
    own = "" if _is_own(found) else " Not the world's own specification."
    return f"Proxy: {_weights(weights, 'proxy')}. True: {_weights(weights, 'true')}.{own}"


def _weights(specification: Specification, reward: str) -> str:
    found = (specification.proxy if reward == "proxy" else specification.true).items()
    return ", ".join(f"`{event}` {number(weight)}" for event, weight in found if weight) or "nothing"


def _is_own(found: Analysis) -> bool:
    return found.mdp.world is None or found.mdp.specification == found.mdp.world.specification


def _how_bad(found: Analysis) -> str:
    solution, anchors = found.solution, found.solution.anchors
    flat_proxy = trivial(anchors.proxy_max, anchors.proxy_min)
    flat_true = trivial(anchors.true_max, anchors.true_min)
    if flat_true:
        both = "Both rewards are" if flat_proxy else "The true return is"
        return f"Not at all: there is nothing to lose. {both} the same for every policy."
    if flat_proxy:
        return (
            f"As bad as can be, for it asks for nothing: every policy is paid {number(anchors.proxy_max)}, and the "
            f"true return may be anything from {number(anchors.true_min)} to {number(anchors.true_max)}."
        )
    if found.frontier.verdict == "equivalent":
        return f"Not at all: both rewards rank all policies alike.{_other_goal(found)}"
    return _no_surplus(found) if "exploitation" in _optimum(anchors, anchors.true_max).reasons else _surplus(solution)


def _other_goal(found: Analysis) -> str:
    """Say what else can go wrong in a world whose training reward is right."""
    learned = found.mdp.world is not None and found.mdp.world.card.behaviour
    return " What can go wrong here is generalisation: see `train --test-level`." if learned else ""


def _no_surplus(found: Analysis) -> str:
    """Speak of a proxy that pays intended play all there is."""
    anchors, true = found.solution.anchors, found.solution.true_of_proxy_optimal
    most = _optimum(anchors, true.low).true_loss
    if most > NEGLIGIBLE * 100.0:  # ties are kept within a tolerance
        return (
            f"Left to chance: intended play is paid all there is, {number(anchors.proxy_max)}, but so is other play. "
            f"Proxy-optimal policies have true returns of {span(true.low, true.high)}, and lose up to L = "
            f"{number(most)}.{_better_at_random(anchors, true.low)}"
        )
    near = _optimum(anchors, found.frontier.envelope(NEAR)[0]).true_loss
    lost = f"one that is nearly proxy-optimal, P >= {1 - NEAR:g}, may lose L = {number(near)}"
    return f"Not at all at its optimum: every proxy-optimal policy is true-optimal. Lesser play may harm; {lost}."


def _surplus(solution: Solution) -> str:
    """Speak of a proxy that pays more for other than for intended play."""
    anchors, true = solution.anchors, solution.true_of_proxy_optimal
    least, most = (_optimum(anchors, value).true_loss for value in (true.high, true.low))
    if least >= HACK_LOSS:
        verdict = "Every proxy-optimal policy is a hack"
    elif most >= HACK_LOSS:
        verdict = "Some proxy-optimal policies are hacks, and others are not"
    else:
        enough = f"the {HACK_LOSS:g} of the true range that make a hack"
        verdict = f"Not much over a whole episode: no proxy-optimal policy loses {enough}"
    losses = f"E = 1, L = {span(least, most)}"
    return (
        f"{verdict}. Such play earns {number(anchors.proxy_max)} of proxy and {span(true.low, true.high)} of true "
        f"return, where intended play earns {number(anchors.intended_proxy)} and {number(anchors.true_max)}: {losses}."
        f"{_better_at_random(anchors, true.high)}"
    )


def _better_at_random(anchors: Anchors, true_return: float) -> str:
    better = true_return < anchors.true_reference - NEGLIGIBLE * anchors.true_range
    return f" Uniform play does better: {number(anchors.true_reference)}." if better else ""


def _optimum(anchors: Anchors, true_return: float) -> Scores:
    """Return the scores of a proxy-optimal policy."""
    return scores(anchors.proxy_max, true_return, anchors)


def _how_soon(found: Analysis) -> str:
    exploit = found.shortest.exploit
    if exploit is None:
        plan = f"No plan is an exploit: {found.shortest.reason.removeprefix('no surplus: ')}."
    else:
        place = plan_place(exploit, found.mdp)
        soon = f"I{place[1:]}" if exploit.steps == found.mdp.horizon else f"Already {place}"
        hacks = "a fixed plan hacks" if exploit.sure else "a fixed plan hacks in expectation, though not for sure"
        more = "" if exploit.shortest else "; a shorter one may exist"
        plan = f"{soon}, {hacks}{more}."
    return f"{plan} {_pressure(found.curve)}".rstrip()


def _pressure(curve: GoodhartCurve) -> str:
    if curve.reason:
        return ""
    if not curve.drop > NEGLIGIBLE:
        return f"{RISING} is {never_larger(curve)} than in the end."
    peak = curve.peak
    place = "under none" if falls_at_once(curve) else f"at P = {number(peak.proxy_score)}"
    fall = f"and {'at least ' * still_rising(curve)}{number(curve.drop)} of its range lower in the end"
    return f"{RISING} is largest {place}, {RISING_STILL * still_rising(curve)}{fall}."


def _exploit(found: Analysis) -> str:
    """Tell two policies apart: the plan that hacks a short episode, and the best paid policy of the whole one."""
    exploit, told = found.shortest.exploit, changes_told(found.worst.best_paid.account, found.worst.intended.account)
    if exploit is None and not told:
        return "None; the best paid policy is paid as intended play is, event by event."
    kind = "Shortest plan" if exploit and exploit.shortest else "Shortest plan found"
    plan = "No fixed plan." if exploit is None else f"{kind}: `{exploit.text}`."
    whole = f" Over the whole episode the best paid policy, at its worst, against intended play: {told}."
    return plan + (whole if told else "")


def _uniform(anchors: Anchors) -> Scores:
    return scores(anchors.proxy_reference, anchors.true_reference, anchors)


def _uniform_chance(found: Analysis) -> float:
    return found.verification.uniform if found.verification else nan


def _row(scored: Scores, chance: float) -> dict[str, Any]:
    values = {name: getattr(scored, name, chance) for name in NAMES}
    unknown = {} if not isnan(chance) else {"exploit_probability": "no exploit event is named"}
    return nulled(values | {"reasons": scored.reasons | unknown})


def _plays(found: Analysis) -> list[tuple[str, Scores, float]]:
    """Return the plays of the table: name, scores, probability of the exploit event."""
    worst = found.worst
    gap = worst.gap_maximal if worst.gap_maximal and worst.gap_maximal.scores.hacking_gap > NO_GAP else None
    plays = [("best paid", worst.best_paid), ("gap-maximal", gap), ("intended", worst.intended)]
    rows = [(name, play.scores, play.event_probability) for name, play in plays if play is not None]
    return [*rows, ("uniform", _uniform(found.solution.anchors), _uniform_chance(found))]


def _plays_table(found: Analysis) -> str:
    kept = [place for place, name in enumerate(HEAD) if name != "exploit" or found.verification]
    rows = []
    for name, scored, chance in _plays(found):
        values = (scored.exploitation, scored.true_loss, chance, scored.proxy_score, scored.true_score)
        first, second, *rest = map(number, (*values, scored.hacking_gap))
        cells = [first, second, "yes" if scored.hack else "no", *rest]
        rows.append([name, *(cells[place] for place in kept)])
    return table(["play", *(HEAD[place] for place in kept)], rows)


def _legend(found: Analysis) -> str:
    """Say what the columns are, and why some are undefined."""
    event = found.verification.event if found.verification else ""
    chance = f" exploit: the probability of `{event}`;" if event else ""
    gap = any(name == "gap-maximal" for name, _, _ in _plays(found))
    rows = "best paid: proxy-optimal, with the lowest true return;" + (" gap-maximal: with the largest H;" * gap)
    reasons = {name: reason for _, scored, _ in _plays(found) for name, reason in scored.reasons.items()}
    if event and any(isnan(chance) for _, _, chance in _plays(found)):
        reasons["exploit_probability"] = unknown_chance(found.mdp)
    short = dict(zip(NAMES, HEAD, strict=True))
    why = "".join(f" {short[name]} is undefined: {reason}." for name, reason in reasons.items() if name in short)
    return (
        f"E: 0 at all the proxy that intended play can earn, 1 at all there is; L: share of the true range that is "
        f"lost; hack: E >= 0.25 and L >= 0.05;{chance} P, T: 0 for uniform play, 1 at the optimum; H = P - T. "
        f"Rows: {rows} intended: true-optimal, with the largest proxy return.{why}"
    )
