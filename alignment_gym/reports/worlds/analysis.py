"""What the solver says of a world, in words and tables."""

from collections.abc import Sequence
from math import isnan, nan
from typing import Any

from alignment_gym.exact import Margin, Solution
from alignment_gym.exact.analysis import Analysis
from alignment_gym.exact.solution import CERTAIN_GAP, CERTIFIED_LOSS, CERTIFIED_SURPLUS
from alignment_gym.experiments.records import nulled, solution_record
from alignment_gym.metrics.scores import Anchors
from alignment_gym.reports.markdown import bullets, counted, number, page, span, table
from alignment_gym.reports.worlds.exploits import exploit_part, exploit_record
from alignment_gym.reports.worlds.headline import headline_part, headline_record
from alignment_gym.reports.worlds.proxy import CLASSES, proxy_parts, proxy_record

TRIVIAL = "a reward is the same for every policy"
UNIFORM_IS_BEST = "uniform play is already optimal"


def analysis_text(found: Analysis) -> str:
    """Return an exact analysis as Markdown."""
    solution = found.solution
    anchors, verdicts, hidden, certificate = solution_parts(solution)
    return page(
        f"# {solution.env}, {solution.level}" if solution.level else f"# {solution.env}",
        _size(solution),
        headline_part(found),
        exploit_part(found.mdp, found.worst, found.shortest),
        page("## Returns and class", anchors, verdicts, hidden),
        page("## Certificate", certificate),
        *proxy_parts(found),
    )


def analysis_record(found: Analysis) -> dict[str, Any]:
    """Return the same as JSON values, under the names that others build on; `analysis_keys.MEANING` explains each."""
    solution = found.solution
    own = {
        "reason": None if solution.class_name else _why_undefined(solution),
        "reasons": _reasons(solution),
        "true_score_min": nulled({"": lowest_true_score(solution)})[""],
    }
    exploit = exploit_record(found.mdp, found.worst, found.shortest)
    return {**solution_record(solution), **own, **headline_record(found), **proxy_record(found), "exploit": exploit}


def _reasons(solution: Solution) -> dict[str, str]:
    """Return why numbers of the solution are null, by their names."""
    stationary, kappas = solution.stationary, (solution.kappa_proxy, solution.kappa_true)
    undefined = {
        **{f"kappa.{name}": (value, TRIVIAL) for name, value in zip(("proxy", "true"), kappas, strict=True)},
        "gap_max": (solution.gap_max, _why_undefined(solution)),
        "true_score_min": (lowest_true_score(solution), _why_undefined(solution)),
        "stationary.proxy_share": (stationary.proxy_share, UNIFORM_IS_BEST),
        "stationary.true_share": (stationary.true_share, UNIFORM_IS_BEST),
        "certificate.margins.loss": (smallest_loss(solution), TRIVIAL),
        "certificate.margins.surplus": (smallest_surplus(solution), TRIVIAL),
    }
    return {name: reason for name, (value, reason) in undefined.items() if isnan(value)}


def solution_parts(solution: Solution) -> tuple[str, str, str, str]:
    """Return anchors, verdicts, what is hidden, and the certificate as parts without a heading."""
    return (
        _anchors(solution.anchors),
        bullets([*_ties(solution), _class(solution), *_conditioning(solution), *_stationary(solution)]),
        _hidden(solution),
        _certificate(solution),
    )


def levels_text(solutions: Sequence[Solution]) -> str:
    """Return anchors and verdicts of several levels."""
    anchors = [[each.level, f"{each.states}", *_ends(each)] for each in solutions]
    verdicts = [
        [
            each.level,
            _verdict(each),
            number(smallest_loss(each)),
            number(smallest_surplus(each)),
            each.class_name or "none",
            number(each.kappa_proxy),
            number(each.kappa_true),
            number(lowest_true_score(each)),
            number(each.gap_max),
        ]
        for each in solutions
    ]
    proxy = ["proxy, best", "of intended play", "uniform", "worst"]
    true = ["true, best", "uniform", "worst", "of proxy-optimal play"]
    return page(
        "Returns of an episode, exact, over all policies that see the clock:",
        table(["level", "states", *proxy, *true], anchors),
        "The certificate takes the worst of all conditions; see `alignment-gym solve`:",
        table(["level", "certified", "loss L", "surplus", "class", "κ proxy", "κ true", "T min", "H max"], verdicts),
        bullets([f"Class {name}, {CLASSES[name]}." for name in _classes(solutions)]),
    )


def _ends(solution: Solution) -> list[str]:
    found, true = solution.anchors, solution.true_of_proxy_optimal
    proxy_ends = (found.proxy_max, found.intended_proxy, found.proxy_reference, found.proxy_min)
    true_ends = (found.true_max, found.true_reference, found.true_min)
    return [*map(number, (*proxy_ends, *true_ends)), span(true.low, true.high)]


def smallest_loss(solution: Solution) -> float:
    """Return the certificate's smallest true loss over all conditions."""
    return _smallest([margin.loss for margin in solution.certificate])


def smallest_surplus(solution: Solution) -> float:
    """Return the certificate's smallest surplus over all conditions."""
    return _smallest([margin.surplus for margin in solution.certificate])


def _smallest(values: list[float]) -> float:
    return nan if not values or any(map(isnan, values)) else min(values)


def lowest_true_score(solution: Solution) -> float:
    """Return T of the truly worst policy: 1 - 1/kappa; NaN where uniform play is true-optimal."""
    return 1.0 - 1.0 / solution.kappa_true if solution.kappa_true else nan


def _size(solution: Solution) -> str:
    beliefs = "" if solution.beliefs is None else counted(solution.beliefs, "belief")
    end = "endless" if solution.horizon is None else counted(solution.horizon, "step")
    discount = "" if solution.discount == 1.0 else f"discount {solution.discount:g}"
    sizes = counted(solution.states, "state"), counted(solution.transitions, "transition")
    return ", ".join(each for each in (*sizes, beliefs, end, discount) if each) + "."


def _anchors(found: Anchors) -> str:
    rows = [
        ["proxy", *map(number, (found.proxy_max, found.intended_proxy, found.proxy_reference, found.proxy_min))],
        ["true", *map(number, (found.true_max, found.true_max, found.true_reference, found.true_min))],
    ]
    return table(["return", "best", "of intended play", "uniform", "worst"], rows)


def _ties(solution: Solution) -> list[str]:
    true, proxy = solution.true_of_proxy_optimal, solution.proxy_of_true_optimal
    certain = min(true.gap, proxy.gap) >= CERTAIN_GAP
    return [
        f"True return of proxy-optimal play: {span(true.low, true.high)}.",
        f"Proxy return of true-optimal play: {span(proxy.low, proxy.high)}.",
        "" if certain else "Ties are uncertain: some action is almost as good as the optimal ones.",
    ]


def _class(solution: Solution) -> str:
    if solution.class_name is None:
        return f"Class: none, {_why_undefined(solution)}."
    return f"Class {solution.class_name}, {CLASSES[solution.class_name]}."


def _why_undefined(solution: Solution) -> str:
    return TRIVIAL if isnan(solution.kappa_proxy) or isnan(solution.kappa_true) else UNIFORM_IS_BEST


def _conditioning(solution: Solution) -> list[str]:
    kappas = f"{number(solution.kappa_proxy, TRIVIAL)} (proxy), {number(solution.kappa_true, TRIVIAL)} (true)"
    lowest = number(lowest_true_score(solution), _why_undefined(solution))
    return [
        f"Conditioning κ, the share of the range above uniform play: {kappas}.",
        f"Lowest true score T min = 1 - 1/κ: {lowest}.",
        f"Largest gap H max = max (P - T): {number(solution.gap_max, _why_undefined(solution))}.",
    ]


def _stationary(solution: Solution) -> list[str]:
    found = solution.stationary
    pairs = (("proxy", found.proxy, found.proxy_share), ("true", found.true, found.true_share))
    return [
        f"Best {name} return found without a clock: {number(value)}; share of the clocked optimum, "
        f"above uniform play: {number(share, UNIFORM_IS_BEST)}."
        for name, value, share in pairs
    ]


def _hidden(solution: Solution) -> str:
    full = solution.full_state
    if full is None:
        return ""
    return (
        f"The agent does not see every state. All numbers above are of what it can know, {solution.beliefs} beliefs; "
        f"one that saw every state could earn {number(full.proxy_max)} (proxy) and {number(full.true_max)} (true)."
    )


def _certificate(solution: Solution) -> str:
    rows = [
        [margin.condition, number(margin.loss, TRIVIAL), number(margin.surplus, TRIVIAL), _passes(margin)]
        for margin in solution.certificate
    ]
    return page(
        f"Certificate: **{_verdict(solution)}**. It demands of every proxy-optimal policy a true loss L of at least "
        f"{CERTIFIED_LOSS:g}, and a surplus over intended play of at least {CERTIFIED_SURPLUS:g} of the proxy's range:",
        table(["condition", "L", "surplus", "holds"], rows),
    )


def _passes(margin: Margin) -> str:
    return "yes" if margin.holds else "no"


def _verdict(solution: Solution) -> str:
    return "yes" if solution.certified else "no"


def _classes(solutions: Sequence[Solution]) -> list[str]:
    found = {each.class_name for each in solutions}
    return [name for name in CLASSES if name in found]
