"""From key to path and back: two keys never share a file, and no key leads outside."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from s3kit.disk.paths import (
    BESIDE_DIRECTORY,
    BESIDE_FILE,
    file_of_folder,
    is_inside,
    key_of,
    name_of,
    path_in_bucket,
    path_of,
    version_of,
    with_clash,
    with_mark,
)
from s3kit.errors import Usage
from s3kit.s3.address import Endpoint, has_dots, parse_s3

# Keys made of what is special to us, to file systems and to UTF-8; and keys with components too
# long for one name, whose cut may fall into a character or an escape.
PIECES = st.sampled_from(("%", "%25", "%+", "%d", "%f", "%v", "%=", "%_", "%2E", "%0", "%C2",
                          "%EF%BF", "0A", "80", "BE", "+", "d", "f", "v", "=", "_", "/", ".", "..",
                          "//", "\0", "\n", "\x7f", "\x80", "\ufffe", "a", "é", "e\u0301", "😀", " ",
                          "-", "A", ".s3kit"))
SPECIAL = st.lists(PIECES, min_size=1, max_size=12).map("".join)
LONG = st.lists(st.tuples(PIECES, st.integers(1, 300)).map(lambda piece: piece[0] * piece[1]),
                min_size=1, max_size=4).map("".join).map(lambda key: key.encode()[:1024]
                                                         .decode(errors="ignore"))
PLAIN = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=256)
KEYS = (SPECIAL | LONG | PLAIN).filter(lambda key: 1 <= len(key.encode()) <= 1024)
VERSIONS = st.sampled_from(("", "", "null", "3sL4kq", "a/b", "..", "%v", "ü")) | st.text(
    st.characters(exclude_categories=("Cs",)), max_size=100)
DIGEST = "0123456789abcdef"


@pytest.mark.parametrize("key, path", [
    ("2024/ä b.jpg", "b/2024/ä b.jpg"),
    ("100%", "b/100%"),
    ("a%20b", "b/a%20b"),
    ("a\\b:c*?", "b/a\\b:c*?"),
    (".", "b/%2E"), ("..", "b/%2E%2E"), ("...", "b/..."),
    ("../../etc/passwd", "b/%2E%2E/%2E%2E/etc/passwd"),
    ("/a", "b/%_/a"), ("a//b", "b/a/%_/b"), ("/", "b/%_/"), ("//", "b/%_/%_/"), ("a/", "b/a/"),
    ("a\nb\0", "b/a%0Ab%00"), ("\x85\x80", "b/%C2%85%C2%80"), ("%C2%80", "b/%25C2%80"),
    ("\uffff", "b/%EF%BF%BF"),
    ("%25", "b/%2525"), ("%0A", "b/%250A"), ("%0a", "b/%0a"), ("%2E", "b/%252E"),
    ("x%2E", "b/x%2E"),
    ("%_", "b/%25_"), ("a%d", "b/a%25d"), ("a%vb", "b/a%25vb")])
def test_paths(key, path):
    """The path is the key wherever a file system can hold it, and can always be read back."""
    assert path_of("b", key) == path
    assert key_of(path) == ("b", key)


@given(st.text(st.characters(categories=("L", "N", "S", "Zs"), include_characters="-_.,;!'()/"),
               min_size=1, max_size=60))
def test_ordinary_keys_are_their_own_paths(key):
    """People find their files under the names that they gave them."""
    if not {"", ".", ".."} & set(key.split("/")):
        assert path_of("b", key) == f"b/{key}"


@given(KEYS, VERSIONS)
@example("%" * 1024, "")
@example("\ufffe" * 341, "")
@example("a" * 239 + "\ufffe" + "b" * 100, "")
@example("x" * 240 + "/" + "y" * 255 + "/" + "z" * 256, "v" * 1024)
def test_every_path_leads_back_to_its_key(key, version):
    """key_of(path_of(k)) == k, with or without a version: so no two keys share a path."""
    assert key_of(path_of("b", key, version)) == ("b", key)
    assert path_of("b", key, version) == f"b/{path_in_bucket(key, version)}"
    assert key_of(file_of_folder(path_of("b", key + "/"))) == ("b", key + "/")


@given(KEYS, KEYS, VERSIONS, VERSIONS)
@example("a", "a%vnull", "null", "")
@example("a/", "a", "null", "null")
@example("a/", "a/%_", "", "")
def test_no_two_versions_share_a_file(one, other, version, another):
    """Different keys, or different versions of one key, lie in different files."""
    def file(key, of):
        path = path_of("b", key, of)
        return file_of_folder(path) if path.endswith("/") else path

    if (one, version) != (other, another):
        assert file(one, version) != file(other, another)


@given(KEYS, VERSIONS)
@example("😀" * 256, "")
@example("\x01" * 1024, "")
@example("a/.." * 256, "..")
def test_every_name_fits_a_file_system(key, version):
    """Every component is a name of 1 to 255 bytes, never `.` or `..`, without control characters.
    """
    path = path_of("b", key, version)
    assert is_inside(path)
    names = path.removesuffix("/").split("/")
    assert all(0 < len(name.encode()) <= 255 for name in names)
    assert not {".", ".."} & set(names)
    assert not [c for c in path if ord(c) < 32 or ord(c) == 127]


@given(KEYS, VERSIONS, st.sets(st.integers(1, 9)),
       st.sampled_from(("", BESIDE_FILE, BESIDE_DIRECTORY)))
@example("x" * 300, "3sL4kq", {1, 2}, "")
@example("x" * 240, "3sL4kq", {1}, BESIDE_DIRECTORY)
@example("x", "v" * 300, {1, 2}, BESIDE_DIRECTORY)
@example("x" * 237, "", {1}, BESIDE_FILE)       # the mark of the clash lies in two pieces
@example("x" * 224, "", {1}, BESIDE_FILE)
def test_marks_come_off_again(key, version, clashes, beside):
    """A version, clashes of spellings anywhere, a file where a directory is or the other way: key
    and version are still there.
    """
    path = path_of("b", key, version).removesuffix("/")
    # In the order in which tree.py finds need of them.
    names = [with_clash(name, DIGEST) if at in clashes else name for at,
             name in enumerate(path.split("/"))]
    path = "/".join(names)
    path = with_mark(path, beside) if beside else path
    assert key_of(path) == ("b", key if version else key.removesuffix("/"))
    assert all(0 < len(name.encode()) <= 255 for name in path.split("/"))
    if not beside and re.fullmatch("[ -~]*", version):
        assert version_of(path) == version


@given(st.text("abAB%+", min_size=1, max_size=1024), st.text("abAB%+", min_size=1, max_size=1024))
@example("x" * 256, "X" * 256)
@example("x" * 256 + "y", "X" * 256 + "y")
def test_a_clash_shares_no_directory(one, other):
    """The first piece of a name with the mark is no other spelling of any other name's first piece.
    """
    def first(name):
        return name.partition("/")[0].casefold()

    if one != other:
        marked = with_clash(name_of(one).partition("/")[0], DIGEST)
        assert DIGEST in first(marked)
        assert first(marked) != first(name_of(other))


@given(KEYS)
def test_marked_names_are_no_key_s_own(key):
    """A name with a mark is never the plain path of some other key."""
    path = path_of("b", key).removesuffix("/")
    folder, _, name = path.rpartition("/")
    for marked in (with_mark(path, BESIDE_FILE), with_mark(path, BESIDE_DIRECTORY),
                   f"{folder}/{with_clash(name, DIGEST)}"):
        assert path_of(*key_of(marked)).removesuffix("/") != marked


def test_a_bucket_beside_a_file():
    """Where a file has a bucket's name, the bucket's directory lies beside it; no bucket is named
    so.
    """
    assert key_of(f"b{BESIDE_FILE}/a") == ("b", "a")


def test_long_components_nest():
    """A component over 255 bytes goes on in a directory; only then, and cut between characters."""
    assert name_of("a" * 255) == "a" * 255
    assert name_of("a" * 256) == "a" * 240 + "%+/" + "a" * 16
    assert name_of("a" + "é" * 128) == "a" + "é" * 119 + "%+/" + "é" * 9
    assert name_of("a" * 239 + "\n" + "b" * 20) == "a" * 239 + "%+/%0A" + "b" * 20


@pytest.mark.parametrize("path", ["", "b", "b/", "/a", "/", "b/a%+", "b/a%+/b%+"])
def test_what_is_no_path_of_ours(path):
    """A path without a bucket, without a key, or that ends in the middle of a name comes from no
    key.
    """
    with pytest.raises(ValueError, match="not a path of ours"):
        key_of(path)


@pytest.mark.parametrize("path, inside", [("b/a.jpg", True), ("b/dir/", True), ("a", True),
                                          (".hidden", True), ("b/.s3kit/a", True),
                                          (".s3kit-x/a", True), ("", False), ("/", False),
                                          ("/etc/passwd", False), ("a//b", False), ("a/./b", False),
                                          ("../a", False), ("a/..", False), ("a/../..", False),
                                          ("..", False), (".", False), ("./a", False),
                                          ("a\0b", False), ("a/\0", False), ("a//", False),
                                          (".s3kit", False), (".s3kit/ledger.sqlite3", False),
                                          (".s3kit/", False)])
def test_where_a_path_from_a_manifest_may_lead(path, inside):
    """A person's or a stranger's `path` stays below the destination and out of our own folder."""
    assert is_inside(path) is inside


@pytest.mark.parametrize("path", [".S3KIT/ledger.sqlite3", ".S3kit/parts/x"])
def test_our_folder_in_other_letters(path):
    """Where a file system folds case, `.S3KIT` is our own folder too."""
    assert not is_inside(path)


@pytest.mark.parametrize("text, address", [("s3://bucket", ("bucket", "")),
                                           ("s3://bucket/", ("bucket", "")),
                                           ("s3://b/a/b c", ("b", "a/b c")),
                                           ("s3://b//a", ("b", "/a")),
                                           ("s3://b/a?b#c%20", ("b", "a?b#c%20"))])
def test_s3_addresses(text, address):
    """All after the bucket's slash is the key, as it stands."""
    assert parse_s3(text) == address


@pytest.mark.parametrize("text, why", [
    ("bucket/key",
     "'bucket/key' is not an S3 address (s3://bucket/prefix): did you mean s3://bucket/key?"),
    ("/bucket", "'/bucket' is not an S3 address (s3://bucket/prefix)"),
    ("s3://", "'s3://' names no bucket"), ("s3:///key", "'s3:///key' names no bucket")])
def test_no_s3_address(text, why):
    """What cannot be meant is a usage error."""
    with pytest.raises(Usage) as error:
        parse_s3(text)
    assert str(error.value) == why


def test_urls_of_objects():
    """Every byte that is not plain is encoded, slashes are kept."""
    endpoint = Endpoint("b", "https://s3.example/b")
    assert (endpoint.object_url("a b/ä+?#%.txt")
            == "https://s3.example/b/a%20b/%C3%A4%2B%3F%23%25.txt")
    assert endpoint.object_url("a", "versionId=null") == "https://s3.example/b/a?versionId=null"


def test_secrets_never_show():
    """An endpoint in a message or a traceback holds no credential."""
    shown = repr(Endpoint("b", "https://h/b", "eu-west-1", "AKIA-canary", "secret-canary",
                          "token-canary"))
    assert "canary" not in shown and "eu-west-1" in shown


@pytest.mark.parametrize("key, dots", [
    ("a.b", False), ("...", False), ("a/.b", False), ("a..b/c", False), ("", False),
    (".", True), ("..", True), ("a/../b", True), ("./a", True), ("a/.", True)])
def test_keys_that_libcurl_will_not_sign(key, dots):
    """Only whole components of one or two dots are dot segments."""
    assert has_dots(key) is dots
