"""How much of a tiled output is wrong, and through which of the three causes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
import torch
from torch import nn

from napari_shiftseg.embeddings.model import Model
from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.network_audit.audit import Audit
from napari_shiftseg.network_audit.freeze import frozen_subject
from napari_shiftseg.network_audit.given import audited, checked_image, rescaled
from napari_shiftseg.network_audit.shifts import spread_of
from napari_shiftseg.network_audit.subject import Subject, module_of
from napari_shiftseg.network_audit.tilers import TILERS
from napari_shiftseg.network_audit.windows import Windows, run_windows
from napari_shiftseg.tiles.geometry import Size, TilingGeometry, read_for
from napari_shiftseg.tiles.plan import Strip, by, corrected_tile, make_plan
from napari_shiftseg.tiles.tile import Region, whole_numbers

_Change = Callable[[Strip, TilingGeometry, int, int], Strip]

EXACT = 1e-4
"""Relative difference that rounding in single precision explains in a deep network."""

_MOST_WINDOWS = 6
"""Windows along an axis that show each cause; a small tile on a large image makes thousands."""


@dataclass(frozen=True)
class TilingError:
    """What one way of tiling makes of an image, against one pass over the whole of it.

    Differences are the largest of all pixels and channels, relative to the spread of the
    channel in the whole-image output: its largest distance from its mean, or a hundredth of its
    largest value if that is more. A channel that is 0 everywhere has no scale of its own, and
    takes the widest one.

    Parameters
    ----------
    strategy, typical_of
        How windows were laid, and a program known for it.
    windows
        How many.
    misaligned
        How many of them start at another phase of the period than the first one.
    total
        Difference of the network as it is.
    phase
        Difference that is left when windows read their full halo and statistics are frozen,
        away from the image's border.
    context
        Difference that is left when windows start in phase and statistics are frozen.
    statistics
        Difference that is left when windows start in phase and read their full halo.
    quantiles
        0.5, 0.9 and 0.99 quantile of the total difference over pixels.
    """

    strategy: str
    typical_of: str
    windows: int
    misaligned: int
    total: float
    phase: float
    context: float
    statistics: float
    quantiles: tuple[float, float, float]

    @property
    def exact(self) -> bool:
        """Whether the total is rounding."""
        return self.total <= EXACT


@dataclass(frozen=True, eq=False)
class Diagnosis:
    """What :func:`diagnose` returns.

    Parameters
    ----------
    network, sha256
        The network's class and the hash of its weights.
    image_size, window
        In pixels; the window is the corrected tile.
    others_window
        What other programs put out at a time, in pixels.
    corrected
        Tiles of n*P with the full halo, statistics left as they are.
    frozen
        The same with statistics frozen on this image; None if nothing needed freezing.
    others
        As the programs of the field would tile it.
    maps
        Per strategy the difference, largest over channels, ``(*spatial)`` float32.
    whole
        The network's output in one pass, ``(K, *spatial)``.

    References
    ----------
    Rumberger et al., ICCV 2021, Lemma 1, Sec. 2.2 (phase, context). Buglakova et al., Tiling
    artifacts and trade-offs of feature normalization, ICCV 2025.
    """

    network: str
    sha256: str
    image_size: Size
    window: Size
    others_window: Size
    corrected: TilingError
    frozen: TilingError | None
    others: tuple[TilingError, ...]
    maps: dict[str, np.ndarray]
    whole: np.ndarray

    @property
    def certified(self) -> bool:
        """Whether corrected tiling equals one pass, with statistics frozen if need be.

        They are frozen on the whole image, so that one pass of the frozen network is that of the
        network as it is.
        """
        return (self.frozen or self.corrected).exact

    def to_dict(self) -> dict[str, Any]:
        """Return all but the arrays as plain JSON values."""
        found = {n: value for n, value in vars(self).items() if n not in ("maps", "whole")}
        for name in ("corrected", "frozen"):
            found[name] = None if found[name] is None else asdict(found[name])
        return found | {
            "others": [asdict(error) for error in self.others],
            "certified": self.certified,
        }


@dataclass(frozen=True)
class StrategyDone:
    """Progress of :func:`diagnose_events`: an image was tiled in one more way.

    Parameters
    ----------
    done, total
        Ways of tiling, with the whole image as the first.
    strategy
        The last one.
    """

    done: int
    total: int
    strategy: str


def diagnose(
    module: nn.Module | Model, audit: Audit, image: Any, *, window: int | Size | None = None
) -> Diagnosis:
    """Tile a network over an image in every way, and measure each cause of seams alone.

    A cause is measured by switching the two others off: windows moved to the period's grid,
    windows read with the full halo, statistics frozen on the image.

    Parameters
    ----------
    module
        The network that was audited, in the same mode.
    audit
        Its audit; it must be tileable.
    image
        ``(C, *spatial)``, already normalised as the network needs it; anything that slices like
        an array. It is cut to a multiple of the period, and of the step of the network's input
        sizes.
    window
        What the other programs put out at a time, in pixels, rounded up to a size that the
        network puts out; corrected tiles are rounded to the period. By default the recommended
        tile, or as much as makes six windows along an axis if that is more, and less where
        the image has less than two and a half of them.

    Returns
    -------
    Diagnosis
        Errors and difference maps.

    Raises
    ------
    ShiftSegError
        If the network is not the audited one, cannot be tiled, its output has another scale, or
        the image does not fit it or is too small to hold several tiles.

    References
    ----------
    Rumberger et al., ICCV 2021, Lemma 1, Sec. 2.2 (phase, context). Buglakova et al., Tiling
    artifacts and trade-offs of feature normalization, ICCV 2025.
    """
    *_, last = diagnose_events(module, audit, image, window=window)
    assert isinstance(last, Diagnosis)
    return last


def diagnose_events(
    module: nn.Module | Model, audit: Audit, image: Any, *, window: int | Size | None = None
) -> Iterator[StrategyDone | Diagnosis]:
    """Do what :func:`diagnose` does; yield progress, and last the diagnosis."""
    scene = _Scene.of(module, audit, image)
    total = 2 + bool(audit.parts) + len(TILERS)
    tile, laid = _windows(audit, scene.size, window)
    yield StrategyDone(1, total, "whole")
    exact = Windows.of(make_plan(audit.geometry, scene.size, "corrected", tile=tile))
    corrected, difference = scene.error("corrected", "shiftseg", exact)
    maps = {"corrected": difference}
    yield StrategyDone(2, total, "corrected")
    frozen = None
    if audit.parts:
        frozen, maps["frozen"] = scene.frozen_scene.error("frozen", "shiftseg", exact)
        yield StrategyDone(3, total, "frozen")
    others: list[TilingError] = []
    for tiler in TILERS:
        windows = tiler.windows(scene.size, laid, audit.context)
        error, maps[tiler.name] = scene.error(tiler.name, tiler.typical_of, windows)
        others.append(error)
        yield StrategyDone(total - len(TILERS) + len(others), total, tiler.name)
    yield Diagnosis(
        audit.name,
        sha256_of(module_of(module)),
        scene.size,
        tile,
        laid,
        corrected,
        frozen,
        tuple(others),
        maps,
        scene.whole,
    )


def sha256_of(module: nn.Module) -> str:
    """Return the hash of a network's weights, in hexadecimal."""
    digest = hashlib.sha256()
    tensors = (item for item in module.state_dict().items() if isinstance(item[1], torch.Tensor))
    for name, tensor in sorted(tensors):
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy())
    return digest.hexdigest()


@dataclass(frozen=True)
class _Scene:
    """A network, live and frozen on the image, with its output in one pass."""

    live: Subject
    frozen: Subject
    audit: Audit
    image: np.ndarray
    whole: np.ndarray
    known: dict[Any, np.ndarray] = field(default_factory=dict)

    @classmethod
    def of(cls, network: nn.Module | Model, audit: Audit, image: Any) -> _Scene:
        module = audited(network, audit)
        if (why := rescaled(audit)) is not None:
            raise ShiftSegError(why)
        image = checked_image(image, audit)
        geometry = audit.geometry
        steps = geometry.input_step if geometry.padding == "same" else geometry.period
        cut = tuple(n // step * step for n, step in zip(image.shape[1:], steps, strict=True))
        if min(cut) == 0:
            raise ShiftSegError(
                f"the image is {by(image.shape[1:])} px; legal: at least {by(steps)} px"
            )
        image = np.array(image[(slice(None), *(slice(n) for n in cut))], np.float32)
        live = Subject.of(module, audit.ndim, audit.in_channels).copy()
        whole = run_windows(live, image, Windows.of(make_plan(geometry, cut, "whole")))
        frozen = live
        if audit.parts:
            reference = torch.from_numpy(image)[None].to(live.dtype)
            frozen, _ = frozen_subject(live, audit.parts, reference)
        return cls(live, frozen, audit, image, whole)

    @property
    def size(self) -> Size:
        """Size of the image in pixels."""
        return self.image.shape[1:]

    @property
    def frozen_scene(self) -> _Scene:
        """The scene of the frozen network, whose output on its reference is the same."""
        return _Scene(self.frozen, self.frozen, self.audit, self.image, self.whole)

    def error(self, name: str, typical: str, windows: Windows) -> tuple[TilingError, np.ndarray]:
        """Measure one way of tiling, in total and by cause."""
        geometry, period = self.audit.geometry, self.audit.geometry.period
        tiled = self._difference(self.live, windows)
        half, most, nearly_all = (float(np.quantile(tiled, q)) for q in (0.5, 0.9, 0.99))
        aligned = _mapped(windows, geometry, _in_phase)
        deep = _mapped(windows, geometry, _with_halo)
        statistics = 0.0
        if self.live is not self.frozen:
            both = _mapped(aligned, geometry, _with_halo)
            statistics = float(self._difference(self.live, both).max())
        error = TilingError(
            name,
            typical,
            len(windows),
            sum(_is_misaligned(window, period) for _, window, _, _ in windows),
            total=float(tiled.max()),
            phase=float(self._difference(self.frozen, deep)[self._inside].max(initial=0.0)),
            context=float(self._difference(self.frozen, aligned).max()),
            statistics=statistics,
            quantiles=(half, most, nearly_all),
        )
        return error, tiled.astype(np.float32)

    @property
    def _inside(self) -> Region:
        """Pixels that see no border of the image: there, a window out of phase has no halo."""
        geometry = self.audit.geometry
        rims = [r + p for r, p in zip(geometry.receptive_field, geometry.period, strict=True)]
        if geometry.padding == "valid" or any(
            2 * rim >= n for rim, n in zip(rims, self.size, strict=True)
        ):
            return (slice(None),) * self.audit.ndim
        return tuple(slice(rim, n - rim) for rim, n in zip(rims, self.size, strict=True))

    def _difference(self, subject: Subject, windows: Windows) -> np.ndarray:
        key = (id(subject), windows.strips, id(windows.shares))
        if key not in self.known:
            tiled = run_windows(subject, self.image, windows)
            difference = np.abs(tiled - self.whole) / _scales(self.whole)
            self.known[key] = difference.max(0)
        return self.known[key]


def _scales(whole: np.ndarray) -> np.ndarray:
    """Return what differences of each channel are divided by, ``(K, *1)``."""
    spread: np.ndarray = spread_of(torch.from_numpy(whole)[None])[0].numpy()
    dead = spread <= np.finfo(spread.dtype).tiny
    return np.where(dead, 1.0 if dead.all() else spread.max(), spread)


def _windows(audit: Audit, size: Size, window: int | Size | None) -> tuple[Size, Size]:
    """Return corrected tiles, and windows of other programs, which nothing is cropped from."""
    geometry = audit.geometry
    least = tuple(2 * period for period in geometry.period)
    if any(n < most for n, most in zip(size, least, strict=True)):
        raise ShiftSegError(
            f"the image is {by(size)} px in whole periods; legal: at least {by(least)} px"
        )
    if window is None:
        assert audit.recommended_tile is not None
        least = tuple(
            min(max(tile, n // _MOST_WINDOWS), int(n / 2.5))
            for tile, n in zip(audit.recommended_tile, size, strict=True)
        )
        window = corrected_tile(geometry, least)
    window = whole_numbers(window, audit.ndim, "the window")
    if any(2 * w > n or w < p for w, n, p in zip(window, size, geometry.period, strict=True)):
        raise ShiftSegError(
            f"windows of {by(window)} px on an image of {by(size)} px; legal: at least one "
            f"period, {by(geometry.period)} px, and at most half of the image"
        )
    return corrected_tile(geometry, window), geometry.natural_output(window)


def _is_misaligned(window: Region, period: Size) -> bool:
    return any(part.start % p for part, p in zip(window, period, strict=True))


def _mapped(windows: Windows, geometry: TilingGeometry, change: _Change) -> Windows:
    strips = tuple(
        change(strip, geometry, axis, windows.size[axis])
        for axis, strip in enumerate(windows.strips)
    )
    return replace(windows, strips=strips)


def _in_phase(strip: Strip, geometry: TilingGeometry, axis: int, size: int) -> Strip:
    """Enlarge windows so that each starts on the period's grid."""
    period, context = geometry.period[axis], geometry.context[axis]
    needed = [(start // period * period, stop) for start, stop in strip.window]
    if geometry.padding == "same":
        spans = tuple(geometry.enlarged(axis, size, *span) for span in needed)
    else:
        spans = tuple(
            (start, start + geometry.next_output_size(axis, stop - start)) for start, stop in needed
        )
    return Strip(tuple(read_for(*span, context) for span in spans), spans, strip.inner)


def _with_halo(strip: Strip, geometry: TilingGeometry, axis: int, size: int) -> Strip:
    """Enlarge windows by the receptive field where they read less, as far as the image goes.

    In whole periods, which keeps the phase of each.
    """
    if geometry.padding == "valid":
        return strip
    period, reach = geometry.period[axis], geometry.receptive_field[axis]
    halo = geometry.halo[axis] // period

    def deepened(window: tuple[int, int], kept: tuple[int, int]) -> tuple[int, int]:
        start, stop = window
        if start > max(0, kept[0] - reach):
            start -= min(halo, start // period) * period
        if stop < min(size, kept[1] + reach):
            stop += min(halo, (size - stop) // period) * period
        return geometry.enlarged(axis, size, start, stop)

    spans = tuple(map(deepened, strip.window, strip.inner))
    return Strip(spans, spans, strip.inner)
