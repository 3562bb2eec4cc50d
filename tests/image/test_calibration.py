import pytest

from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.image.calibration import Calibration
from napari_shiftseg.image.units import unit_name


def test_what_is_not_given_is_one_pixel():
    expected = Calibration("zyx", (1, 1, 1), ("pixel",) * 3, (0, 0, 0))
    assert Calibration.of("ZYX") == expected


@pytest.mark.parametrize(
    ("spelling", "name"),
    [
        ("µm", "micrometer"),
        ("μm", "micrometer"),
        ("\\u00B5m", "micrometer"),
        ("um", "micrometer"),
        (" Micron", "micrometer"),
        ("nm", "nanometer"),
        ("sec", "second"),
        ("d", "day"),
        ("micrometer", "micrometer"),
        ("furlong", "pixel"),
        (None, "pixel"),
    ],
)
def test_units_get_their_full_names(spelling, name):
    assert unit_name(spelling) == name


@pytest.mark.parametrize(
    ("axes", "known"),
    [
        ("tczyx", "tczyx"),
        ("yxs", "yxs"),
        ("qyx", None),
        ("zzyx", None),
        ("qyxs", "pyxs"),
        ("qqyxs", "pqyxs"),
    ],
)
def test_axes_are_known_if_each_is(axes, known):
    assert Calibration.of(axes).known_axes == known


def test_an_axis_is_dropped_with_all_its_values():
    calibration = Calibration.of("cyx", (9, 2, 3), ("pixel", "nm", "um"), (8, 4, 5))
    expected = Calibration.of("yx", (2, 3), ("nm", "um"), (4, 5))
    assert calibration.without("c") == calibration.without("c").without("t") == expected


def test_lengths_are_measured_in_one_unit():
    mixed = Calibration.of("tzyx", (9, 2, 5, 5), ("s", "um", "nm", "nm"), (1, 2, 3, 4))
    one = Calibration.of("tzyx", (9, 2000, 5, 5), ("s", "nm", "nm", "nm"), (1, 2000, 3, 4))
    assert mixed.in_one_unit() == one
    unknown = Calibration.of("zyx", (2, 5, 5), ("pixel", "nm", "nm"))
    assert unknown.in_one_unit() == unknown


def test_a_second_channel_axis_is_one_of_unknown_kind():
    assert Calibration.of("tcyx").with_channels().axes == "ctpyx"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"scale": (1,)}, r"scale is \(1,\); legal: 2 values, one for each of 'yx'"),
        ({"units": ("nm",) * 3}, "legal: 2 values"),
        ({"translate": ()}, "legal: 2 values"),
        ({"scale": (0, 1)}, "legal: positive numbers"),
        ({"scale": (float("nan"), 1)}, "legal: positive numbers"),
    ],
)
def test_values_that_do_not_fit_are_refused(values, message):
    with pytest.raises(ShiftSegError, match=message):
        Calibration.of("yx", **values)


def test_axes_of_another_kind_forget_what_they_were_measured_in():
    stack = Calibration.of("zyx", (0.5, 0.2, 0.2), ["micrometer"] * 3, (9.0, 1.0, 2.0))
    times = stack.called("tyx")
    assert (times.scale, times.units) == ((1, 0.2, 0.2), ("pixel", "micrometer", "micrometer"))
    assert times.translate == (0, 1, 2)
    assert stack.called("yzx").units == ("micrometer",) * 3
    assert (
        Calibration.of("tyx", (3, 1, 1), ["second", "pixel", "pixel"]).called("zyx").scale[0] == 1
    )
    assert Calibration.of("qyx", (3, 1, 1)).called("zyx").scale[0] == 3
