"""A figure to the bytes of a file, by matplotlib: PNG, SVG, PDF. The same figure gives the same bytes."""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING, Any, Final, assert_never

from ...grammar.screen import visible
from .describe import describe
from .draw_boxes import draw_boxes
from .draw_heatmap import draw_heatmap
from .draw_parallel import draw_parallel
from .draw_points import draw_points
from .figure import Boxes, Figure, Heatmap, Parallel, Points
from .style import RC

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

FORMATS: Final = ("svg", "png", "pdf")
INSTALL: Final = 'pip install "xpc[plot]"'
# No date and no version: what changes between two drawings is what was measured.
_METADATA: Final[dict[str, dict[str, Any]]] = {
    "svg": {"Date": None, "Creator": "xpc"},
    "png": {"Software": None},
    "pdf": {"CreationDate": None, "ModDate": None, "Creator": "xpc", "Producer": None},
}


class NoMatplotlibError(Exception):
    """Matplotlib is not installed; the text is the line that installs it."""

    def __init__(self) -> None:
        super().__init__(INSTALL)


def svg(figure: Figure) -> str:
    """Draw a figure as the text of an SVG file. Raises ``NoMatplotlibError``."""
    return draw(figure, "svg").decode("utf-8")


def draw(figure: Figure, format: str) -> bytes:
    """Draw a figure in one of ``FORMATS``. Raises ``NoMatplotlibError``."""
    try:
        from matplotlib import rc_context
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure as Canvas
    except ModuleNotFoundError as missing:
        raise NoMatplotlibError from missing
    written = io.BytesIO()
    with warnings.catch_warnings(), rc_context(dict(RC)):  # type: ignore[arg-type]  # the keys are matplotlib's own
        warnings.filterwarnings("ignore", "Glyph .* missing", UserWarning)  # an SVG has the text, a PNG a box
        canvas = Canvas()
        FigureCanvasAgg(canvas)
        _draw(figure, canvas)
        canvas.savefig(written, format=format, metadata=_metadata(figure, format), bbox_inches="tight", pad_inches=0.05)
    return written.getvalue()


def _metadata(figure: Figure, format: str) -> dict[str, Any]:
    """Give what a file says of itself: its title, what it shows, and what its errors are."""
    found = {"Title": visible(figure.title), "Subject" if format == "pdf" else "Description": visible(describe(figure))}
    return {**_METADATA[format], **{name: text for name, text in found.items() if text}}


def _draw(figure: Figure, canvas: Canvas) -> None:
    match figure:
        case Points():
            draw_points(figure, canvas)
        case Boxes():
            draw_boxes(figure, canvas)
        case Heatmap():
            draw_heatmap(figure, canvas)
        case Parallel():
            draw_parallel(figure, canvas)
        case _:
            assert_never(figure)
