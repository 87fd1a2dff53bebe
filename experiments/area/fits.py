"""What one more DSP costs: fits to counts of small engines, and what they say of larger ones.

An engine <T_R, T_P, T_C> has T_P T_C DSPs. Its cells are those of walks, banks and control, and those of T_C processing
elements (PEs): a part that is there once in each (accumulator, shift, queue), and a part for each multiplier (adder,
weights).

    cells of K_MAX = 1 = a + b T_P + (c + d T_P) T_C
    a larger K_MAX adds  A + B T_P + C T_C

Along T_C that is a line, whose slope over T_P is what one more DSP costs. Stacking has no term of T_P T_C: what it adds
that is T_P words wide, multiplexers at the banks and before PEs, is shared by PEs.
"""

import numpy as np


def line(points):
    """Least squares through [(x, y)]: intercept, slope, and the largest residual's absolute value."""
    count = len(points)
    mean_x, mean_y = sum(x for x, _ in points) / count, sum(y for _, y in points) / count
    slope = sum((x - mean_x) * (y - mean_y) for x, y in points) / sum((x - mean_x) ** 2 for x, _ in points)
    intercept = mean_y - slope * mean_x
    return intercept, slope, max(abs(y - intercept - slope * x) for x, y in points)


def along_columns(engines, t_p, k_max, cells="luts"):
    """The line of cells over DSPs along T_C, of the engines of one T_P and K_MAX."""
    return line([(e["dsps"], e[cells]) for e in engines if (e["t_p"], e["k_max"]) == (t_p, k_max)])


class Sizes:
    """The two formulas above, fitted by least squares to engines that are there with every K_MAX."""

    def __init__(self, engines, cells="luts"):
        counts = {(e["t_p"], e["t_c"], e["k_max"]): e[cells] for e in engines}
        shapes = sorted({key[:2] for key in counts})
        single = [counts[*shape, 1] for shape in shapes]
        self.residuals = {}
        self.single = self._fit(1, [[1, p, c, p * c] for p, c in shapes], single)
        self.added = {}
        for k_max in sorted({key[2] for key in counts} - {1}):
            more = [counts[*shape, k_max] - one for shape, one in zip(shapes, single)]
            self.added[k_max] = self._fit(k_max, [[1, p, c] for p, c in shapes], more)

    def _fit(self, k_max, terms, values):
        found = np.linalg.lstsq(np.array(terms, float), np.array(values, float), rcond=None)[0]
        self.residuals[k_max] = float(np.abs(np.array(terms) @ found - values).max())
        return [float(value) for value in found]

    def cells(self, t_p, t_c, k_max):
        """Cells of an engine."""
        a, b, c, d = self.single
        more = self.added.get(k_max, (0, 0, 0))
        return a + b * t_p + (c + d * t_p) * t_c + more[0] + more[1] * t_p + more[2] * t_c

    def further_dsp(self, t_p, k_max):
        """Cells of one more DSP along T_C."""
        return (self.single[2] + self.single[3] * t_p + self.added.get(k_max, (0, 0, 0))[2]) / t_p
