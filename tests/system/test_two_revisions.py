"""Whatever can be compared of two revisions is, here of this one with itself."""

import pytest
from msgspec.structs import replace

from bench.against import COMPARISONS, Ratio, compare
from bench.figures import QUICK
from bench.sides import this_tree


@pytest.mark.slow
def test_both_sides_do_the_same_work_and_each_figure_has_its_ratios(tmp_path):
    size = replace(QUICK, requests=50, orders=50, comparison=300)

    comparisons = compare(list(COMPARISONS), this_tree(), this_tree(), tmp_path, pairs=1, size=size)

    figures = {each.name: each for each in comparisons}
    assert list(figures) == list(COMPARISONS)
    for figure in figures.values():
        assert figure.ratio == Ratio(*[pytest.approx(figure.ours / figure.theirs)] * 3, chance=0)
        assert figure.on_processor.median > 0
