from napari_shiftseg.wording import counted, p_value


def test_counts_have_their_noun():
    assert [counted(n, "seam") for n in (0, 1, 2)] == ["0 seams", "1 seam", "2 seams"]
    assert counted(0, "seam", none="no") == "no seams"


def test_a_p_value_below_all_floats_is_a_bound():
    assert [p_value(p) for p in (0.04123, 3e-20, 0.0)] == ["p = 0.041", "p = 3e-20", "p < 1e-300"]
