"""Listing: pages parsed, key ranges split and joined again, on good servers and on odd ones."""

import random
from bisect import bisect_right
from types import SimpleNamespace

import pytest
from conftest import env_of
from hypothesis import given, settings
from hypothesis import strategies as st

from s3kit.errors import Fault, NoAccess
from s3kit.listing import guesses, listing, pages, segments
from s3kit.listing.guesses import Shape
from s3kit.listing.listing import Listing
from s3kit.listing.segments import Segments
from s3kit.manifest.row import Row
from s3kit.s3 import patience
from s3kit.s3.session import Session


# --- where to split


def test_guesses_fall_among_the_keys():
    """The next pages of numbers, hashes, dates and Chinese words are where the guess says, nearly.
    """
    chance = random.Random(1)
    for keys in ([f"object-{n:07d}.jpg" for n in range(50_000)],
                 [f"{n // 100:05d}/{n:06d}" for n in range(50_000)],
                 sorted("%016x" % chance.getrandbits(64) for _ in range(50_000)), [
                     f"log/{m:02d}/{d:02d}/{h:02d}/{x:02d}" for m in range(1, 13)
                     for d in range(1, 29) for h in range(24) for x in range(6)], sorted(
                         {"".join(chr(chance.randrange(0x4E00, 0x9FFF)) for _ in range(3))
                          for _ in range(50_000)})):
        shape = Shape()
        for at in range(0, 20_000, 1000):
            shape.learn(keys[at:at + 1000])
        guess = shape.ahead((keys[19_500], keys[19_999], 499), keys[19_999], 4)
        assert 2 < (bisect_right(keys, guess) - 20_000) / 1000 < 8, (keys[19_999], guess)
        assert 2 < shape.pages((keys[19_500], keys[19_999], 499), keys[19_999], keys[24_000]) < 8


KEYS = (st.text(st.characters(codec="utf-8"), min_size=1, max_size=8)
        | st.from_regex("[ab/]{1,6}|[0-9a-f]{3}", fullmatch=True))


@given(st.lists(KEYS, min_size=2, max_size=40, unique=True), st.floats(0, 50))
def test_guesses_are_text(keys, count):
    """Whatever the keys, a guess is text that a URL and XML can carry, or nothing."""
    shape, keys = Shape(), sorted(keys)
    shape.learn(keys)
    guess = shape.ahead((keys[0], keys[-1], len(keys)), keys[-1], count)
    assert guess is None or not any(guesses.safe(c) != c for c in guess[16:]) and guess.encode()
    assert shape.pages((keys[0], keys[-1], len(keys)), keys[0], keys[-1]) >= 0


@pytest.mark.parametrize("prefix,after", [("a/", "a0"), ("é", "ê"), ("\ud7ff", "\ue000"),
                                          ("~", "\xa0"), ("\U0010ffff", None)])
def test_what_sorts_after_a_prefix(prefix, after):
    """A prefix's end, surrogates and control characters left out."""
    assert guesses.after_all(prefix) == after


# --- segments, on a model of a server


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


# --- over the wire


@pytest.fixture
def names(fake, monkeypatch):
    """A bucket of 3,300 keys on the strict fake, answered so slowly that splitting pays."""
    fake.bucket("b", versioning="Enabled")
    for number in range(3300):
        fake.put("b", f"k-{number:05d}", b"")
    fake.latency = 0.02
    fake.log.clear()
    return fake


def endpoint_of(fake, monkeypatch):
    """Return the Endpoint of the fake's bucket."""
    for name, value in env_of(fake).items():
        monkeypatch.setenv(name, value)
    options = dict.fromkeys(("profile", "region", "endpoint_url", "request_payer", "ca_bundle"))
    return (Session(SimpleNamespace(**options, no_sign_request=False, no_verify_ssl=False))
            .endpoint("b"))


@pytest.mark.parametrize("versions", [False, True])
@pytest.mark.parametrize("prefix", ["", "k-01"])
def test_over_many_connections(names, monkeypatch, versions, prefix):
    """The same rows over 1 and over 8, with and without a prefix."""
    endpoint = endpoint_of(names, monkeypatch)
    found = [[row for page in Listing(connections=count).pages(endpoint, prefix, versions)
              for row in page.rows] for count in (1, 8)]
    assert found[0] == found[1] and len(found[0]) == (1000 if prefix else 3300)


def test_a_small_bucket_is_one_request(fake, monkeypatch):
    """What fits a page is asked for once, over any number of connections."""
    fake.put("b", "k", b"")
    fake.latency = 0.02
    lister = Listing(connections=32)
    assert ([len(page.rows) for page in lister.pages(endpoint_of(fake, monkeypatch))] == [1]
            and lister.requests == 1)


def test_only_what_is_needed_must_be_had(names, monkeypatch):
    """A server that refuses to begin in the middle is listed one page after the other."""
    def refuse(request):
        """Let no listing begin at a key."""
        if "start-after" in request.query:
            request.query["continuation-token"] = "no such"

    names.hook = refuse
    lister = Listing(connections=8)
    assert sum(len(page.rows) for page in lister.pages(endpoint_of(names, monkeypatch))) == 3300
    assert any(request.status == 400 for request in names.log)


def test_faults_in_passing(names, monkeypatch):
    """SlowDown and broken connections are waited out, whichever request they meet."""
    monkeypatch.setattr(patience, "delay", lambda tries, base=0.2, most=20.0: 0.01)
    names.fault("status", key="", times=3, after=1, status=503, code="SlowDown")
    names.fault("status", key="", times=2, after=1, status=500, code="InternalError")
    assert sum(len(page.rows) for page
               in Listing(connections=8).pages(endpoint_of(names, monkeypatch), "", True)) == 3300


def test_no_access(names, monkeypatch):
    """What the head may not have ends the listing."""
    names.fault("status", key="", times=None, after=1, status=403, code="AccessDenied")
    found = Listing(connections=8).pages(endpoint_of(names, monkeypatch))
    assert len(next(found).rows) == 1000
    with pytest.raises(NoAccess, match="cannot list s3://b: S3 says AccessDenied"):
        list(found)


def test_an_early_end(names, monkeypatch):
    """Who wants no more pages leaves no request behind, and can list again."""
    endpoint, lister = endpoint_of(names, monkeypatch), Listing(connections=8)
    found = lister.pages(endpoint)
    next(found)
    found.close()
    assert not lister.wire.active
    assert sum(len(page.rows) for page in lister.pages(endpoint)) == 3300


def test_circles(names, monkeypatch):
    """A server that sends us back to where we were is found out."""
    monkeypatch.setattr(pages.Page, "after", lambda self, top, versions: "continuation-token=same")
    monkeypatch.setattr(segments.Segment, "is_continued_by", lambda self, keys, ascends: True)
    names.hook = lambda request: request.query.pop("continuation-token", None)
    with pytest.raises(Fault, match="goes in circles"):
        list(Listing(connections=1).pages(endpoint_of(names, monkeypatch)))


@pytest.mark.parametrize("versions", [False, True])
def test_on_a_real_server(ministack, monkeypatch, versions):
    """MiniStack lists the same over 1 and over 8."""
    monkeypatch.setattr(listing, "BEARABLE", -1)
    client, bucket = ministack.client(), f"listing-{int(versions)}"
    client.create_bucket(Bucket=bucket)
    for number in range(2200):
        client.put_object(Bucket=bucket, Key=f"d{number // 100}/é-{number}", Body=b"")
    for name, value in ministack.env.items():
        monkeypatch.setenv(name, value)
    options = dict.fromkeys(("profile", "region", "endpoint_url", "request_payer", "ca_bundle"))
    endpoint = Session(SimpleNamespace(**options, no_sign_request=False,
                                       no_verify_ssl=False)).endpoint(bucket)
    found = [[row.key for page in Listing(connections=count).pages(endpoint, "", versions)
              for row in page.rows] for count in (1, 8)]
    assert found[0] == found[1] == sorted(set(found[0])) and len(found[0]) == 2200
