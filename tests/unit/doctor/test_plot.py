"""The drawing of a measurement."""

import pytest
from lxml import etree
from unit.doctor.conftest import measured

from s3kit.doctor.plot import HEIGHT, drawing, height, nice


def test_the_drawing():
    """Is XML, has every step and the knee, and what a bucket is called acts on nothing."""
    speed = measured({(1, 1): 100, (1, 2): 200, (2, 2): 50})
    root = etree.fromstring(drawing("s3://<b>&", speed.done, speed.done[1]))
    words = "|".join(root.itertext())
    assert "s3://<b>&" in words and "knee" in words and all(step in words
                                                            for step in ("1 x 1", "1 x 2", "2 x 2"))
    for path in root.iter("{*}path"):
        points = [tuple(map(float, point.split()))
                  for point in path.get("d").removeprefix("M ").split(" L ")]
        assert len(points) == 3 and all(0 <= x <= 720 and 0 <= y <= 400 for x, y in points)


def test_the_rate_is_drawn_to_scale():
    """Twice as fast is twice as high, above the axis."""
    steps = measured({(1, 1): 100, (1, 2): 200, (2, 2): 50}).done
    root = etree.fromstring(drawing("b", steps, steps[1]))
    above = [height(0) - float(circle.get("cy")) for circle in root.iter("{*}circle")]
    assert above[0] > 0 and above[1] == pytest.approx(2 * above[0], abs=0.3)
    assert above[2] == pytest.approx(above[0] / 2, abs=0.3)
    assert 0 < height(1) < height(0) < HEIGHT
    # the mark stands where the chosen step's point is
    (mark,) = [line for line in root.iter("{*}line") if line.get("stroke-dasharray")]
    assert mark.get("x1") == list(root.iter("{*}circle"))[1].get("cx")


def test_steps_without_an_answer():
    """A wait of nothing does not divide by nothing."""
    (step,) = measured({(1, 1): 100}).done
    assert drawing("b", [step._replace(first=())], step._replace(first=())).endswith("</svg>\n")


@pytest.mark.parametrize("most, base, is_nice", ((0.5, 1000, 1), (3, 1000, 4), (5, 1000, 8),
                                                 (300, 1000, 400), (900, 1000, 1000),
                                                 (1001, 1000, 2000), (3 << 20, 1024, 4 << 20)))
def test_round_numbers(most, base, is_nice):
    """None is below what it has to hold, nor far above."""
    assert nice(most, base) == is_nice
