"""Lists with a key and one thing more on each line."""

from s3kit.errors import Cut
from s3kit.manifest.foreign.pairs import Reader
from s3kit.manifest.row import FAILED, Row


class Sizes(Reader):
    """Such a list."""

    form, wanted = "sizes", "a key and a size"

    def row(self, key, size, line):
        """Return the Row of a pair."""
        return Row(self.bucket, key, size=size)


def test_pairs_and_what_is_none():
    """Empty lines are nothing; others are named by their line."""
    made = Sizes("b")
    rows = made.feed(b'a,1\n\n,\n"b,\nc",2\nd\ne,\nf,1,2\n"x"y,1\n#g,7\n') + made.close()
    assert [(row.key, row.size) for row in rows if row.state != FAILED] == [
        ("a", "1"), ("b,\nc", "2"), ("#g", "7")]
    assert [row.error for row in rows if row.state == FAILED] == [
        *(f"line {line}: not a key and a size" for line in (6, 7, 8)), "line 9: not CSV"]
    assert made.count == len(rows) == 7 and not made.stop


def test_a_last_line_without_an_end():
    """How it went on nobody knows: the list was cut."""
    made = Sizes("b")
    assert len(made.feed(b"a,1\nb,12")) == 1 and made.close() == []
    assert isinstance(made.stop, Cut) and "no end" in str(made.stop)
