"""Axes that show themselves, and what all plots share. Imports matplotlib, so that it is imported late."""

from __future__ import annotations

import io
from typing import Any

try:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch, Rectangle
except ImportError as error:
    raise ImportError("fluidbatch.plot draws with matplotlib (Debian: python3-matplotlib)") from error

__all__ = ["Patch", "Rectangle", "ShownAxes", "grid", "legend_beside", "new_axes"]


class ShownAxes(Axes):  # type: ignore[misc]  # matplotlib has no types
    """Axes that a notebook shows as a picture where they are the last thing in a cell. Their figure is nobody's but
    theirs: pyplot does not know it, and it goes when they go."""

    def _repr_png_(self) -> bytes:
        picture = io.BytesIO()
        self.figure.savefig(picture, format="png", dpi=110, bbox_inches="tight")
        return picture.getvalue()


def new_axes(width: float, height: float) -> Any:
    """Axes in a figure of their own, of so many inches."""
    return Figure(figsize=(width, height)).add_subplot(axes_class=ShownAxes)


def grid(ax: Any) -> None:
    """A grid that stays behind what is drawn."""
    ax.grid(True, color="#dddddd", linewidth=0.6)
    ax.set_axisbelow(True)


def legend_beside(ax: Any, handles: Any = None) -> None:
    """A legend at the right, where it hides nothing."""
    given = {} if handles is None else {"handles": handles}
    ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), frameon=False, borderaxespad=0.0, **given)
