"""All that is said of a study, from its records and its provenance alone."""

from collections.abc import Sequence
from pathlib import Path

from alignment_gym.core.files import write_text
from alignment_gym.experiments.collected import Trouble, write_records
from alignment_gym.experiments.provenance import Provenance
from alignment_gym.reports.markdown import page
from alignment_gym.reports.study.aggregates import write_aggregates
from alignment_gym.reports.study.details import details_text
from alignment_gym.reports.study.drawn import Drawn, write_data, write_drawn
from alignment_gym.reports.study.figures import FIGURES
from alignment_gym.reports.study.generalisation import write_generalisation
from alignment_gym.reports.study.html import write_page
from alignment_gym.reports.study.paper import write_paper
from alignment_gym.reports.study.plateau import plateau
from alignment_gym.reports.study.pressure import write_pressure
from alignment_gym.reports.study.summary import summary
from alignment_gym.reports.tables import Record, write_tables

FORMATS = (".svg", ".pdf")


def write_report(
    records: Sequence[Record], troubles: Sequence[Trouble], provenance: Provenance, study: str, out: Path
) -> list[Path]:
    """Write records, tables, figures, what a paper takes, and `index.html`.

    Runs that were tested on other levels have a part of their own, below `generalisation/` where there are others too.

    Args:
        records: the runs, at least one.
        troubles: runs without a usable result; their folders are shown as they are.
        provenance: what made the runs.
        study: its name.
        out: the report's folder.

    Raises:
        UnwritablePath: nothing can be written there.
    """
    tested = [record for record in records if "test" in record]
    plain = [record for record in records if "test" not in record]
    written = write_records(records, out)
    figures = [drawn for drawn in (draw(plain) for draw in FIGURES.values()) if drawn is not None] if plain else []
    if plain:
        written += [*write_tables(plain, out), *_write_summary(plain, out), *_write_figures(figures, out / "figures")]
        written += [*write_pressure(plain, out / "figures"), *write_aggregates(plain, out)]
        written += write_paper(plain, provenance, out)
    if tested:
        written += write_generalisation(tested, out / "generalisation" if plain else out)
    details = details_text(records, provenance)
    return [*written, *write_page(records, troubles, study, out, written, figures, details)]


def _write_summary(records: Sequence[Record], out: Path) -> list[Path]:
    resting = plateau(records)
    heading = "Own score at the end of training less that at two thirds of it" if resting else ""
    write_text(out / "summary.md", page(summary(records), heading, resting))
    return [out / "summary.md"]


def _write_figures(figures: Sequence[Drawn], out: Path) -> list[Path]:
    out.mkdir(parents=True, exist_ok=True)
    stems = [(drawn, out / drawn.name) for drawn in figures]
    pictures = [write_drawn(drawn, stem.with_suffix(suffix)) for drawn, stem in stems for suffix in FORMATS]
    return [*pictures, *(write_data(drawn, stem.with_suffix(".csv")) for drawn, stem in stems)]
