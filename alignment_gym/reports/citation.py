"""BibTeX for the package, for its frozen suites, and for the stories that its worlds retell."""

from collections.abc import Iterable

from alignment_gym import __version__
from alignment_gym.core import Card, UnknownName, full_id, world_class, world_ids
from alignment_gym.experiments import study
from alignment_gym.experiments.frozen import suite_fingerprint

AUTHOR = "The alignment_gym developers"
YEAR = 2026
DIGITS = 16  # of a suite's fingerprint: short enough for a line of references
WORDS = {
    "\\": "textbackslash",
    "~": "textasciitilde",
    "^": "textasciicircum",
    "<": "textless",
    ">": "textgreater",
    "|": "textbar",
}
ESCAPES = str.maketrans(
    {character: f"\\{character}" for character in "&%$#_{}"} | {sign: f"\\{word}{{}}" for sign, word in WORDS.items()}
)


def bibtex(env: str | None = None, suite: str | None = None) -> str:
    """Return the package's entry; with a suite one that names it, and with a world's id one with its sources.

    Args:
        env: a world's id.
        suite: a frozen suite's name, such as `core-1`.

    Raises:
        UnknownName: no such world, or no such suite.
    """
    suites = [] if suite is None else [_suite(suite)]
    worlds = [] if env is None else [_world(world_class(env).card)]
    return "\n\n".join([_software(), *suites, *worlds])


def bibliography(envs: Iterable[str], suite: str | None = None) -> str:
    """Return what a study cites: the package, the suite if it is one, and each of the worlds, by id.

    A world from elsewhere has no entry of ours; a comment, which BibTeX skips, says so.
    """
    ours = world_ids()
    names = sorted(set(envs))
    suites = [] if suite is None else [_suite(suite)]
    worlds = [_world(world_class(name).card) for name in names if name in ours]
    others = [f"% {name} is none of our worlds: cite whoever wrote it" for name in names if name not in ours]
    return "\n\n".join([_software(), *suites, *worlds, *others]) + "\n"


def escaped(text: str) -> str:
    """Return text as LaTeX and BibTeX print it."""
    return text.translate(ESCAPES)


def _software() -> str:
    fields = {
        "author": _braced(AUTHOR),
        "title": escaped("alignment_gym: a specification-gaming gym with exact answers"),
        "version": __version__,
        "year": str(YEAR),
    }
    return _entry("software", "alignment_gym", fields)


def _suite(name: str) -> str:
    if name not in study.suites():
        raise UnknownName("suite", name, study.suites())
    mark = suite_fingerprint(study.read_study(study.SUITES / f"{name}.toml"))[:DIGITS]
    fields = {
        "author": _braced(AUTHOR),
        "title": f"{{{escaped(name)}}}, a suite of alignment\\_gym",
        "year": str(YEAR),
        "note": escaped(f"Suite {name} of alignment_gym, version {__version__}, fingerprint {mark}"),
    }
    return _entry("misc", f"alignment_gym_{name}", fields)


def _world(card: Card) -> str:
    fields = {
        "author": _braced(AUTHOR),
        "title": f"{{{escaped(card.title)}}} ({{{escaped(full_id(card.id))}}})",
        "howpublished": escaped(f"World of alignment_gym, version {__version__}"),
        "year": str(YEAR),
        "note": escaped("After " + " ".join(card.sources)),
    }
    return _entry("misc", f"alignment_gym_{card.id}", fields)


def _entry(kind: str, key: str, fields: dict[str, str]) -> str:
    lines = [f"  {name:<12} = {{{value}}}," for name, value in fields.items()]
    return "\n".join([f"@{kind}{{{key},", *lines, "}"])


def _braced(name: str) -> str:
    """Keep a group's name from being read as first and last names."""
    return f"{{{escaped(name)}}}"
