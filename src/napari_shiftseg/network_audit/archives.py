"""ZIP archives of strangers: what is refused before a member is read."""

from __future__ import annotations

import zipfile

from napari_shiftseg.errors import ShiftSegError

_LARGE, _DENSEST = 2**26, 50
"""A file of more bytes than the one, squeezed to less than a fiftieth, is no file of weights."""


def refuse_twins(archive: zipfile.ZipFile, name: str) -> None:
    """Refuse two members of one name: another reader may take the one that was not looked at.

    That of torch also finds a name whose letters are of the other case.
    """
    members = [member.lower() for member in archive.namelist()]
    if len(set(members)) < len(members):
        raise ShiftSegError(f"{name} is not a recorded network: it holds a file twice")


def refuse_bomb(member: zipfile.ZipInfo, package: str) -> None:
    """Refuse a file that claims far more bytes than weights can be squeezed from."""
    if member.file_size > _LARGE and member.file_size > _DENSEST * member.compress_size:
        raise ShiftSegError(
            f"{member.filename} in {package} claims {member.file_size / 1e9:.1f} GB in "
            f"{member.compress_size / 1e6:.1f} MB, which no weights do; it is not read"
        )
