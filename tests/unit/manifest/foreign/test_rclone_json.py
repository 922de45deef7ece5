"""What rclone lists."""

import pytest
from foreignruns import LISTINGS, listing, read
from odd_keys import KEYS

from s3kit.errors import Cut
from s3kit.manifest.foreign.rclone_json import Reader


@pytest.mark.parametrize("step", [1, 999, None])
def test_a_real_listing(step):
    """Control characters are what they were; two that are written alike are not guessed."""
    rows, stop = listing(Reader("odd-keys"), "rclone.json", step)
    assert stop is None
    keys = {row.key for row in rows if not row.verbatim}
    assert {"x\ny", "x\ty\r", "c\x01d", "del\x7f", "\x1b[31mred", "x\u240ay", "<x>"} <= keys
    assert keys <= {*KEYS, "007", "NA", "null", "cold", "x\u240ay"}
    unsure = [row for row in rows if row.verbatim]
    assert len(unsure) == 7 and {row.state for row in unsure} == {"failed"}
    cold = next(row for row in rows if row.key == "cold")
    assert (cold.digest, cold.size, cold.storage_class, cold.last_modified, cold.bucket) == (
        "md5:7bdff76536f12a7c5ffde207e72cfe3a", "3", "GLACIER", "", "odd-keys")
    assert cold.extra == {"ModTime": "2026-11-29T02:06:55.000000000Z"}


@pytest.mark.parametrize("hashes, digest", [
    ('{"md5":"%s"}' % ("a" * 32), "md5:" + "a" * 32), ('{"md5":""}', ""), ("null", ""),
    ('{"md5":"ERROR"}', ""), ('{"md5":"%s","sha256":"%s"}' % ("a" * 32, "B" * 64),
                              "sha256:" + "b" * 64), ('{"crc32":"aaaaaaaa"}', "")])
def test_hashes(hashes, digest):
    """The strongest that is one."""
    row = read(Reader("b"), f'[{{"Path":"k","Hashes":{hashes}}}]'.encode())[0][0]
    assert row.digest == digest


@pytest.mark.parametrize("at", range(1, 1300, 61))
def test_a_cut_list(at):
    assert isinstance(read(Reader("b"), (LISTINGS / "rclone.json").read_bytes()[:at])[1], Cut)


def test_one_level_is_not_all():
    """Without -R a directory is listed, and nothing in it."""
    level = b'[{"Path":"a","Size":1},{"Path":"d","Size":-1,"IsDir":true}'
    assert "'d'" in str(read(Reader("b"), level + b"]")[1])
    assert read(Reader("b"), level + b',{"Path":"d/x","Size":1}]')[1] is None


def test_what_is_not_of_rclone():
    """An object instead of a list; text in it; nothing at all."""
    assert "not a list" in str(read(Reader("b"), b'{"Path":"k"}')[1])
    rows, stop = read(Reader("b"), b'[\n"k",{"Name":"k"}]')
    assert stop is None and [row.error[:7] for row in rows] == ["line 2:", "line 2:"]
    assert isinstance(read(Reader("b"), b"")[1], Cut) and read(Reader("b"), b"[\n]\n")[1] is None
