"""How much may be on its way out of the archive at once."""

from hypothesis import given
from hypothesis import strategies as st

from s3kit.restore.cap import Cap


def test_numbers_and_bytes():
    cap = Cap(2, 100)
    assert cap.has_room() and cap.fits(1000), "what is larger than all room goes alone"
    cap.hold("a", 60)
    assert cap.has_room() and cap.fits(40) and not cap.fits(41)
    cap.hold("b", 40)
    assert not cap.has_room() and not cap.fits(0) and "b" in cap
    cap.free("a", 60)
    assert cap.fits(60) and "a" not in cap


def test_any_number_of_bytes():
    cap = Cap(2)
    cap.hold("a", 1 << 60)
    assert cap.fits(1 << 60)


def test_the_same_version_twice():
    cap = Cap(3)
    cap.hold("a", 1)
    cap.hold("a", 1)
    cap.free("a", 1)
    assert "a" in cap and cap.held == 1


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 200))), st.integers(1, 5),
       st.integers(0, 300))
def test_who_asks_first_never_goes_above(steps, most, most_bytes):
    """A step takes a version's place if it fits, or frees it if it has one."""
    cap, held = Cap(most, most_bytes), {}
    for name, size in steps:
        if name in held:
            cap.free(name, held.pop(name))
        elif cap.fits(size):
            cap.hold(name, size)
            held[name] = size
        assert ((cap.held, cap.held_bytes, set(cap.names))
                == (len(held), sum(held.values()), set(held)))
        assert len(held) <= most and (not most_bytes or len(held) == 1
                                      or sum(held.values()) <= most_bytes)
