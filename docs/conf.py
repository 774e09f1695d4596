"""How the site is built: `make docs`. What stands elsewhere is brought here by `alignment_gym.reports.site_files`."""

import os
import sys
from pathlib import Path

DOCS = Path(__file__).parent
ROOT = DOCS.parent
sys.path[:0] = [str(ROOT), str(DOCS / "_extensions")]
os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])  # for the tutorials
os.environ.setdefault("OMP_NUM_THREADS", "1")

from alignment_gym import __version__  # noqa: E402 - after the path to it
from alignment_gym.reports.site_files import write_site  # noqa: E402

project = "alignment_gym"
author = "The alignment_gym developers"
copyright = author
release = version = __version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "sphinx_design",
    "mathml",
]
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
exclude_patterns = [
    "_extra",
    "_extensions",
    "generated/headline.md",
    "generated/bibtex.md",
    "generated/records.md",
    "jupyter_execute",
]

nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_merge_streams = True  # how a cell's output falls into parts is a matter of timing
nb_execution_timeout = 120  # seconds a cell
nb_execution_excludepatterns = ["envs/*", "agents/*", "experiments/*", "generated/*"]

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
napoleon_numpy_docstring = False
default_role = "code"
nitpicky = False

EXTRA = DOCS / "_extra"
EXTRA.mkdir(exist_ok=True)  # Sphinx looks for it before anything is written

html_theme = "furo"
html_title = "alignment_gym"
html_static_path = ["_static"]
html_extra_path = [EXTRA.name]
html_css_files = ["site.css"]
html_math_renderer = "mathml"
html_copy_source = False
html_show_sphinx = False
pygments_style = "a11y-high-contrast-light"
pygments_dark_style = "a11y-high-contrast-dark"
copybutton_exclude = ".linenos, .gp, .go"

linkcheck_ignore = [r"https?://"]  # listed, not fetched: the build needs no network
linkcheck_anchors = True


def skipped(_app, _what, _name, member, _skip, _options):
    """Leave out the fields of named tuples: the class tells them under its attributes."""
    return True if str(getattr(member, "__doc__", "")).startswith("Alias for field number") else None


def literal_bars(_app, _what, _name, _obj, _options, lines):
    """Keep bars in docstrings as they are, absolute values and the like; between two, reStructuredText substitutes."""
    for number, line in enumerate(lines):
        parts = line.split("`")  # every second part is code
        lines[number] = "`".join(part if code % 2 else part.replace("|", r"\|") for code, part in enumerate(parts))


def setup(app):
    """Bring the generated pages before sources are looked for."""
    app.connect("autodoc-skip-member", skipped)
    app.connect("autodoc-process-docstring", literal_bars)
    animations = os.environ.get("DOCS_ANIMATIONS", "1") != "0"
    app.connect("builder-inited", lambda _: write_site(ROOT, DOCS, animations))
