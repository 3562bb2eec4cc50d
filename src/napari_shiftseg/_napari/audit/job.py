"""An audit and a comparison of tilings as runs in a thread: they read no widgets."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from napari_shiftseg._napari.audit.scene import Scene
from napari_shiftseg._napari.events import Progress
from napari_shiftseg.errors import UntrustedCode
from napari_shiftseg.image.axes import Frames
from napari_shiftseg.network_audit.audit import Audit
from napari_shiftseg.network_audit.audit import audit as audit_network
from napari_shiftseg.network_audit.causes import (
    Diagnosis,
    StrategyDone,
    TilingError,
    diagnose_events,
)
from napari_shiftseg.network_audit.curves import Curves, Response, ShiftCurve
from napari_shiftseg.network_audit.foreign import Foreign, is_shiftseg_model, load_foreign


class _Stopped(BaseException):
    """A network was told to stop; not an Exception, which probes take for a refused size."""


@dataclass
class Work:
    """What a run and the window both know: how far it is, and whether it is still wanted."""

    stop: Event = field(default_factory=Event)
    passes: int = 0


@dataclass(frozen=True)
class Asked:
    """A network to audit.

    Parameters
    ----------
    source
        Name of a bundled model, a path, or Python code as ``package.module:factory``.
    name
        For people.
    ndim, in_channels
        Of its input, used where the file does not say.
    weights
        State dict for what Python code makes; empty for none.
    trusted
        Whether its code may be run.
    """

    source: str
    name: str
    ndim: int = 2
    in_channels: int = 1
    weights: str = ""
    trusted: bool = False

    @property
    def is_ours(self) -> bool:
        """Whether it is a model of this package's format, whose channels are known."""
        return is_shiftseg_model(self.source)


@dataclass(frozen=True)
class Untrusted:
    """A network that could not be audited without running code.

    Parameters
    ----------
    asked
        What was asked for.
    why
        Whose code, and what it could do.
    """

    asked: Asked
    why: str


@dataclass(frozen=True)
class Audited:
    """A finished audit.

    Parameters
    ----------
    asked
        What was asked for.
    foreign
        The network.
    audit
        What was found.
    shifts, responses
        For the plots.
    """

    asked: Asked
    foreign: Foreign
    audit: Audit
    shifts: tuple[ShiftCurve, ...]
    responses: tuple[Response, ...]


@dataclass(frozen=True)
class Tiled:
    """A finished comparison of tilings.

    Parameters
    ----------
    audited
        The network.
    scene
        The image.
    diagnosis
        Errors by strategy and cause.
    """

    audited: Audited
    scene: Scene
    diagnosis: Diagnosis

    @property
    def rows(self) -> tuple[TilingError, ...]:
        """All strategies: ours first."""
        found = self.diagnosis
        frozen = () if found.frozen is None else (found.frozen,)
        return (found.corrected, *frozen, *found.others)

    def difference(self, number: int) -> NDArray[np.float32]:
        """Return the difference map of a row, with one pixel on each axis of frames."""
        pixels = self.diagnosis.maps[self.rows[number].strategy]
        return pixels.reshape((1,) * len(self.scene.frame) + pixels.shape)

    def certificate(self) -> str:
        """Return audit and tilings as JSON."""
        values = {"model": self.audited.asked.name} | self.audited.audit.to_dict()
        values |= {"image": self.scene.title, "tilings": self.diagnosis.to_dict()}
        return json.dumps(values, indent=2)


def audit_run(asked: Asked, work: Work) -> Iterator[Progress | Audited | Untrusted]:
    """Load and audit; yield what is being done, and last what was found."""
    yield Progress(0, "Loading the network")
    try:
        found = load_foreign(asked.source, weights=asked.weights or None, trust_code=asked.trusted)
    except UntrustedCode as error:
        yield Untrusted(asked, str(error))
        return
    yield Progress(0.05, "Measuring the network")
    axes = found.ndim or asked.ndim
    with watched(found.module, work):
        audit = audit_network(
            found.module, ndim=axes, in_channels=found.in_channels or asked.in_channels
        )
        yield Progress(0.6, "Shifting images")
        curves = Curves(found.module, audit)
        shifts = []
        for axis in range(axes):
            shifts.append(curves.shifts(axis))
            yield Progress(
                0.6 + 0.3 * (axis + 1) / axes, f"Shifting images, axis {'zyx'[-axes:][axis]}"
            )
        responses = curves.responses()
        yield Audited(asked, found, audit, tuple(shifts), responses)


def tilings_run(audited: Audited, scene: Scene, work: Work) -> Iterator[Progress | Tiled]:
    """Tile an image in every way."""
    yield Progress(0, "Reading the image")
    audit, found = audited.audit, audited.foreign
    pixels = pixels_for(audited, scene)
    yield Progress(0.05, "Tiling the image in every way")
    with watched(found.module, work):
        for event in diagnose_events(found.module, audit, pixels):
            if isinstance(event, StrategyDone):
                share = 0.05 + 0.95 * event.done / event.total
                yield Progress(share, f"Tiling the image in every way: {event.strategy} done")
            else:
                yield Tiled(audited, scene, event)


def pixels_for(audited: Audited, scene: Scene) -> NDArray[np.float32]:
    """Read a scene as its network needs it: ``(C, *spatial)``."""
    audit = audited.audit
    frames = Frames.of(
        scene.pixels, ndim=audit.ndim, in_channels=audit.in_channels, axes=scene.axes
    )
    frame = frames.frame(scene.frame)
    scaling = audited.foreign.scaled(scene.intensity).measure(frames.alike(scene.frame)[1])
    return scaling(np.asarray(frame[(slice(None), *scene.region)]))


@contextmanager
def watched(module: torch.nn.Module, work: Work) -> Iterator[None]:
    """Count the passes of a network, and leave when they are not wanted any more.

    Copies of the network are watched too, but not those of recorded ones: these run to their
    end, and what they find is dropped.
    """

    # A function, which is the same in a copy; an object with an event cannot be copied.
    def watch(*_: Any) -> None:
        work.passes += 1
        if work.stop.is_set():
            raise _Stopped

    if isinstance(module, torch.jit.ScriptModule):
        yield
        return
    handle = module.register_forward_pre_hook(watch)
    try:
        yield
    except _Stopped:
        pass  # what is left of the run is in the block
    finally:
        handle.remove()
