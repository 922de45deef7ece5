"""The bucket changes underneath: objects overwritten, deleted, marked, archived, between any two
steps of a run.
"""

import os
import random

import pytest

from faults.oracle import World, rows_of

LARGE = 66 << 20            # just above what is fetched in ranges
STILL, LATE, GONE = "fetched", "listed", ("vanished", "failed")
ANY = (STILL, LATE, "", *GONE)
BUCKETS = ("Enabled", "Suspended", "")


# --- what happens to an object

def overwrite(fake, key, old):
    """Other bytes, of another size."""
    fake.put("b", key, b"new" + old.body[:len(old.body) // 2])


def overwrite_alike(fake, key, old):
    """Other bytes of the same size."""
    fake.put("b", key,
             bytes(byte ^ 1 for byte in old.body) if len(old.body) < 5000 else old.body[::-1])


def overwrite_with_same(fake, key, old):
    """The same bytes once more: a new version, an old ETag."""
    parts = [part.size for part in old.parts] if old.parts else None
    fake.put("b", key, old.body, sse=old.sse, checksum=old.algorithm, parts=parts)


def delete(fake, key, old):
    """That very version goes for good."""
    fake.delete("b", key, old.id if fake.buckets["b"].versioning else None)


def mark(fake, key, old):
    """A delete without a version: a marker where the bucket has versions, else the object goes."""
    fake.delete("b", key)


def archive(fake, key, old):
    """A lifecycle rule moves that very version."""
    old.storage_class = "GLACIER"


def copy_to_archive(fake, key, old):
    """A copy onto itself with another class, as people do it by hand."""
    fake.put("b", key, old.body, storage_class="DEEP_ARCHIVE")


KINDS = (overwrite, overwrite_alike, overwrite_with_same, delete, mark, archive, copy_to_archive)


class Change:
    """What is to happen to some objects, each once; `do` it to one, `fate` says what must become of
    its row.
    """

    def __init__(self, world, kinds):
        self.world, self.kinds, self.done = world, kinds, set()
        self.old = {key: world.fake.get("b", key) for key in kinds}

    def do(self, key):
        """Let it happen, if it has not happened yet."""
        if key in self.kinds and key not in self.done:
            self.done.add(key)
            self.kinds[key](self.world.fake, key, self.old[key])

    def fate(self, key, row):
        """Return the state that a row must have that is fetched now."""
        fake, old = self.world.fake, self.old[key]
        now = fake.get("b", key, row["version_id"] or None)
        if now is None or now.marker or now.etag != old.etag:
            return GONE
        return LATE if now.state(fake.clock.now()) == "archived" else STILL


# --- when it happens

def before_fetch(world, change):
    """Between listing and fetching."""
    for key in change.kinds:
        change.do(key)


def at_get(world, change):
    """When the GET has come and before it is answered."""
    world.fake.hook = lambda request: request.method == "GET" and change.do(request.key)


def in_body(world, change):
    """While the bytes are on their way."""
    world.fake.fault("meanwhile", key=lambda key: key in change.kinds and key not in change.done,
                     times=None, do=lambda fake, request: change.do(request.key))


def between_tries(world, change):
    """A GET breaks off, the object changes, the next try comes."""
    broken = set()
    world.fake.fault("short", times=None, key=lambda key: key in change.kinds and key not in broken
                     and not broken.add(key))
    world.fake.hook = (lambda request: request.method == "GET" and request.key in broken
                       and change.do(request.key))


def after_fetch(world, change):
    """Between fetching and verifying: nothing happens before."""


def while_verifying(world, change):
    """When s3-verify asks S3 for what the row does not say."""


POINTS = (before_fetch, at_get, in_body, between_tries, after_fetch, while_verifying)


def body_of(chance, shape):
    """Return a body: `small` ones workers keep in memory, `middle` and `parts` they stream."""
    return chance.randbytes(chance.randrange(1, 9000) if shape == "small"
                            else 300_000 + chance.randrange(900_000))


def fill(world, chance, versioning, shapes=("small", "middle", "parts", "kms")):
    """Put one object for each kind and shape, and some that nobody touches; return {key: kind}."""
    kinds, fake = {}, world.fake
    for shape in shapes:
        for kind in KINDS:
            for age in ("old", "null") if versioning == "Suspended" else ("now",):
                if versioning == "Suspended":       # some versions are older than the suspension
                    fake.bucket("b", versioning="Suspended" if age == "null" else "Enabled")
                key, body = f"{shape}/{kind.__name__}.{age}", body_of(chance, shape)
                kinds[key] = kind
                if shape == "kms":  # no checksum, and an ETag that says nothing of the bytes
                    fake.put("b", key, body, checksum=None, sse="aws:kms",
                             etag=chance.randbytes(16).hex())
                else:
                    third = len(body) // 3
                    fake.put("b", key, body, parts=[third, third, len(body) - 2 * third]
                             if shape == "parts" else None)
    for n in range(3):
        fake.put("b", f"calm{n}", body_of(chance, "small"))
    fake.bucket("b", versioning=versioning or None)
    return kinds


def write_rows(world, form):
    """Write the list: as s3-manifest does, or as people do, who name the keys only."""
    world.write_list()
    if form == "bare":
        world.list.write_text("bucket,key\n" + "".join(f"b,{row['key']}\n"
                                                       for row in rows_of(world.list.read_text())))


def check_fates(world, count, name, rows, change, fates):
    """Each row's state is what must be; each one is a case."""
    for key in change.kinds:
        with count.case(f"{name}, {key}"):
            row, wanted = rows.get(key), fates[key]
            assert row, "the row is lost"
            assert row["state"] == wanted if isinstance(wanted, str) else row["state"] in wanted, \
                f"{row['state']}, not {wanted}: {row['error']}"
            assert (row["state"] in (STILL, LATE, "", "verified")
                    or row["error"]), f"{row['state']}, and nobody says why"
            world.believe([row])
    for n in range(3):
        assert rows[f"calm{n}"]["state"] in ("fetched", "verified"), rows[f"calm{n}"]["error"]


def change_underneath(cases, tmp_path, versioning, point, seed, form):
    """One bucket of each kind of object, all changed at one point; then everything again, and from
    a new list.
    """
    count = cases(f"changed {point.__name__.replace('_', ' ')} ({versioning or 'never versioned'})")
    chance, name = random.Random(seed), f"seed {seed}, {form}"
    with World(tmp_path / f"{point.__name__}{seed}", {}, versioning=versioning or None) as world:
        change = Change(world, fill(world, chance, versioning))
        write_rows(world, form)
        world.remember()
        point(world, change)
        ran = world.fetch("--retries", 1)
        world.fake.hook, world.fake.faults = None, []
        world.remember()
        rows = {row["key"]: row for row in ran.rows}
        if point in (after_fetch, while_verifying):
            fates = dict.fromkeys(change.kinds, STILL)
        else:
            assert change.done == set(change.kinds), "not every change happened"
            # A row that names the key alone may become any one version.
            fates = {key: change.fate(key, rows[key]) for key in change.kinds}
            fates = dict.fromkeys(fates, ANY if form == "bare"
                                  else STILL) if form == "bare" or point is in_body else fates
        check_fates(world, count, name, rows, change, fates)
        assert ran.status == int(any(row["state"] != STILL for row in rows.values())), ran.err
        world.look()
        world.tell_truth(ran, len(rows))
        world.list.write_text(ran.out)
        verify(world, count, name, change, point, chance, rows)
        again(world)
    world.remove()


def verify(world, count, name, change, point, chance, rows):
    """What was fetched is what is verified, whatever S3 has by now; a file that rots is seen all
    the same.
    """
    rotten = {key for key in change.kinds if rows[key]["state"] == STILL and chance.random() < 0.3}
    kept = {key: spoil(world, rows[key]) for key in rotten}
    if point is after_fetch:
        for key in change.kinds:
            change.do(key)
    if point is while_verifying:
        world.fake.hook = lambda request: change.do(request.key)
    ran = world.verify()
    world.fake.hook = None
    if point is while_verifying:
        assert [key for key in change.done if key.startswith("kms/")], "s3-verify asked nothing"
    world.remember()
    after = {row["key"]: row for row in ran.rows}
    # What went to an archive after it was listed has no file, and the row does not know why.
    become = {STILL: "verified", LATE: "missing", "": "missing"}
    fates = {key: "mismatch" if key in rotten
             else become.get(rows[key]["state"], rows[key]["state"]) for key in change.kinds}
    for key, body in kept.items():
        put_back(world, rows[key], body)
    check_fates(world, count, f"{name}, verified", after, change, fates)
    world.look()


def file_of(world, row):
    """Return the path of a row's file."""
    return os.path.join(world.dest, row["path"])


def spoil(world, row):
    """Flip a bit of a row's file; return what it held."""
    with open(file_of(world, row), "r+b") as file:
        body = file.read()
        file.seek(len(body) // 2)
        file.write(bytes([body[len(body) // 2] ^ 1]))
    return body


def put_back(world, row, body):
    """Undo `spoil`."""
    with open(file_of(world, row), "wb") as file:
        file.write(body)


def again(world):
    """A list of what there is now is fetched to the end, over what an older one brought."""
    world.write_list()
    ran = world.fetch("--retries", 1)
    for row in ran.rows:
        archived = row["storage_class"] in ("GLACIER", "DEEP_ARCHIVE")
        assert (row["state"]
                in (STILL, LATE)[:1 + archived]), f"{row['key']}: {row['state']}: {row['error']}"
    world.believe(ran.rows)
    world.look()
    world.nothing_left()


ALL = [(point, versioning, "listed") for point in POINTS for versioning in BUCKETS]
ALL += [(point, versioning, "bare") for point in (at_get, in_body, while_verifying)
        for versioning in BUCKETS]


@pytest.mark.system("minutes")
@pytest.mark.parametrize("seeds",
                         [1, pytest.param(10, marks=[pytest.mark.long, pytest.mark.timeout(3600)])])
@pytest.mark.parametrize("point, versioning, form", ALL,
                         ids=lambda value: getattr(value, "__name__", value or "plain"))
def test_change(cases, tmp_path, point, versioning, form, seeds):
    for seed in range(seeds):
        change_underneath(cases, tmp_path, versioning, point, seed, form)


# --- large objects

def at_first_range(request, ranges):
    """Between the look at the object's headers and the first of its ranges."""
    return ranges == 1


def at_third_range(request, ranges):
    """Between two ranges."""
    return ranges == 3


def at_head(request, ranges):
    """When the object is described."""
    return request.method == "HEAD"


def change_large(cases, tmp_path, versioning, point, kinds, seed):
    """An object in ranges changes: its file has the bytes of one version, or there is none."""
    count, chance = (cases(f"large object changed ({versioning or 'never versioned'})"),
                     random.Random(seed))
    for kind in kinds:
        name = f"{kind.__name__} {point.__name__} {seed}"
        with count.case(name), World(tmp_path / name, {}, versioning=versioning or None) as world:
            block = chance.randbytes(1 << 20)
            world.fake.put("b", "large",
                           block * (LARGE >> 20) + chance.randbytes(chance.randrange(1 << 16)))
            world.write_list()
            world.remember()
            change, ranges = Change(world, {"large": kind}), []

            def hook(request):
                if request.key == "large" and "range" in request.headers:
                    ranges.append(request)
                if request.key == "large" and point(request, len(ranges)):
                    change.do("large")

            world.fake.hook = hook
            ran = world.fetch("--retries", 1)
            world.fake.hook = None
            world.remember()
            assert change.done and (ranges or point is at_head), "it was not changed"
            row, = ran.rows
            fate = change.fate("large", row)
            wanted = ((LATE, "failed") if fate == LATE else (fate,) if isinstance(fate, str)
                      else fate)
            assert row["state"] in wanted, f"{row['state']}, not {wanted}: {row['error']}"
            world.look()
            world.tell_truth(ran)
            world.write_list()
            ran = world.fetch("--retries", 1)
            assert all(row["state"] == STILL or row["storage_class"] in ("GLACIER", "DEEP_ARCHIVE")
                       for row in ran.rows), ran.err
            world.look()
            world.believe(ran.rows)
            if fate != LATE:            # a restored object goes on where this one stopped
                world.nothing_left()
        world.remove()


@pytest.mark.system("minutes")
@pytest.mark.parametrize("versioning", BUCKETS, ids=lambda value: value or "plain")
def test_change_of_a_large_object(cases, tmp_path, versioning):
    change_large(cases, tmp_path, versioning, at_third_range, (overwrite_alike, delete, archive), 1)


@pytest.mark.system("minutes")
@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("versioning", BUCKETS, ids=lambda value: value or "plain")
@pytest.mark.parametrize("point", [at_head, at_first_range, at_third_range],
                         ids=lambda point: point.__name__)
def test_any_change_of_a_large_object(cases, tmp_path, versioning, point):
    for seed in range(3):
        change_large(cases, tmp_path, versioning, point, KINDS, seed)


# --- what S3 cannot say any more

def encrypted(world):
    """Put an object whose ETag looks like an MD5 and is none, and fetch it."""
    world.fake.put("b", "k", b"bytes of an encrypted object", checksum=None, sse="aws:kms",
                   etag="0123456789abcdef" * 2)
    ran = world.fetch()
    assert ran.status == 0, ran.err
    world.list.write_text(ran.out)


@pytest.mark.system("minutes")
@pytest.mark.parametrize("how", ["away", "gone", "denied"])
def test_verified_without_s3(cases, tmp_path, how):
    """A file is compared with the digest of what came when S3 does not answer: a good one is not
    called wrong, nor removed.
    """
    count = cases("s3-verify while S3 says nothing")
    for is_rotten in (False, True):
        with (count.case(f"{how}, {'rotten' if is_rotten else 'good'}"),
              World(tmp_path / f"{is_rotten}", {}) as world):
            encrypted(world)
            world.remember()
            if is_rotten:
                spoil(world, rows_of(world.list.read_text())[0])
            if how == "gone":
                world.fake.delete("b", "k", world.fake.get("b", "k").id)
            if how == "denied":
                world.fake.fault("status", method=None, times=None, status=403)
            env = {"AWS_ENDPOINT_URL_S3": "http://127.0.0.1:1"} if how == "away" else {}
            ran = world.verify("--discard", env=env)
            row, = ran.rows
            assert row["state"] == ("mismatch" if is_rotten
                                    else "verified"), f"{row['state']}: {row['error']}"
            assert os.path.exists(file_of(world, row)) != is_rotten
            world.believe(ran.rows)


@pytest.mark.system("minutes")
@pytest.mark.parametrize("is_there", [True, False])
def test_unverifiable_stays_so(cases, tmp_path, is_there):
    """What s3-verify has read of a file that nothing is known of proves nothing when it reads it
    again.
    """
    count = cases("s3-verify of a file of which nothing is known")
    with count.case(f"S3 {'knows' if is_there else 'knows not'}"), World(tmp_path, {}) as world:
        encrypted(world)
        (world.dest / ".s3kit" / "ledger.sqlite3").unlink()
        etag = world.fake.get("b", "k").etag if is_there else ""
        if not is_there:
            world.fake.delete("b", "k", world.fake.get("b", "k").id)
        world.list.write_text(f"bucket,key,etag\nb,k,{etag}\n")
        for _ in range(3):
            ran = world.verify()
            row, = ran.rows
            assert ((ran.status, row["state"])
                    == (5, "unverifiable")), f"{row['state']} on the proof '{row['proof']}'"
            world.list.write_text(ran.out)
        spoil(world, row)
        row, = world.verify().rows
        assert row["state"] in ("mismatch", "unverifiable")
