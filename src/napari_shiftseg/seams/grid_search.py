"""Find the tile grid that cut finished labels, from the positions of straight cuts alone.

No model, image or ground truth is asked. What is looked at are objects with a flat side:
two that touch along a straight line, and single ones that end at one. Natural objects have
some, anywhere; those that seams have cut have them on the lines of a grid.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, factorial, gammaln, xlog1py, xlogy

from napari_shiftseg.seams.changes import possible_lines
from napari_shiftseg.seams.contacts import Contacts
from napari_shiftseg.seams.followed import drifts, followed
from napari_shiftseg.seams.outlines import SHORTEST, Outlines

SIGNIFICANT = 0.01
"""p-value up to which a grid is called found."""

SMALLEST_TILE = 8
LARGEST_TILE = 4096

STRAIGHT = 0.8
"""Share of a pair's contact that must lie on one line."""

_MARGIN = 3
"""Pixels from the image's border, and of single objects from the outermost labels, up to which a
straight side is the border's doing: masks are often wiped clean along it."""

_SHARED = 10
"""How much likelier two axes are to share a grid than to have one each."""

_SQUARE = 0.05
"""p-value up to which the grid of one axis of an image is taken for that of the other, too."""


Axes = tuple[int, ...]


@dataclass(frozen=True)
class Grid:
    """Lines at ``offset + k * tile`` along one or several axes.

    Parameters
    ----------
    axes
        The axes that have these lines.
    tile, offset
        In pixels.
    log_p
        Logarithm of the probability of at least as good a grid, any tile size and offset, in
        labels whose straight sides lie anywhere (binomial, corrected for all grids that were
        tried). Of many cuts the probability itself is too small for a number.
    """

    axes: Axes
    tile: int
    offset: int
    log_p: float

    @property
    def p_value(self) -> float:
        """The probability; 0 if it is too small for a number."""
        return float(np.exp(self.log_p))


@dataclass(frozen=True)
class Sides:
    """Positions of straight sides along one axis.

    Parameters
    ----------
    pairs : (n,) int64
        Of pairs of objects that touch along a straight line.
    single : (m,) int64
        Of objects that end at a straight line without touching another one there.
    size
        Pixels of the image along the axis.
    possible
        Where those of pairs, and those of single objects, can lie.
    """

    pairs: NDArray[np.int64]
    single: NDArray[np.int64]
    size: int
    possible: tuple[NDArray[np.int64], NDArray[np.int64]]


def find_grids(outlines: Sequence[Outlines], *, significant: float = SIGNIFICANT) -> list[Grid]:
    """Find the grid of each axis.

    Parameters
    ----------
    outlines
        Of the labels; or of each frame of a series, all of which one grid has cut.
    significant
        p-value up to which a grid is reported.

    Returns
    -------
    list of Grid
        One for all axes, or one for some; axes without a grid are in none. Of all ways to
        share grids among axes, that which explains the cuts of all of them best.
    """
    together = drifts([frame.places for frame in outlines])
    sides = straight_sides(outlines, together)
    best = _best_of_each(sides)

    def joint(groups: tuple[Axes, ...]) -> float:
        """Log-probability of all grids together; what they share speaks for each."""
        evidence = np.array([sum(best[group].evidence for group in groups)])
        tests = sum(_tests(sides[axis]) for group in groups for axis in group)
        tried = sum(best[group].tried for group in groups)
        return float(_fisher(evidence, tests)[0] + tried + (len(groups) - 1) * np.log(_SHARED))

    plausible = [g for g, one in best.items() if one.grid.log_p <= np.log(significant)]
    found = [best[group].grid for group in min(_disjoint(plausible), key=joint, default=())]
    single = len(found) == 1 and len(found[0].axes) == 1
    if single and len(sides) == 2 and _continues(outlines, together, found[0]):
        return [replace(found[0], axes=(0, 1))]
    return found


def _continues(outlines: Sequence[Outlines], together: NDArray[np.float64], grid: Grid) -> bool:
    """Tell whether the other axis has its few cuts on the same lines: most tiles are square.

    Of a single grid that is asked about, contacts of one pixel tell something, too. Objects
    that end straight do so only where no pair is to be had: most of them are natural.
    """
    other = 1 - grid.axes[0]
    sides = straight_sides(outlines, together, shortest=1)[other]
    if grid.tile >= sides.size:
        return False
    if len(sides.pairs):
        sides = replace(sides, single=sides.single[:0])
    return bool(_evidence(sides, grid.tile)[grid.offset] <= np.log(_SQUARE))


def straight_sides(
    outlines: Sequence[Outlines], together: NDArray[np.float64], shortest: int = SHORTEST
) -> list[Sides]:
    """Collect the straight sides of all objects, per axis; of pairs those of so many pixels.

    All objects move ``together`` from each frame to the next, see :func:`drifts`.

    Of a series, what is followed from frame to frame counts once, at the line where it is
    most often: that of a cut stays, the others move with their objects.
    """
    pairs = [straight_pairs(frame.contacts, shortest) for frame in outlines]
    result = []
    for axis, size in enumerate(outlines[0].shape):
        touching = [np.delete(table[table[:, 0] == axis], (0, 2, 3, 4), 1) for table in pairs]
        ending = [_ending(frame, axis) for frame in outlines]
        changes = np.unique(np.concatenate([frame.changes[axis] for frame in outlines]))
        possible = possible_lines(changes, size, _MARGIN)
        positions, single = (
            places[np.isin(places, lines)]
            for places, lines in zip(
                (followed(sides, together) for sides in (touching, ending)), possible, strict=True
            )
        )
        result.append(Sides(positions, single[~np.isin(single, positions)], size, possible))
    return result


def _ending(outlines: Outlines, axis: int) -> NDArray[np.int64]:
    """Return line and centre of each flat side along an axis."""
    places = [(side.line, *side.position) for side in outlines.flat if side.axis == axis]
    return np.array(places, np.int64).reshape(-1, 1 + len(outlines.shape))


def straight_pairs(contacts: Contacts, shortest: int = SHORTEST) -> NDArray[np.int64]:
    """Find the pairs of objects that touch along one straight line of so many pixels.

    Returns
    -------
    (n, 5 + d) int64
        Axis, position, the two labels, pixels of contact on the line, and their centre.
    """
    ndim = contacts.places.shape[1]
    if len(contacts) == 0:
        return np.zeros((0, 5 + ndim), np.int64)
    unique, pair = np.unique(contacts.pairs, axis=0, return_inverse=True)
    pair = pair.ravel()
    every = np.bincount(pair)
    lines, line, length = np.unique(
        np.stack([pair, contacts.axis, contacts.position], axis=1),
        axis=0,
        return_inverse=True,
        return_counts=True,
    )
    of, line = lines[:, 0], line.ravel()
    summed = (np.bincount(line, contacts.places[:, axis]) for axis in range(ndim))
    centre = [(total / length).astype(np.int64) for total in summed]
    straight = (length >= STRAIGHT * every[of]) & (length >= shortest)
    columns = (lines[:, 1], lines[:, 2], unique[of, 0], unique[of, 1], length, *centre)
    table: NDArray[np.int64] = np.stack(columns, axis=1)[straight]
    return table


@dataclass(frozen=True)
class _Candidate:
    """The best grid of some axes.

    Parameters
    ----------
    grid
        Its lines.
    evidence
        Log-probability of the sides that lie on them, of all kinds together.
    tried
        Logarithm of how many grids were tried, by their prior; 0 for no grid.
    """

    grid: Grid
    evidence: float
    tried: float


def _best_of_each(sides: list[Sides]) -> dict[Axes, _Candidate]:
    """Try every tile size and offset for every group of axes.

    Half of the prior goes to grids that start at 0. The evidence of axes and of both kinds of
    sides is combined by Fisher's method, so that an axis without cuts along these lines speaks
    against them.
    """
    axes = range(len(sides))
    groups = [group for n in range(1, len(sides) + 1) for group in combinations(axes, n)]
    largest = {g: min(LARGEST_TILE, max(sides[a].size for a in g) - 1) for g in groups}
    best = {group: _Candidate(Grid(group, 0, 0, 0.0), 0.0, 0.0) for group in groups}
    tests = [_tests(side) for side in sides]
    for tile in range(SMALLEST_TILE, max(largest.values()) + 1):
        evidence = [_evidence(side, tile) for side in sides]
        for group in groups:
            count = sum(tests[axis] for axis in group)
            if count == 0 or tile > largest[group]:
                continue
            tried = np.log(2 * (largest[group] + 1 - SMALLEST_TILE)) + np.where(
                np.arange(tile) == 0, 0, np.log(tile)
            )
            log_p = np.sum([evidence[axis] for axis in group], axis=0)
            corrected = _fisher(log_p, count) + tried
            offset = int(corrected.argmin())
            if corrected[offset] < best[group].grid.log_p:
                grid = Grid(group, tile, offset, float(corrected[offset]))
                best[group] = _Candidate(grid, float(log_p[offset]), float(tried[offset]))
    return best


def _disjoint(groups: Sequence[Axes]) -> Iterator[tuple[Axes, ...]]:
    """Yield every choice of groups that share no axis, at least one."""
    for count in range(1, len(groups) + 1):
        for chosen in combinations(groups, count):
            axes = [axis for group in chosen for axis in group]
            if len(axes) == len(set(axes)):
                yield chosen


def _tests(side: Sides) -> int:
    """Count the kinds of sides that there are."""
    return sum(len(positions) > 0 for positions in (side.pairs, side.single))


def _evidence(side: Sides, tile: int) -> NDArray[np.float64]:
    """Sum the log-probabilities of both kinds of sides for every offset."""
    log_p = np.zeros(tile)
    for positions, lines in zip((side.pairs, side.single), side.possible, strict=True):
        if len(positions):
            chance = np.bincount(lines % tile, minlength=tile) / len(lines)
            hits = np.bincount(positions % tile, minlength=tile)
            log_p += _surprise(hits, len(positions), chance)
    return log_p


def _fisher(log_p: NDArray[np.float64], tests: int) -> NDArray[np.float64]:
    """Log-probability that as many p-values have so small a product: chi-squared, in logs."""
    powers = np.arange(tests)
    terms = (-log_p[:, None]) ** powers / factorial(powers)
    combined: NDArray[np.float64] = log_p + np.log(terms.sum(axis=1))
    return combined


def _surprise(
    hits: NDArray[np.int64], total: int, chance: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Log-probability of at least as many hits; 0 where there are none."""
    log_p = np.zeros(len(hits))
    some = hits > 0
    h, p = hits[some], np.minimum(chance[some], 1.0)
    tail = betainc(h, total - h + 1, p)
    log_choices = gammaln(total + 1) - gammaln(h + 1) - gammaln(total - h + 1)
    first = log_choices + xlogy(h, p) + xlog1py(total - h, -p)
    with np.errstate(divide="ignore"):
        # Where the tail is too small for a double, its first term is most of it.
        log_p[some] = np.where(tail > 0, np.log(tail), first)
    return log_p
