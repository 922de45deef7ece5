"""Segments of a listing: ranges that are listed at once, and joined again, on good servers and on
odd ones.
"""

import random
from bisect import bisect_right
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from s3kit.listing import segments
from s3kit.listing.segments import Segments
from s3kit.manifest.row import Row

KEYS = (st.text(st.characters(codec="utf-8"), min_size=1, max_size=8)
        | st.from_regex("[ab/]{1,6}|[0-9a-f]{3}", fullmatch=True))


class Model:
    """A bucket that is listed as S3 does it, `size` rows a page, keys in the order of `rank`."""

    def __init__(self, rows, size, versions, rank=str):
        self.rows, self.size, self.versions, self.rank = rows, size, versions, rank
        self.rows.sort(key=lambda row: rank(row.key))
        self.asked = 0

    def answer(self, segment):
        """Return a segment's next page."""
        self.asked += 1
        at = int(segment.query) if segment.query else self.after(segment.after)
        end = at + self.size
        return Fake(self.rows[at:end], str(end) if end < len(self.rows) else "")

    def after(self, marker):
        """Return where the rows after a key begin."""
        return bisect_right([self.rank(row.key) for row in self.rows],
                            self.rank(marker)) if marker else 0


class Fake(SimpleNamespace):
    """A page of a Model."""

    prefixes = ()

    def __init__(self, rows, following):
        super().__init__(rows=rows, next=following)

    def cut(self, count):
        """As Page.cut."""
        rest = Fake(self.rows[count:], self.next)
        self.rows = self.rows[:count]
        return rest


def joined(model, connections, chance, prefix=""):
    """Return what Segments make of a model whose answers come in any order, now and then with a
    fault.
    """
    run, under_way, out = Segments(connections, prefix, model.versions), [], []
    while not run.is_done:
        while (page := run.ready()) is not None:
            out += page.rows
            assert run.held + run.under_way <= max(connections, segments.HELD * connections) + 1
        while (found := run.choose(chance.random() < 0.8)) is not None:
            under_way.append(found)
        if run.is_done:
            break
        assert under_way, "nothing is asked for, and not all is there"
        segment = under_way.pop(chance.randrange(len(under_way)))
        if segment is not run.open[0] and chance.random() < 0.02:
            assert run.fail(segment)
        else:
            run.take(segment, model.answer(segment))
    return out


def rows_of(keys, counts, chance):
    """Return rows, several for some keys."""
    return [Row("b", key, version_id=f"{number}") for key in keys
            for number in range(chance.choice(counts))]


SHAPES = {"numbers": lambda n, c: f"object-{n:05d}.jpg", "unpadded": lambda n, c: f"{n}",
          "hash": lambda n, c: "%08x" % c.getrandbits(32),
          "tree": lambda n, c: f"2024/{n // 900 + 1:02d}/{n // 30 % 30 + 1:02d}/x-{n % 30:02d}",
          "skewed": lambda n, c: f"{'data/warehouse/part=' if n % 50 else ''}{n:06d}",
          "unicode": lambda n, c: "".join(c.choice("aé\u3042日本語\uffee😀𐀀") for _ in range(6)),
          "one prefix": lambda n, c: "p" * 900 + f"{n:04d}"}


@pytest.mark.parametrize("versions", [False, True])
@pytest.mark.parametrize("shape", SHAPES)
def test_segments_join_into_the_listing(shape, versions):
    """Keys of every shape: all rows, once, in order, of few requests more than needed."""
    chance = random.Random(shape)
    keys = sorted({SHAPES[shape](n, chance) for n in range(3000)})
    rows = rows_of(keys, [1, 1, 3] if versions else [1], chance)
    for connections in (1, 2, 8, 32):
        model = Model(rows, 20, versions)
        assert joined(model, connections, chance) == rows
        assert model.asked <= (segments.WASTE + 0.6) * len(rows) / 20 + 3 * connections


def test_little_room(monkeypatch):
    """With room for few pages far ones are given up for near ones, and it always goes on."""
    for number in range(300):
        chance = random.Random(number)
        monkeypatch.setattr(segments, "STRIDE", chance.choice([1, 2, 4]))
        monkeypatch.setattr(segments, "HELD", chance.choice([1, 2]))
        keys = sorted({f"{chance.choice('aaab')}{int(chance.paretovariate(0.3)) % 10 ** 6}"
                       for _ in range(300)})
        model = Model(rows_of(keys, [1, 2], chance), 3, True)
        assert joined(model, chance.choice([2, 3, 8]), chance) == model.rows


def test_many_versions_of_one_key():
    """A key with more versions than pages have is one segment; what follows it is listed meanwhile.
    """
    rows = [Row("b", "a", version_id="1")] + [Row("b", "k", version_id=f"{n}") for n in range(500)]
    rows += [Row("b", f"l{n}", version_id="1") for n in range(100, 300)]
    for seed in range(20):
        assert joined(Model(rows, 10, True), 8, random.Random(seed)) == rows


@settings(max_examples=300)
@given(st.lists(KEYS, max_size=60, unique=True), st.integers(1, 7), st.booleans(),
       st.integers(1, 9), st.randoms(use_true_random=False))
def test_any_keys_any_order_of_answers(keys, size, versions, connections, chance):
    """The joined segments are the listing."""
    rows = rows_of(sorted(keys), [1, 2, 9] if versions else [1], chance)
    assert joined(Model(rows, size, versions), connections, chance) == rows


RANKS = {"folded": lambda key: (key.lower(), key), "by directory": lambda key: key.split("/"),
         "UTF-16": lambda key: key.encode("utf-16-be"),
         "backwards": lambda key: [-ord(c) for c in key] + [1]}


@settings(max_examples=200)
@given(st.lists(st.from_regex("[aB/-]{1,7}|[\U00010000\uffee]{1,3}", fullmatch=True), max_size=80,
                unique=True), st.integers(1, 7), st.sampled_from(sorted(RANKS)), st.booleans(),
       st.randoms(use_true_random=False))
def test_servers_with_an_order_of_their_own(keys, size, rank, versions, chance):
    """A server that sorts otherwise is listed in its order, nothing lost or doubled."""
    model = Model(rows_of(keys, [1, 4] if versions else [1], chance), size, versions, RANKS[rank])
    assert joined(model, 8, chance) == model.rows


@settings(max_examples=200)
@given(st.integers(1, 7), st.booleans(), st.sampled_from(["ignored", "inclusive", "empty"]),
       st.randoms(use_true_random=False))
def test_servers_that_misread_markers(size, versions, how, chance):
    """Markers that are ignored, included, or lead nowhere unless they are keys."""
    rows = rows_of([f"{n:03d}" for n in range(0, 300, 3)], [1], chance)
    model = Model(rows, size, versions)
    plain = model.after
    model.after = {"ignored": lambda marker: 0,
                   "inclusive": lambda marker: max(0, plain(marker) - 1),
                   "empty": lambda marker: len(rows) if marker else 0}[how]
    assert joined(model, 6, chance) == rows


def test_servers_that_begin_with_the_marker():
    """MiniStack shows the row of a marker without a version again: it is one row."""
    rows = rows_of([f"{n:03d}" for n in range(100)], [1], random)
    model = Model(rows, 7, True)

    def answer(segment):
        """Return the page with the row before it."""
        page = Model.answer(model, segment)
        if segment.query:
            page.rows = [model.rows[int(segment.query) - 1], *page.rows]
        return page

    model.answer = answer
    assert joined(model, 1, random) == joined(model, 8, random) == rows


@pytest.mark.system("minutes")
@given(st.integers(2, 9), st.randoms(use_true_random=False))
def test_a_bucket_that_changes(connections, chance):
    """What was there all the time is listed once, whatever comes and goes."""
    keys = [f"{n:04d}" for n in range(600)]
    stays = keys[::2]
    model = Model(rows_of(keys, [1], chance), 10, False)

    def answer(segment):
        """Continue by key, not by place: rows come and go."""
        for key in chance.sample(keys[1::2], 3):
            there = [row for row in model.rows if row.key == key]
            model.rows = [row for row in model.rows if row.key != key] if there else sorted(
                [*model.rows, Row("b", key)], key=lambda row: row.key)
        after = segment.query or segment.after
        at = model.after(after)
        rows = model.rows[at:at + 10]
        return Fake(rows, rows[-1].key if at + 10 < len(model.rows) else "")

    model.answer = answer
    found = [row.key for row in joined(model, connections, chance)]
    assert found == sorted(set(found)) and set(stays) <= set(found)


# --- step by step


def begun(count, until="040", **options):
    """Return Segments of three-digit keys, the first page of which came and was handed on, and the
    head's next segment from `until` on: (run, head, following), both waiting for nothing.
    """
    run = Segments(8, **options)
    head = run.choose()
    run.take(head, page_of(range(count), "more"))
    assert run.ready()
    following = segments.Segment(until, None, "", None)
    run.open.append(following)
    head.until = until
    return run, head, following


def page_of(numbers, following=""):
    """Return a page of three-digit keys."""
    return Fake([Row("b", f"{number:03d}") for number in numbers], following)


def keys_of(page):
    """Return the keys of a page as numbers."""
    return [int(row.key) for row in page.rows]


def ask(run, segment):
    """Let a segment's next page be under way."""
    segment.is_busy, run.under_way, run.asked = True, run.under_way + 1, run.asked + 1


def drain(run):
    """Return the keys of all pages that are ready."""
    return [keys_of(page) for page in iter(run.ready, None)]


def test_the_first_request_is_alone():
    """Then one more for each page that was of use, as many as there are connections."""
    run = Segments(3)
    head = run.choose()
    assert run.choose() is None and (run.under_way, run.allowed) == (1, 1)
    for number in range(4):
        run.take(head, page_of([number], "more"))
        assert run.allowed == min(3, 2 + number)
        assert run.choose(may_split=False) is head


def test_an_empty_bucket():
    """One page without rows is all."""
    run = Segments(8)
    run.take(run.choose(), page_of([]))
    assert run.is_done and run.ready() is None and run.choose() is None


def test_pages_without_rows_that_go_on():
    """They are asked on, and not handed on."""
    run = Segments(8)
    head = run.choose()
    run.take(head, page_of([], "more"))
    assert not run.is_done and run.ready() is None
    assert run.choose() is head and head.query == "more"
    run.take(head, page_of([1]))
    assert drain(run) == [[1]] and run.is_done


def test_pages_of_common_prefixes_only():
    """They are handed on."""
    run, page = Segments(1), page_of([])
    page.prefixes = ["a/"]
    run.take(run.choose(), page)
    assert run.ready() is page and run.is_done


def test_a_page_waits_for_those_before_it():
    """It counts as held till then."""
    run, head, following = begun(10)
    ask(run, following)
    run.take(following, page_of(range(41, 50)))
    assert run.ready() is None and run.held == 1
    ask(run, head)
    run.take(head, page_of(range(10, 42), "after 041"))
    assert drain(run) == [list(range(10, 41)), list(range(41, 50))]
    assert run.held == 0 and run.is_done


def test_two_segments_that_do_not_meet():
    """The rest is listed anew, from the head's last page on: what came of the other is given up."""
    run, head, following = begun(10)
    ask(run, following)
    run.take(following, page_of(range(43, 50)))         # 041 is missing
    ask(run, head)
    run.take(head, page_of(range(10, 42), "after 041"))
    assert drain(run) == [list(range(10, 41)), [41]]
    assert run.open == [head] and run.held == 0 and head.query == "after 041"
    assert not run.splits.are_trusted and run.choose() is head
    run.take(head, page_of(range(42, 50)))
    assert drain(run) == [list(range(42, 50))] and run.is_done


def test_a_fault_is_borne_but_at_the_head():
    """The head lists what a segment could not; what the head cannot have is a fault."""
    run, head, following = begun(10)
    ask(run, following)
    run.take(following, page_of(range(41, 45), "after 044"))
    ask(run, following)
    assert run.fail(following) and not run.is_done
    assert run.choose(may_split=False) is head
    run.take(head, page_of(range(10, 42), "after 041"))
    assert drain(run) == [list(range(10, 41)), [41]] and run.open == [head]
    assert run.choose(may_split=False) is head and head.query == "after 041"
    assert not run.fail(head)


def test_a_segment_whose_first_page_failed():
    """A page of the head's that goes beyond it takes its place."""
    run, head, following = begun(10)
    ask(run, following)
    assert run.fail(following)
    ask(run, head)
    run.take(head, page_of(range(10, 45), "after 044"))
    assert drain(run) == [list(range(10, 45))] and run.open == [head]
    assert run.choose(may_split=False) is head and head.until is None


def test_what_a_page_shows_whole():
    """Segments within it are dropped; one that has begun is not."""
    run, head, following = begun(10)
    run.open.append(segments.Segment("060", None, "", None))
    following.until = "060"
    ask(run, head)
    run.take(head, page_of(range(10, 80), "after 079"))
    assert run.open == [head] and head.until is None and head.query == "after 079"
    run, head, following = begun(10)
    ask(run, following)
    ask(run, head)
    run.take(head, page_of(range(10, 80), "after 079"))
    assert run.open == [head, following] and head.rest.rows[0].key == "041"


def test_the_last_page_ends_all():
    """No later segment has anything, whatever was guessed; an answer that comes for one is not
    used.
    """
    run, head, following = begun(10)
    ask(run, following)
    ask(run, head)
    run.take(head, page_of(range(10, 30)))
    assert run.open == [head]
    run.take(following, page_of([90]))
    assert drain(run) == [list(range(10, 30))] and run.is_done and run.under_way == 0


def test_another_order_ends_guessing():
    """At the head the listing goes on as the server has it; elsewhere the segment is of no use."""
    run, head, following = begun(10)
    ask(run, following)
    run.take(following, page_of([50, 45]))
    assert following.is_broken and run.splits.is_off and run.held == 0
    ask(run, head)
    run.take(head, page_of([12, 11, 99], "more"))
    assert drain(run) == [[12, 11, 99]] and run.open == [head] and head.query == "more"


def test_guesses_that_cost_too_much():
    """More than WASTE requests for each page that was of use, beside one for each connection."""
    run = Segments(8)
    run.useful = 10
    run.asked = int(segments.WASTE * 10) + 8
    assert run.may_split()
    run.asked += 1
    assert not run.may_split()


def test_far_pages_make_room_for_near_ones():
    """The last ones first; never one that is under way, nor what is nearer."""
    three = [segments.Segment(name, None, "", None) for name in "abc"]
    assert segments.farthest(three, three[0]) is None
    for segment in three:
        segment.pages.append(page_of([1]))
    assert segments.farthest(three, three[0]) is three[2]
    three[2].is_busy = True
    assert segments.farthest(three, three[0]) is three[1]
    assert segments.farthest(three, three[1]) is None


@given(st.lists(KEYS, max_size=40, unique=True), st.integers(1, 5), st.booleans(),
       st.integers(2, 9), st.data())
def test_pages_of_any_size(keys, most, versions, connections, data):
    """A server may cut its pages as it likes, also to nothing: each row comes once, in order."""
    chance = data.draw(st.randoms(use_true_random=False))
    rows = rows_of(sorted(keys), [1, 3] if versions else [1], chance)
    model = Model(rows, most, versions)

    def answer(segment):
        """Return the next page, of any size."""
        model.size = chance.choice([0, 1, most])
        return Model.answer(model, segment)

    model.answer = answer
    assert joined(model, connections, chance) == rows
