"""What commands share."""

import pytest

from napari_shiftseg.embeddings.budget import memory_size
from napari_shiftseg.errors import ShiftSegError


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("2GB", 2 * 10**9),
        ("2 gb", 2 * 10**9),
        ("1.5GiB", 3 * 2**29),
        ("500MB", 5 * 10**8),
        (" 10kB ", 10_000),
        ("1TiB", 2**40),
        ("4096B", 4096),
    ],
)
def test_memory_is_read_with_its_unit(text, size):
    assert memory_size(text) == size


@pytest.mark.parametrize(
    "text", ["", "2", "GB", "-2GB", "0GB", "0.5B", "2 XB", "2iB", "1e9B", "1,5GB"]
)
def test_other_amounts_are_refused_in_one_line(text):
    with pytest.raises(ShiftSegError, match=r"legal: .* 500MB, 2GB or 1\.5GiB") as caught:
        memory_size(text)
    assert repr(text) in str(caught.value)
