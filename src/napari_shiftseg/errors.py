"""The one exception that a user of shiftseg is meant to see, and the first line of others."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager


class ShiftSegError(ValueError):
    """Bad input, said in one line: what was given, what is legal, what is nearest.

    The command line prints the message and exits with code 2; the napari widgets
    show it as a notification. Anything else that escapes is a defect.
    """


class ShiftSegWarning(UserWarning):
    """A result can be computed, but the user should know what is wrong with it."""


class DeviceError(ShiftSegError):
    """The computing device failed, for lack of memory most often."""


class UntrustedCode(ShiftSegError):
    """What was to be loaded would run code, and nobody has said yet that it may.

    The message ends without a remedy: each surface asks in its own way. In Python that is
    ``trust_code=True``.
    """


@contextmanager
def hearing() -> Iterator[list[str]]:
    """Gather what is warned of instead of showing it; the list is filled at the end."""
    heard: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ShiftSegWarning)
        yield heard
    heard += [str(each.message) for each in caught if issubclass(each.category, ShiftSegWarning)]


def first_line(error: BaseException) -> str:
    """Return the first line of an error's message, or its kind if it has none."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
