"""Figures, with matplotlib: what was exploited against what was lost, severity, and how hacking falls with depth."""

from collections.abc import Callable, Sequence
from pathlib import Path
from textwrap import wrap
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import FigureCanvasPdf
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from alignment_gym.core.files import replacing

COLOURS = {"proxy": "#D55E00", "true": "#0072B2"}  # Okabe and Ito
WORDS = {"proxy": "paid the proxy", "true": "paid what was meant"}
MARKERS = "os^Dv<>P"
PLANE = ("exploitation", "true_loss")
SEVERITY = ("proxy_score", "true_score")
RULE = "#999999"
HACKS = "#F4E3D7"
ABREAST = 4  # panels
LETTERS = 16  # of small print, an inch
PNG_DPI = 200
STYLE: dict[Any, Any] = {
    "svg.hashsalt": "alignment_gym",
    "svg.fonttype": "none",
    "font.size": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
}
PRINTERS: dict[str, Callable[[Figure, Path], None]] = {  # without dates, so that equal figures are equal files
    ".svg": lambda figure, path: FigureCanvasSVG(figure).print_svg(str(path), metadata={"Date": None}),  # type: ignore[no-untyped-call]
    ".png": lambda figure, path: FigureCanvasAgg(figure).print_png(str(path), metadata={"Software": None}),  # type: ignore[no-untyped-call]
    ".pdf": lambda figure, path: FigureCanvasPdf(figure).print_pdf(str(path), metadata={"CreationDate": None}),  # type: ignore[no-untyped-call]
}


def grid(count: int, height: float = 2.2) -> tuple[Figure, list[Axes]]:
    """Return a figure of so many panels, four abreast, each so many inches high."""
    rows, columns = -(-count // ABREAST), min(count, ABREAST)
    figure = Figure(figsize=(2.4 * columns, 0.4 + height * rows), layout="constrained")
    panels: Any = list(figure.subplots(rows, columns, squeeze=False).flat)
    for axes in panels[count:]:
        axes.set_axis_off()
    return figure, panels[:count]


def legend(figure: Figure, panels: Sequence[Axes], columns: int, note: str = "") -> None:
    """Say below all panels what is drawn in any of them, each once, under a note in small print."""
    named = {label: handle for axes in panels for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)}
    words = "\n".join(wrap(note, int(figure.get_figwidth() * LETTERS)))
    figure.legend(
        list(named.values()),
        list(named),
        loc="outside lower center",
        ncols=min(columns, len(panels), ABREAST),  # no wider than the panels
        frameon=False,
        title=words or None,
        title_fontsize="small",
    )


def save_figure(figure: Figure, stem: Path) -> list[Path]:
    """Write SVG and PNG without dates, so that equal figures are equal files."""
    paths = [stem.with_suffix(".svg"), stem.with_suffix(".png")]
    for path in paths:
        if path.suffix == ".png":
            figure.set_dpi(PNG_DPI)
        with replacing(path) as temporary:
            PRINTERS[path.suffix](figure, temporary)
    return paths
