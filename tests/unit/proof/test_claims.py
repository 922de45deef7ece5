"""What S3 claims of an object's bytes: which claim is chosen, and honest proofs."""

import base64
import hashlib
import math

import pytest
from checkvalues import CHECK_VALUES, NINE, cut
from hypothesis import given
from hypothesis import strategies as st

from s3kit.proof.checksums import DIGEST_BYTES, hasher
from s3kit.proof.claims import (
    COMMON_PARTS,
    MIB,
    MOST_CANDIDATES,
    NO_CLAIM,
    Check,
    Claim,
    Parts,
    by_likeliest,
    candidates,
    checksum_claim,
    claim_of,
    etag_claim,
    is_met,
)

# The second as moto answered for parts of `a`, `b` and `c`.
HELLO_ETAG = "62109206880d38a4010a98e11243924a-1"


THREE_ETAG = "6f0cf9180d32ed442a7993004f71d499-3"


THREE = (b"a" * (5 * MIB), b"b" * (5 * MIB), b"c" * 100)


# A multipart upload of one empty part, as stream writers leave it.
EMPTY_ETAG = "59adb24ef3cdbe0297f05b395827453f-1"


def proof_of(claim, data, size=None):
    """Return the proof for the bytes."""
    check = Check(claim, len(data) if size is None else size)
    for piece in cut(data, (1, 4096, len(data) // 2)):
        check.update(piece)
    return check.proof()


def mp_etag(parts):
    """Return the ETag of a multipart upload, written down from S3's rule and not from our code."""
    digests = b"".join(hashlib.md5(part).digest() for part in parts)
    return f"{hashlib.md5(digests).hexdigest()}-{len(parts)}"


@given(st.binary(max_size=60), st.lists(st.integers(0, 60), max_size=6), st.integers(1, 20))
def test_parts_however_the_bytes_are_cut(data, places, size):
    """Each part is hashed apart, however its bytes arrive."""
    parts = Parts("md5", size)
    for piece in cut(data, places):
        parts.update(piece)
    if data:
        assert parts.all_parts() == [hashlib.md5(data[i:i + size]).digest()
                                     for i in range(0, len(data), size)]


@pytest.mark.parametrize("algorithm, value", CHECK_VALUES.items())
def test_full_checksums(algorithm, value):
    """A full-object checksum proves under its own name; one wrong bit is seen."""
    claim = claim_of(algorithm.upper(), "FULL_OBJECT", value, "", 9)
    assert (claim.kind, claim.proof) == ("full", algorithm)
    assert proof_of(claim, NINE) == algorithm
    assert proof_of(claim, b"123456788") == ""


def test_a_plain_etag_is_an_md5():
    """A single PUT's ETag proves as `etag-md5`."""
    claim = claim_of("", "", "", hashlib.md5(NINE).hexdigest(), 9)
    assert proof_of(claim, NINE) == "etag-md5"
    assert proof_of(claim, b"123456788") == ""


@pytest.mark.parametrize("etag, data, proof", [
    (HELLO_ETAG, b"hello", "etag-md5-parts:5"),
    (THREE_ETAG, b"".join(THREE), f"etag-md5-parts:{5 * MIB}"),
    (mp_etag([b"x" * 1000, b"y"]), b"x" * 1000 + b"y", "size")])
def test_multipart_etags(etag, data, proof):
    """The part size is found and named in the proof; where none is found, only the size is proven.
    """
    assert proof_of(claim_of("", "", "", etag, len(data)), data) == proof


def test_a_multipart_etag_of_nothing():
    """A multipart upload of one empty part is an empty object: its bytes are right."""
    assert mp_etag([b""]) == EMPTY_ETAG
    assert proof_of(claim_of("", "", "", EMPTY_ETAG, 0), b"") == "etag-md5-parts:1"


def test_a_known_part_size_is_held_to():
    """With the part size known a wrong bit is a mismatch; with a guessed one it proves nothing."""
    data = b"".join(THREE)
    wrong = b"b" + data[1:]
    claim = etag_claim(THREE_ETAG, len(data))
    assert proof_of(claim.with_part_size(5 * MIB), data) == f"etag-md5-parts:{5 * MIB}"
    assert proof_of(claim.with_part_size(5 * MIB), wrong) == ""
    assert proof_of(claim, wrong) == "size"
    assert proof_of(etag_claim(HELLO_ETAG, 5), b"hellO") == ""


@pytest.mark.parametrize("algorithm", ["crc32", "crc32c", "sha1", "sha256", "sha512", "xxhash64"])
def test_composite_checksums(algorithm):
    """A composite is the hash of the parts' hashes, with their number; it proves with the part
    size.
    """
    parts = (b"a" * (5 * MIB), b"b" * 7)
    digests = []
    for part in parts:
        h = hasher(algorithm)
        h.update(part)
        digests.append(h.digest())
    total = hasher(algorithm)
    total.update(b"".join(digests))
    value = base64.b64encode(total.digest()).decode() + "-2"
    claim = claim_of(algorithm.upper(), "COMPOSITE", value, "", sum(map(len, parts)))
    assert (claim.kind, claim.count) == ("parts", 2)
    assert (is_met(claim, digests) and not is_met(claim, digests[:1])
            and not is_met(claim, digests[::-1]))
    assert proof_of(claim, b"".join(parts)) == f"{algorithm}-parts:{5 * MIB}"


@pytest.mark.parametrize("kind, checksum, expected", [("FULL_OBJECT", "y/Q5Jg==", ("full", 0)),
                                                      ("", "y/Q5Jg==", ("full", 0)),
                                                      ("", "y/Q5Jg==-3", ("parts", 3)),
                                                      ("COMPOSITE", "y/Q5Jg==-3", ("parts", 3)),
                                                      ("COMPOSITE", "y/Q5Jg==", ("parts", 0))])
def test_what_a_checksum_speaks_of(kind, checksum, expected):
    """A number at its end or S3's word makes a composite; GetObjectAttributes leaves the number
    out.
    """
    claim = checksum_claim("crc32", kind, checksum)
    assert (claim.kind, claim.count) == expected


@pytest.mark.parametrize("algorithm, kind, etag, expected", [
    ("sha256", "", "e", ("full", 0, False)),
    ("sha256", "", "e-3", ("parts", 3, True)),          # S3 combines no SHA-256
    ("sha256", "FULL_OBJECT", "e-3", ("full", 0, False)),
    ("sha256", "COMPOSITE", "e-3", ("parts", 3, True)),
    ("sha256", "COMPOSITE", "e-1", ("parts", 1, False)),
    ("crc32", "", "e-3", ("full", 0, True)),            # of either kind
    ("crc64nvme", "", "e-3", ("full", 0, False)),
    ("sha256", "", "e-x", ("full", 0, False))])
def test_a_checksum_without_the_number_of_parts(algorithm, kind, etag, expected):
    """The ETag has it; what nobody said is derived."""
    value = base64.b64encode(bytes(DIGEST_BYTES[algorithm])).decode()
    claim = checksum_claim(algorithm, kind, value, etag)
    assert (claim.kind, claim.count, claim.is_derived) == expected


@given(st.lists(st.integers(1, 40), min_size=1, max_size=6), st.data())
def test_parts_of_any_sizes(sizes, data):
    """They are hashed one by one, however the bytes come, and told where a size is given."""
    body = bytes(range(sum(sizes)))
    starts = [sum(sizes[:n]) for n in range(len(sizes))]
    digests = [hashlib.md5(body[at:at + size]).digest() for at, size in zip(starts, sizes)]
    etag = f"{hashlib.md5(b''.join(digests)).hexdigest()}-{len(sizes)}"
    claim = etag_claim(etag, len(body)).with_sizes(sizes)
    check, cut = Check(claim, len(body)), data.draw(st.integers(0, len(body)))
    check.update(body[:cut])
    check.update(body[cut:])
    even = len(sizes) > 1 and len(set(sizes[:-1])) == 1 and sizes[-1] <= sizes[0]
    assert check.proof() == (f"etag-md5-parts:{sizes[0]}" if even else "etag-md5-parts")
    wrong = Check(claim, len(body))
    wrong.update(body[::-1] if len(body) > 1 else b"x")
    assert wrong.proof() == "" and claim.is_derived


# the cheapest that speaks of the whole object
@pytest.mark.parametrize("kind, etag, proof", [("FULL_OBJECT", "0" * 32, "crc32"),
                                               ("COMPOSITE", hashlib.md5(NINE).hexdigest(),
                                                "etag-md5"),  # a whole beats parts
                                               ("COMPOSITE", HELLO_ETAG, "crc32-parts")])
def test_one_claim_is_chosen(kind, etag, proof):
    """Of a checksum and an ETag one is checked: a whole before parts, the checksum before the ETag.
    """
    checksum = CHECK_VALUES["crc32"] + ("-1" if kind == "COMPOSITE" else "")
    assert claim_of("CRC32", kind, checksum, etag, 9).proof == proof


def test_an_encrypted_object_s_etag_is_no_md5():
    """SSE-KMS and SSE-C ETags look like MD5s and are none: nothing but the size is said."""
    claim = claim_of("", "", "", "0" * 32, 9, md5_etag=False)
    assert claim == NO_CLAIM
    assert proof_of(claim, NINE) == "size"


@pytest.mark.parametrize("etag", ["", "abc", "x" * 32, "0" * 31, "0" * 34, "0" * 32 + "-x",
                                  "0" * 32 + "-", "-3"])
def test_etags_that_say_nothing(etag):
    """An opaque ETag is no claim, and never a mismatch."""
    assert etag_claim(etag, 9) == NO_CLAIM


@pytest.mark.parametrize("claim", [lambda: etag_claim("0" * 32 + "-²", 9).kind,
                                   lambda: checksum_claim("crc32", "COMPOSITE", "y/Q5Jg==-²").kind])
def test_odd_digits_in_a_count(claim):
    """`²`.isdigit() is true and int() refuses it: a stranger's manifest must not end the command.
    """
    assert claim() in ("none", "parts")


@pytest.mark.parametrize("algorithm, checksum", [("", "y/Q5Jg=="), ("crc16", "y/Q5Jg=="),
                                                 ("crc32", "y/Q5J"), ("crc32", "no base64!"),
                                                 ("crc32", "ä")])
def test_checksums_that_say_nothing(algorithm, checksum):
    """What cannot be read is no claim."""
    assert checksum_claim(algorithm, "FULL_OBJECT", checksum) == NO_CLAIM


@pytest.mark.parametrize("algorithm, checksum",
                         [("crc32", "y/Q5"), ("sha256", "y/Q5Jg=="), ("crc32", "-3")])
def test_checksums_of_another_length(algorithm, checksum):
    """A value that the algorithm cannot have (a cell cut by hand) is no claim, rather than a
    mismatch.
    """
    assert checksum_claim(algorithm, "", checksum) == NO_CLAIM


SIZES = st.integers(1, 48 * 1024 * 1024 * MIB)


@pytest.mark.parametrize("part", COMMON_PARTS)
@given(size=SIZES)
def test_candidates_hold_the_part_size_of_known_tools(part, size):
    """What a tool cut is among the candidates, wherever a part size gives that number of parts."""
    count = math.ceil(size / part)
    if count > 1 and len([p for p in COMMON_PARTS
                          if math.ceil(size / p) == count]) <= MOST_CANDIDATES:
        assert part in candidates(size, count)


@given(SIZES, st.integers(5, 5120))
def test_candidates_hold_every_whole_mebibyte_where_many_parts_leave_few(size, mebibytes):
    """Many parts leave a narrow range: then any whole MiB is found, whoever chose it."""
    part = mebibytes * MIB
    count = math.ceil(size / part)
    if count > 1 and (size - 1) // (count - 1) - size // count < 2 * MIB:
        assert part in candidates(size, count)


@given(SIZES, st.integers(2, 10000))
def test_candidates_are_possible(size, count):
    """Every candidate gives that very number of parts, none comes twice, and they are few."""
    found = candidates(size, count)
    assert all(math.ceil(size / part) == count for part in found)
    assert len(set(found)) == len(found) <= MOST_CANDIDATES


@pytest.mark.parametrize("size, count, found", [
    (5, 1, [5]), (0, 1, [1]), (5 << 30, 640, [8 * MIB]), (5, 9, []), (0, 3, []), (10, 0, [10])])
def test_candidates_at_the_borders(size, count, found):
    """One part is the object; more parts than bytes are impossible."""
    assert candidates(size, count) == found


@pytest.mark.parametrize("etag", ["00 " * 16, "0" * 16 + " " + "0" * 16, "0" * 32 + " "])
def test_an_etag_with_blanks_is_not_an_md5(etag):
    """bytes.fromhex passes over them; it would be a mismatch that is none."""
    assert etag_claim(etag, 9) == NO_CLAIM


@pytest.mark.parametrize("size", [-1, None])
def test_an_unknown_size_gives_no_part_size(size):
    """A server that sends no length leaves it at -1: no wrong size may speak against the bytes."""
    claim = etag_claim(HELLO_ETAG, size)
    assert (claim.count, claim.part_size) == (1, 0) and candidates(-1, 1) == candidates(-1, 3) == []
    assert proof_of(claim, b"hello", -1) == "size"


@given(st.text(max_size=40), st.text(max_size=40), st.text(max_size=40), st.text(max_size=40),
       st.integers(-1, 1 << 50) | st.none())
def test_no_cell_ends_the_command(algorithm, kind, checksum, etag, size):
    """Whatever a stranger's manifest says, there is a claim or none."""
    claim = claim_of(algorithm, kind, checksum, etag, size)
    assert claim.kind in ("full", "parts", "none") and bool(claim.expected) == (claim != NO_CLAIM)


@given(st.sampled_from(list(CHECK_VALUES)), st.binary(max_size=50), st.booleans())
def test_the_cheapest_claim_of_right_values_is_met(algorithm, data, is_lower):
    """An object's own checksum and ETag, whichever is chosen."""
    h = hasher(algorithm)
    h.update(data)
    name = algorithm if is_lower else algorithm.upper()
    claim = claim_of(name, "FULL_OBJECT", base64.b64encode(h.digest()).decode(),
                     hashlib.md5(data).hexdigest(), len(data))
    assert proof_of(claim, data) == algorithm and proof_of(claim, data + b"x") == ""


@pytest.mark.parametrize("is_derived, found, before, proof", [
    (True, "", "ours", "size"), (True, "", "other", ""), (True, "", "", ""),
    (False, "", "ours", ""), (True, "etag-md5", "ours", "etag-md5")])
def test_the_same_bytes_twice(is_derived, found, before, proof):
    """They prove a size where the claim may be wrong, and nothing against S3's own word."""
    claim = Claim("full", "md5", b"", "etag-md5", is_derived=is_derived)
    assert claim.proof_by(found, "ours", before) == proof


@pytest.mark.parametrize("etag, told, likely, wanted", [
    ("-4", 0, 0, 8 * MIB), ("-4", 0, 9 * MIB, 9 * MIB), ("-4", 0, 16 * MIB, 8 * MIB),
    ("-4", 9 * MIB, 8 * MIB, 9 * MIB), ("-1", 0, 8 * MIB, 0), ("", 0, 8 * MIB, 0)])
def test_the_part_size_that_ranges_are_hashed_by(etag, told, likely, wanted):
    """What was told, else that of the object before if it may be, else the likeliest."""
    claim = etag_claim("0" * 32 + etag, 32 * MIB)
    claim = claim.with_part_size(told) if told else claim
    assert by_likeliest(claim, 32 * MIB, likely).part_size == wanted


def test_no_part_size_that_makes_ranges_long():
    """It is only guessed. Parts of several sizes, and a number that is not known, give none."""
    assert by_likeliest(etag_claim("0" * 32 + "-2", 1 << 30), 1 << 30, 0).part_size == 0
    uneven = etag_claim("0" * 32 + "-2", 9).with_sizes((3, 6))
    assert by_likeliest(uneven, 9, 0) == uneven._replace(sizes=())
    nameless = checksum_claim("sha256", "COMPOSITE", base64.b64encode(bytes(32)).decode())
    assert by_likeliest(nameless, 32 * MIB, 8 * MIB) == nameless
