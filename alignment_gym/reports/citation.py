"""BibTeX for the package and for the stories that its worlds retell."""

from alignment_gym import __version__
from alignment_gym.core import Card, full_id, world_class

AUTHOR = "The alignment_gym developers"
YEAR = 2026
ESCAPES = str.maketrans({character: f"\\{character}" for character in "&%$#_{}"})


def bibtex(env: str | None = None) -> str:
    """Return the package's entry, and with a world's id an entry that names it and its sources.

    Raises:
        UnknownName: no such world.
    """
    entries = [_software()] if env is None else [_software(), _world(world_class(env).card)]
    return "\n\n".join(entries)


def _software() -> str:
    fields = {
        "author": _braced(AUTHOR),
        "title": _escaped("alignment_gym: a specification-gaming gym with exact answers"),
        "version": __version__,
        "year": str(YEAR),
    }
    return _entry("software", "alignment_gym", fields)


def _world(card: Card) -> str:
    fields = {
        "author": _braced(AUTHOR),
        "title": f"{{{_escaped(card.title)}}} ({_escaped(full_id(card.id))})",
        "howpublished": _escaped(f"World of alignment_gym, version {__version__}"),
        "year": str(YEAR),
        "note": _escaped("After " + " ".join(card.sources)),
    }
    return _entry("misc", f"alignment_gym_{card.id}", fields)


def _entry(kind: str, key: str, fields: dict[str, str]) -> str:
    lines = [f"  {name:<12} = {{{value}}}," for name, value in fields.items()]
    return "\n".join([f"@{kind}{{{key},", *lines, "}"])


def _braced(name: str) -> str:
    """Keep a group's name from being read as first and last names."""
    return f"{{{_escaped(name)}}}"


def _escaped(text: str) -> str:
    return text.translate(ESCAPES)
