"""What a large object's bytes are worth: by the sums of its ranges, else by reading it."""

import hashlib
import os

import pytest

from s3kit.proof.claims import etag_claim
from s3kit.transfer import job as jobs
from s3kit.transfer.job import Outcome
from unit.fetch.conftest import STEP, answer

SIZE = 4 * STEP
PART = hashlib.md5(b"part").digest()        # of every STEP bytes, as the ranges say


def claim_of_parts(count, digests=()):
    """Return the Claim of `count` parts whose MD5s these are, their size not known."""
    expected = hashlib.md5(b"".join(digests)).hexdigest()
    return etag_claim(f"{expected}-{count}", SIZE)


def come(fetching, objects, parts):
    """Answer all ranges that were sent; each says these parts' digests."""
    sent = list(fetching.stage.sent)
    fetching.stage.sent.clear()
    for errand, job in sent:
        answer(objects, errand, job, parts)
    return fetching.stage.sent


def written(fetching):
    """Return the proof of the one file that may have its name after the next flush."""
    [errand] = fetching.stage.unflushed
    return errand.written.proof


def test_the_likeliest_part_size_is_hashed_on_the_way(begun):
    """Where it is right nothing is read again, and it is the likeliest of the next object."""
    fetching, objects, errand = begun(4, claim_of_parts(4, [PART] * 4))
    assert {job.claim.part_size for _, job in fetching.stage.sent} == {STEP}
    assert come(fetching, objects, [PART]) == []
    assert written(fetching) == f"etag-md5-parts:{STEP}"
    assert objects.proving.part_sizes == {"b": STEP}


@pytest.mark.parametrize("before, hashed", [(3, 3), (5, 2), (1, 2)])
def test_the_part_size_of_the_object_before(begun, before, hashed):
    """It goes before what tools do, if it gives the number of parts."""
    fetching, _, _ = begun(4, claim_of_parts(2), likely=before * STEP)
    assert {job.claim.part_size for _, job in fetching.stage.sent} == {hashed * STEP}


def test_a_part_size_that_is_not_right(begun):
    """It says nothing against the bytes: the file is read for the others; where none is right S3
    is asked once more, and with nothing new the bytes are kept, not proven.
    """
    fetching, objects, errand = begun(4, claim := claim_of_parts(2))
    [(_, job)] = come(fetching, objects, [PART])
    assert (job.kind, job.claim) == ("check", claim)
    objects.proving.checked(errand, Outcome(jobs.CHECKED, proof="size", digest="d"))
    assert fetching.stage.sent[-1][1].kind == "parts" and not fetching.stage.unflushed
    objects.surveyed(errand, Outcome(jobs.SURVEYED, size=SIZE, claim=claim))
    assert written(fetching) == "size" and len(fetching.stage.sent) == 2
    assert not fetching.again and not objects.proving.part_sizes


def test_the_only_part_size_that_there_can_be(begun):
    """The file need not be read to find that it is not right."""
    fetching, objects, errand = begun(4, claim_of_parts(4))
    [(_, job)] = come(fetching, objects, [PART])
    assert job.kind == "parts" and errand.large.found[0] == "size"


def test_part_sizes_that_s3_tells_late(begun):
    """The file is read by them."""
    fetching, objects, errand = begun(4, claim := claim_of_parts(4))
    come(fetching, objects, [PART])
    objects.surveyed(errand, Outcome(jobs.SURVEYED, size=SIZE, claim=claim.with_sizes(
        (1, 2, 3, SIZE - 6))))
    assert (fetching.stage.sent[-1][1].kind, len(fetching.stage.sent[-1][1].claim.sizes)) == (
        "check", 4)


def test_one_part_is_read_as_a_whole(begun):
    """Its ranges are as those of other objects."""
    fetching, objects, _ = begun(4, etag_claim("0" * 32 + "-1", SIZE))
    assert [(job.start, job.end) for _, job in fetching.stage.sent] == [
        (n * STEP, (n + 1) * STEP) for n in range(4)]
    [(_, job)] = come(fetching, objects, [])
    assert (job.kind, job.claim.part_size) == ("check", SIZE)


@pytest.mark.parametrize("suspect, kept", [("", False), ("other", False), ("d", True)])
def test_bytes_that_do_not_meet_a_derived_claim(begun, suspect, kept):
    """The sizes of all parts are asked for, then the whole object again; the same bytes, twice, are
    kept.
    """
    fetching, objects, errand = begun(2)
    sent = fetching.stage.sent
    errand.large.claim = claim = etag_claim("0" * 32 + "-2", 2 * STEP).with_part_size(STEP)
    errand.job = errand.job._replace(suspect=suspect)
    objects.proving.finish(errand, "", "d")
    assert sent[-1][1].kind == "parts" and errand.large
    objects.surveyed(errand, Outcome(jobs.SURVEYED, size=2 * STEP, claim=claim.with_sizes((5, 6))))
    assert (sent[-1][1].kind, sent[-1][1].claim.sizes) == ("check", (5, 6))
    objects.proving.checked(errand, Outcome(jobs.CHECKED, proof="", digest="d"))
    if kept:
        assert fetching.stage.unflushed[0].written.proof == "size" and not fetching.again
    else:
        assert [outcome.digest for outcome in fetching.again] == ["d"] and errand.large is None


@pytest.mark.parametrize("meant, given", [(5, 7), (6, 5)])
def test_a_file_that_was_found_in_its_place_gets_its_time(begun, meant, given):
    """If it is still the one that was read."""
    fetching, objects, errand = begun(1)
    objects.drop_all()
    errand.large = None
    path = os.path.join(fetching.tree.path, "b/k")
    os.makedirs(os.path.dirname(path))
    with open(path, "wb") as file:
        os.utime(file.fileno(), ns=(5, 5))
    errand.job = errand.job._replace(mtime_ns=7)
    objects.proving.checked(errand, Outcome(jobs.CHECKED, proof="etag-md5", mtime_ns=meant,
                                            inode=os.stat(path).st_ino))
    [outcome] = fetching.files
    assert os.stat(path).st_mtime_ns == given
    assert (outcome.state, outcome.mtime_ns) == (jobs.FETCHED, 7 if meant == 5 else meant)
