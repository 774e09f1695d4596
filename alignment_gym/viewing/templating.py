"""Pages' templates: one place says how they are read, and that words from outside stay words."""

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from alignment_gym.render.frame import signed, weighed

TEMPLATES = Path(__file__).parent / "templates"
HYPHEN, MINUS = "-", "\N{MINUS SIGN}"


def template(name: str) -> Template:
    """Return a template, which escapes what it is given."""
    return _environment().get_template(name)


def own(name: str, folder: Path = TEMPLATES) -> Markup:
    """Return one of our own files, which goes in as it is."""
    return Markup((folder / name).read_text(encoding="utf-8"))


def signed_in_print(value: float) -> str:
    """Return a number as `render.frame.signed` does, with a minus sign where that has a hyphen, as pages show it."""
    return signed(value).replace(HYPHEN, MINUS)


def environment_of(folder: Path) -> Environment:
    """Return what reads the templates of a folder, which escape what they are given and miss no word in silence."""
    return Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


@cache
def _environment() -> Environment:
    environment = environment_of(TEMPLATES)
    environment.filters["weighed"] = lambda weights: weighed(weights).replace(f" {HYPHEN}", f" {MINUS}")
    return environment
