"""The wire below s3-put: answers that are lost, late, wrong or errors, bodies that are cut or
spoilt, and others who write meanwhile.

One World has a file for each fault and each way it may happen (once, some times, for ever), so that
a run meets them all together; each is judged by itself.
"""

import random

import pytest

from faults.put_oracle import PART, PREFIX, PutWorld

RETRIES = 2
WAYS = ("once", "some", "ever")
HTML = b"<html><head><title>Welcome</title></head><body>Please log in</body></html>"

# name: (kind of the fake's, its options)
ANYWHERE = {
    "lost": ("lost", {}),
    "lost by a reset": ("lost", {"end": "reset"}),
    "not carried out": ("refuse", {}),
    "500": ("status", {"status": 500, "code": "InternalError"}),
    "SlowDown": ("status", {"status": 503, "code": "SlowDown"}),
    "200 with an error": ("error200", {"code": "InternalError"}),
    "a portal's page": ("html", {"body": HTML}),
}
ANSWERS = {
    "another checksum": ("wrong-sum", {}),
    "no checksum": ("no-sum", {}),
    "no ETag": ("no-etag", {}),
}
BODIES = {
    "cut in the body": ("cut", {}),
    "an error before the end of the body": ("early", {}),
    "a byte that is another, seen": ("damaged", {}),
    "a byte that is another, unseen": ("damaged", {"unchecked": True}),
}
CONDITIONS = {
    "409": ("conflict", {}),
    "409 of another kind": ("status", {"status": 409, "code": "OperationAborted"}),
    "412 for nothing": ("status", {"status": 412, "code": "PreconditionFailed"}),
    "412 within 200": ("error200", {"code": "PreconditionFailed"}),
    "a rival's object": ("rival", {}),
}
PASSED_ON = {"carried out twice": ("twice", {}), "late": ("late", {})}
DOCUMENT = {
    "blanks": ("blanks", {"seconds": 0.3}),
    "blanks, then cut": ("blanks", {"seconds": 0.2, "cut": True}),
    "blanks, then done": ("blanks-late", {"seconds": 0.3}),
    "blanks, then an error": ("blanks-error", {"seconds": 0.2}),
    "blanks, then an error, but done": ("blanks-error", {"seconds": 0.2, "done": True}),
}
TAKEN = {"the upload is gone": ("take-upload", {})}
REFUSED = {
    "InvalidPart": ("status", {"status": 400, "code": "InvalidPart"}),
    "BadDigest": ("status", {"status": 400, "code": "BadDigest"}),
}
ETAG = {"the ETag of another object": ("wrong-etag", {})}
STEPS = {
    "PutObject": ANYWHERE | ANSWERS | BODIES | CONDITIONS | PASSED_ON | ETAG,
    "CreateMultipartUpload": ANYWHERE,
    "UploadPart": ANYWHERE | ANSWERS | BODIES | PASSED_ON | TAKEN | ETAG,
    "CompleteMultipartUpload": (ANYWHERE | ANSWERS | CONDITIONS | PASSED_ON | DOCUMENT | TAKEN
                                | REFUSED | ETAG),
    "HeadObject": {name: fault for name, fault in (ANYWHERE | ANSWERS | ETAG).items()
                   if name not in ("200 with an error", "a portal's page")},
}
WHOLE = ("PutObject", "HeadObject")
LARGE = ("CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload")
# After these a file is stored however often they come; after the others it may be, or must not be.
HARMLESS = {"PutObject": {"lost", "lost by a reset", "another checksum", "no checksum", "no ETag",
                          "carried out twice"},
            "CompleteMultipartUpload": {"no checksum", "blanks", "blanks, then done",
                                        "carried out twice"}}
OTHERS = {"a rival's object"}       # whose object stays
# what says that another object is there than the one that was compared: that is believed
DOUBTS = {"412 for nothing", "412 within 200", "the ETag of another object"}
SLOW = {"SlowDown", "an error before the end of the body"}      # is borne for minutes


class Spoilt:
    """One file and what happens to requests about it."""

    def __init__(self, world, step, name, way, chance, is_fresh):
        self.step, self.name, self.way, self.is_fresh = step, name, way, is_fresh
        self.path = f"{step}/{name}/{way}"
        kind, options = STEPS[step][name]
        times = {"once": 1, "some": chance.randint(1, RETRIES), "ever": None}[way]
        self.fault = world.fake.fault(kind, key=PREFIX + self.path, step=step, times=times,
                                      **options)

    @property
    def passes(self):
        """Whether the file must be stored (True), must not be (False), or may be (None)."""
        if self.name in OTHERS:
            return False
        if self.name in DOUBTS and not self.is_fresh:
            return None
        if self.way != "ever" or self.name in HARMLESS.get(self.step, ()):
            return True
        return None


def spoil(world, faults, ways, chance, size, is_fresh):
    """Make a file for every (step, fault) and way, and what others have put at its target, unless
    the bucket `is_fresh`; return them as Spoilt. `size(chance)` is theirs.
    """
    found = []
    for step, name in faults:
        for way in ways:
            if way == "ever" and name in SLOW:
                continue
            one = Spoilt(world, step, name, way, chance, is_fresh)
            world.lay(one.path, chance.randbytes(16) + BASE[:size(chance) - 16])
            if not is_fresh:
                world.fake.put(world.bucket, PREFIX + one.path, b"another's, from before")
            found.append(one)
    world.write_rows()
    return found


BASE = random.Random(5).randbytes(PART + 9000)


def judge(one, rows):
    """Check the row of one file."""
    row = rows[one.path]
    assert one.fault.hits, "the fault did not happen"
    if one.passes:
        assert row["state"] == "stored", f"{row['state']}: {row['error']}"
    elif one.passes is False:
        assert row["state"] == "conflict", f"{row['state']}: {row['error']}"
    else:
        assert row["state"] == "stored" or row["error"], "failed without a word"


def by_path(rows):
    """Return {path: row}."""
    return {row["path"]: row for row in rows}


def put_spoilt(count, world, spoilt):
    """Put what was spoilt, judge every file, and put again without any fault."""
    ran = world.put("--retries", RETRIES)
    rows = by_path(ran.rows)
    for one in spoilt:
        with count.case(one.path):
            judge(one, rows)
            world.believe([rows[one.path]])
    with count.case("together"):
        world.tell_truth(ran)
        world.look()
    with count.case("and again"):
        world.resume()


def faults_of(steps):
    """Return [(step, name)] of all faults of some steps."""
    return [(step, name) for step in steps for name in STEPS[step]]


@pytest.mark.parametrize("is_fresh", [True, False], ids=["nothing there", "others' objects there"])
def test_whole_files(cases, tmp_path, is_fresh):
    """Whatever an answer to a file in one request says, or does not say."""
    chance = random.Random(1)
    with PutWorld(tmp_path / "world", {}) as world:
        spoilt = spoil(world, faults_of(WHOLE[:2 - is_fresh]), WAYS, chance,
                       lambda chance: chance.choice([16, 100, 9000, 700_000]), is_fresh)
        put_spoilt(cases("a fault of the wire below a file in one request"), world, spoilt)


FEW = [("CreateMultipartUpload", "lost"), ("UploadPart", "lost"),
       ("UploadPart", "a byte that is another, unseen"), ("CompleteMultipartUpload", "lost"),
       ("CompleteMultipartUpload", "409 of another kind"),
       ("CompleteMultipartUpload", "InvalidPart"),
       ("CompleteMultipartUpload", "blanks, then an error"),
       ("CompleteMultipartUpload", "a rival's object")]
OVER_OTHERS = faults_of(["HeadObject"]) + [("CompleteMultipartUpload", name) for name in CONDITIONS]


@pytest.mark.parametrize("faults, ways, is_fresh", [
    (FEW, WAYS[:1], True),
    pytest.param(faults_of(LARGE), WAYS[:1], True, marks=pytest.mark.system("minutes")),
    pytest.param(OVER_OTHERS, WAYS[:1], False, marks=pytest.mark.system("minutes")),
    pytest.param(faults_of([*LARGE, "HeadObject"]), WAYS, False, marks=[
        pytest.mark.long, pytest.mark.timeout(7200)])],
    ids=["some", "nothing there", "others' objects there", "all"])
def test_large_files(cases, tmp_path, faults, ways, is_fresh):
    """Whatever an answer to a step of a large file says, or does not say."""
    chance = random.Random(2)
    with PutWorld(tmp_path / "world", {}) as world:
        spoilt = spoil(world, faults, ways, chance,
                       lambda chance: PART + chance.randrange(16, 9000), is_fresh)
        put_spoilt(cases("a fault of the wire below a large file"), world, spoilt)


@pytest.mark.parametrize("etag, proof", [("an MD5", "etag-md5"), ("no MD5", "size")])
def test_no_checksum_anywhere(cases, tmp_path, etag, proof):
    """What S3 does not say is no proof: then it is the ETag's, or none."""
    with cases("a server that says no checksum").case(etag), PutWorld(
            tmp_path / "world", {"small": b"small", "large": BASE[:PART + 5]}) as world:
        world.fake.fault("no-sum", key=None, method=None, times=None)
        if etag == "no MD5":
            world.fake.character.etag = world.fake.character.part_etag = lambda etag: etag[::-1]
        ran = world.put()
        proofs = {row["path"]: row["proof"].partition(":")[0] for row in ran.rows}
        assert proofs == {"small": proof, "large": proof + "-parts" * (proof != "size")}, proofs
        states = {row["state"] for row in ran.rows}
        assert states == {"unverifiable" if proof == "size" else "stored"}, ran.err
        world.tell_truth(ran)
        world.look()
