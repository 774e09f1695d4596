"""Formulas as MathML, made when the site is built: no script renders them and nothing is fetched."""

from docutils import nodes
from latex2mathml.converter import convert


def _inline(translator, node):
    translator.body.append(convert(node.astext()))
    raise nodes.SkipNode


def _block(translator, node):
    translator.body.append('<div class="formula">' + convert(node.astext(), display="block") + "</div>\n")
    raise nodes.SkipNode


def setup(app):
    """Enter the renderer under its name."""
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
