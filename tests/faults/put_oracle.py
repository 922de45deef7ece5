"""The oracle of uploads: files, a bucket, and what must hold of both whatever was done to s3-put.

A case makes a PutWorld, lets something go wrong (`put`, `start`), calls `look` and `believe` on
what is there at that instant, then `resume` to the end, which calls `settle`. What the server has
is looked at in its own store, and what it said in its own answers: nothing is asked through s3kit.
"""

import base64
import hashlib
import random
import re
import sqlite3
import time
from contextlib import closing
from urllib.parse import parse_qs, unquote, urlsplit

from fakes3 import DIGESTS
from fakes3.operations import step_of

from faults.oracle import TRUE_TIME, World, bytes_of, entries_below

PREFIX = "p/"
PART = 8 << 20          # as s3kit has it: what is larger is sent in parts of so many bytes
WRITES = ("PutObject", "CompleteMultipartUpload")
TOKEN = "x-amz-meta-s3kit-token"
# what s3-put says of uploads that it leaves: of any, and of those that have no parts
LEFT = re.compile(r"([\d,]+) uploads? could not be aborted")
UNSURE = re.compile(r"([\d,]+) answers? to the beginning of an upload did not come")
CHECKSUM = re.compile("(?:x-amz-checksum-|<checksum)([a-z0-9]+)")
ELEMENT = re.compile(rb"<(ETag|Checksum[A-Z0-9]+)>([^<]*)<")


def small_and_large(seed=0, small=5, large=1):
    """Return {path: body} of files that go in one request, and of others that go in two parts or
    three.
    """
    chance = random.Random(seed)
    bodies = {f"dir{n % 3}/small{n}": chance.randbytes(chance.randrange(1, 9000))
              for n in range(small)}
    bodies |= {f"large{n}": chance.randbytes(PART + 1 + chance.randrange(PART))
               for n in range(large)}
    return bodies | {"empty": b"", "middle": chance.randbytes(700_000)}


class Answers:
    """What a fake said, and what it did: everything that goes through it from now on.

    `said` is {key: {name of an algorithm, or etag: {value, ...}}} of answers to writes and HEADs;
    `writes` are (key, what was there before, the condition, step) of all that put an object at its
    key.
    """

    def __init__(self, fake):
        self.fake, self.said, self.writes = fake, {}, []
        self.respond, self.carry_out = fake.respond, fake.carry_out
        fake.respond, fake.carry_out = self.responded, self.carried_out

    def responded(self, request):
        """Keep what an answer says of an object."""
        response = self.respond(request)
        step = step_of(request)
        if response.status == 200 and not response.refuse and step in (*WRITES, "HeadObject"):
            told = self.said.setdefault(request.key, {})
            for name, value in response.headers.items():
                self.keep(told, name.lower(), value)
            for piece in (bytes(response.body), *(piece for _, piece in response.later
                                                  if isinstance(piece, bytes))):
                for name, value in ELEMENT.findall(piece):
                    self.keep(told, f"<{name.decode().lower()}", value.decode())
        return response

    @staticmethod
    def keep(told, name, value):
        """Keep one header or element, if it speaks of bytes."""
        found = CHECKSUM.match(name)
        if found or name in ("etag", "<etag"):
            told.setdefault(found[1] if found else "etag", set()).add(
                value.replace("&quot;", "").strip('"'))

    def carried_out(self, request):
        """Keep what a write did."""
        step = step_of(request)
        if step not in WRITES:
            return self.carry_out(request)
        before = self.fake.get(request.bucket, request.key)
        response = self.carry_out(request)
        if response.status == 200 and self.fake.get(request.bucket, request.key) is not before:
            headers = request.headers
            self.writes.append((request.key, before, headers.get("if-none-match")
                                or headers.get("if-match", ""), step))
            if step == WRITES[1]:       # its answer may come after blanks
                told = self.said.setdefault(request.key, {})
                for name, value in ELEMENT.findall(bytes(response.body)):
                    self.keep(told, f"<{name.decode().lower()}", value.decode())
        return response


class PutWorld(World):
    """A World whose destination has files that are to be uploaded to PREFIX of its bucket. `killed`
    counts processes that were killed as they may have begun an upload: it has no parts, and costs
    nothing, until its id is in the ledger.

    `bodies` is {path: bytes} of them, `there` {key: bytes} of what others have put there before.
    `removes`: s3-put is called with --remove-local. `more` are options of all its runs.
    """

    def __init__(self, folder, bodies=None, there=None, versioning="Enabled", removes=False,
                 more=(), dest=None):
        super().__init__(folder, there or {}, versioning, dest)
        self.answers = Answers(self.fake)
        self.removes, self.more = removes, (*more, *["--remove-local"] * removes)
        self.legit, self.said, self.killed = {}, "", 0
        for path, body in (small_and_large() if bodies is None else bodies).items():
            self.lay(path, body)
        self.write_rows()

    def lay(self, path, body):
        """Write a file, as another program does; s3-put may upload what it was at any time."""
        place = self.dest / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(body)
        self.allow(path, body)

    def allow(self, path, body):
        """Say that a file has had these bytes."""
        self.legit.setdefault(path, set()).add(hashlib.sha256(body).digest())

    def write_rows(self):
        """Write the manifest of the files, as of a local tree."""
        self.list.write_text("#s3kit manifest 1\nbucket,key,size,path\n" + "".join(
            f'{self.bucket},"{path}",{(self.dest / path).stat().st_size},"{path}"\n'
            for path in sorted(self.legit)) + f"#end rows={len(self.legit)}\n")

    # --- doing things

    def words(self, *options, jobs=2):
        """Return the words of s3-put on the manifest."""
        return ["s3-put", "-j", jobs, "--to", f"s3://{self.bucket}/{PREFIX}", "-d", self.dest,
                *self.more, *options, self.list]

    def put(self, *options, wrap=(), env=None, timeout=TRUE_TIME, jobs=2):
        """Run s3-put on the manifest."""
        return self.heard(self.run(*self.words(*options, jobs=jobs), wrap=wrap, env=env,
                                   timeout=timeout))

    def begin(self, *options, jobs=2, **more):
        """Start s3-put on the manifest; `end` takes the process."""
        return self.start(*self.words(*options, jobs=jobs), **more)

    def end(self, process, timeout=TRUE_TIME):
        """Wait for a started s3-put; return Ran."""
        return self.heard(self.finish(process, time.monotonic(), timeout))

    def heard(self, ran):
        """Keep in mind what people were told."""
        self.said += ran.err
        return ran

    # --- what must hold

    def current(self, path):
        """Return the Version at a file's target, or None."""
        return self.fake.get(self.bucket, PREFIX + path)

    def look(self, truth=None):
        """Check what must hold at every instant."""
        assert self.outside() == self.calm, "something outside the directory changed"
        self.files_are_left()
        self.nothing_overwritten()
        self.no_upload_forgotten()
        deletes = [request for request in self.fake.requests("DELETE")
                   if "uploadId" not in request.query]
        assert not deletes, f"an object was deleted: {deletes[0]}"

    def files_are_left(self):
        """Check that no file is gone, or other than its owner left it, whose bytes S3 has not."""
        for path, legit in self.legit.items():
            place = self.dest / path
            if place.exists():
                assert hashlib.sha256(place.read_bytes()).digest() in legit, f"{path} was changed"
                continue
            assert self.removes, f"{path} was removed"
            there = [version for version in self.fake.versions(self.bucket)
                     if version.key == PREFIX + path and not version.marker
                     and hashlib.sha256(version.body).digest() in legit]
            assert there, f"{path} was removed, and S3 does not have its bytes"

    def nothing_overwritten(self):
        """Check that every write named what was there, or that nothing was: another writer's object
        is not replaced unseen.
        """
        for key, before, condition, step in list(self.answers.writes):
            if before is None or before.marker:
                assert condition, f"{step} of {key!r} says nothing of what may be there"
            else:
                assert condition.strip('"') == before.etag, (
                    f"{step} of {key!r} has replaced what was not compared: {before.etag}, and its "
                    f"condition is {condition!r}")

    def sending(self):
        """Return the upload ids that the ledger knows."""
        path = self.dest / ".s3kit" / "ledger.sqlite3"
        if not path.exists():
            return set()
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as base:
            if not base.execute("SELECT 1 FROM sqlite_master WHERE name = 'sending'").fetchone():
                return set()
            return {found for found, in base.execute("SELECT upload_id FROM sending")}

    def uploads(self):
        """Return the uploads that S3 has and that are not complete, {id: Upload}."""
        return dict(self.fake.buckets[self.bucket].uploads)

    def no_upload_forgotten(self):
        """Check that all uploads that are not complete are known to the ledger, or were said."""
        self.were_said([upload for name, upload in self.uploads().items()
                        if name not in self.sending()])

    def were_said(self, left):
        """Check that people were told of as many uploads as are left."""
        empty, told = sum(not upload.parts for upload in left), numbers(LEFT, self.said)
        assert len(left) - empty <= told and len(left) <= told + self.unsure(), (
            f"uploads are left that nobody knows: {[(one.key, len(one.parts)) for one in left]}")

    def unsure(self):
        """Return how many uploads without parts may be left that nobody knows of: S3 was asked to
        begin them, and its answer came to nobody.
        """
        return numbers(UNSURE, self.said) + self.killed

    def believe(self, rows):
        """Check that what rows say is true: the bytes of a `stored` one are in S3's own store, as
        the very version, and its proof is what S3 has said.
        """
        for row in rows:
            if row["state"] == "stored":
                self.is_stored(row)

    def is_stored(self, row):
        """Check one row that says `stored`."""
        key, version = self.place_of(row)
        path = key.removeprefix(PREFIX)
        assert version and not version.marker, f"stored, but S3 has no {row['stored_at']!r}"
        body = bytes(version.body)
        assert hashlib.sha256(body).digest() in self.legit[path], (
            f"stored, but S3 has other bytes at {row['stored_at']!r}")
        assert self.is_proven(row["proof"], body, key), (
            f"{key!r} is stored by {row['proof']!r}, which S3 has not said: "
            f"{self.answers.said.get(key)}")
        assert TOKEN in version.headers or version.key not in self.answers.said, "no token"

    def place_of(self, row):
        """Return (key, Version or None) of what `stored_at` names."""
        url = urlsplit(row["stored_at"])
        key = unquote(url.path[1:])
        wanted = parse_qs(url.query).get("versionId", [None])[0]
        assert url.scheme == "s3" and url.netloc == self.bucket, row["stored_at"]
        return key, self.fake.get(self.bucket, key, wanted)

    def is_proven(self, proof, body, key):
        """Return whether some answer of S3's proves by this that it has these bytes at a key."""
        name, _, size = proof.partition(":")
        told = self.answers.said.get(key, {})
        if name == "etag-md5":
            return hashlib.md5(body).hexdigest() in told.get("etag", ())
        if name.endswith("-parts"):
            algorithm = name.removesuffix("-parts")
            step = int(size)
            sums = [hashed(algorithm, body[at:at + step])
                    for at in range(0, max(1, len(body)), step)]
            whole = hashed(algorithm, b"".join(sums))
            if algorithm == "etag-md5":
                return f"{whole.hex()}-{len(sums)}" in told.get("etag", ())
            return f"{base64.b64encode(whole).decode()}-{len(sums)}" in told.get(algorithm, ())
        return base64.b64encode(hashed(name, body)).decode() in told.get(name, ())

    def tell_truth(self, ran, wanted=None):
        """Check that exit status, rows and the store agree."""
        self.believe(ran.rows)
        assert "Traceback" not in ran.err, ran.err
        wanted = len(self.legit) if wanted is None else wanted
        if ran.status in (0, 1, 5):
            assert len(ran.rows) == wanted, f"{len(ran.rows)} rows of {wanted}"
            assert "#end rows=" in ran.out, f"status {ran.status} without the end mark"
        wrong = [row for row in ran.rows if row["state"] != "stored"]
        if ran.status == 0:
            assert not wrong, f"status 0, but a row is {wrong[0]['state']}: {wrong[0]['error']}"
        for row in wrong:
            assert row["error"] and not row["proof"].startswith("crc"), f"{row}"

    def resume(self, *options, **more):
        """Run again without any fault; everything must then be settled. Return Ran."""
        self.fake.faults.clear()
        self.fake.hook = None
        ran = self.put(*options, **more)
        assert ran.status == 0, f"the resume ended with {ran.status}: {ran.err}"
        self.settle(ran)
        return ran

    def settle_as_it_was(self, ran):
        """Check the end where files changed after they were read: the next run stores them."""
        self.tell_truth(ran)
        self.look()
        self.write_rows()
        self.resume()

    def settle(self, ran):
        """Check the end: every file is stored as it is now, nothing is left that is under way."""
        self.tell_truth(ran)
        self.look()
        assert not self.sending(), "the ledger knows of an upload under way"
        self.were_said(list(self.uploads().values()))
        for path in self.legit:
            version, place = self.current(path), self.dest / path
            assert version and not version.marker, f"{path} is not there"
            if place.exists():
                assert version.body == place.read_bytes(), f"{path} is another there"
        if self.removes:
            left = [entry.path for entry in entries_below(self.dest, b"") if bytes_of(entry)
                    and b"/.s3kit" not in entry.path]
            assert not left, f"not removed: {left}"
        self.nothing_left()
        locks = list((self.dest / ".s3kit").glob("*.put"))
        assert not locks, f"locks are left: {locks}"


def numbers(pattern, text):
    """Return the sum of the numbers that a pattern finds."""
    return sum(int(found.replace(",", "")) for found in pattern.findall(text))


def hashed(algorithm, data):
    """Return a raw checksum by the name that proofs have for it."""
    if algorithm in ("etag-md5", "md5"):
        return hashlib.md5(data).digest()
    return DIGESTS[algorithm.upper()](data)
