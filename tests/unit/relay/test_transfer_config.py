"""config.yaml of transfer_v5, in both ages."""

import os

import pytest

from s3kit.errors import Usage
from s3kit.relay import transfer_config
from s3kit.relay.config import Config, VolumeConfig, read
from s3kit.relay.side_settings import SideConfig

GB = 1 << 30


@pytest.fixture(autouse=True)
def mounted(monkeypatch, tmp_path):
    """Return what stands before the numbers of volumes in place of /tmp/volume-; those are mounts
    whose directories have a file `mounted`.
    """
    (tmp_path / "mnt").mkdir()
    start = str(tmp_path / "mnt" / "volume-")
    monkeypatch.setattr(transfer_config, "MOUNTED", start)
    monkeypatch.setattr(os.path, "ismount", lambda path: os.path.exists(f"{path}/mounted"))
    return start


def said(found, words):
    """Return whether one of a Config's warnings has these words."""
    return [words in text for text in found.warnings].count(True) == 1


def test_v5(sample, tmp_path):
    """One endpoint, sizes in GB, one directory; the adapter of a device."""
    found = read(sample("transfer_v5"))
    assert found._replace(warnings=()) == Config(
        SideConfig("s3://source-bucket-name/runs/", region="snow",
                   endpoint_url="http://192.0.2.12:8080",
                   keys=("FAKE-SOURCE-KEY", "FAKE-SOURCE-SECRET", "")),
        SideConfig("s3://destination-bucket-name/", region="us-east-1"),
        [VolumeConfig(str(tmp_path / "staging"))], order="large", round_size=200 * GB, is_old=True)
    for words in ("destination.access_key is no key", "l2dest is not heeded", "has keys in it",
                  "source: http and the region 'snow'"):
        assert said(found, words)
    assert len(found.warnings) == 4


def test_v11(sample):
    """Lists of endpoints, bytes for each volume, volumes by name."""
    found = read(sample("transfer_v11"))
    assert found._replace(warnings=()) == Config(
        SideConfig("s3://source-bucket-name/", region="snow", endpoint_url="https://192.0.2.12",
                   no_verify_ssl=True, keys=("FAKE-SOURCE-KEY", "FAKE-SOURCE-SECRET", "")),
        SideConfig("s3://destination-bucket-name/moved", region="us-east-1",
                   keys=("FAKE-TARGET-KEY", "FAKE-TARGET-SECRET", "")),
        [VolumeConfig("/data/one", 52073738204), VolumeConfig("/data/two", 52073738204)],
        order="large", is_old=True)
    for words in ("has 2 endpoints: https://192.0.2.12 is used alone", "is not checked",
                  "l2dest is not heeded", "src_use_native_s3 is not heeded", "has keys in it"):
        assert said(found, words)
    assert len(found.warnings) == 5


@pytest.mark.parametrize("text, size, told", [
    ("200", 200 * GB, ""), ("0.5", GB >> 1, ""), ("1_000", 1000 * GB, ""),
    ("52073738204", 52073738204, "taken for bytes (48G)")])
def test_sizes_of_v5(sample, text, size, told):
    """GB; what would be more than any disk is bytes, and that is said."""
    found = read(sample("transfer_v5", pieces=[("src2l: 200", f"src2l: {text}")]))
    assert found.round_size == size and (not told or said(found, told))
    assert len(found.warnings) == 4 + bool(told)


@pytest.mark.parametrize("text, size, told", [
    ("52073738204", 52073738204, ""), ("1048576", 1 << 20, ""),
    ("500", 500 * GB, "taken for GB (500G)")])
def test_sizes_of_v11(sample, text, size, told):
    """Bytes; what no file would fit in is GB, and that is said."""
    found = read(sample("transfer_v11", pieces=[("52073738204", text)]))
    assert {volume.budget for volume in found.volumes} == {size} and found.round_size is None
    assert not told or said(found, told)


@pytest.mark.parametrize("prefix", ["", "p", "p/", "/p/", "a b/é", "007", "2026-01-31"])
def test_prefixes_stay_as_they_are(sample, prefix):
    """With and without a slash, with and without quotes."""
    found = read(sample("transfer_v5", pieces=[('"runs/"', prefix)]))
    assert found.source.address == f"s3://source-bucket-name/{prefix}"


def test_volumes_below_the_directory(sample, tmp_path, mounted):
    """Those that exist, and no others."""
    for name in ("staging/volume-01", "staging/volume-07", "staging/volume-7", "mnt/volume-02"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "staging/volume-03").touch()
    found = read(sample("transfer_v5"))
    assert [volume.path for volume in found.volumes] == [
        str(tmp_path / "staging/volume-01"), str(tmp_path / "staging/volume-07")]
    assert said(found, "2 volumes found there")


def test_volumes_that_are_mounted(sample, tmp_path, mounted):
    """Where its own script mounts them; a directory of that name may be anybody's."""
    for number in ("01", "02", "03"):
        os.mkdir(mounted + number)
    for number in ("01", "03"):
        open(f"{mounted}{number}/mounted", "w").close()
    default = [("['/data/one', '/data/two']", "['default']")]
    found = read(sample("transfer_v11", pieces=default))
    assert found.volumes == [VolumeConfig(mounted + "01", 52073738204),
                             VolumeConfig(mounted + "03", 52073738204)]
    assert said(found, f"'{mounted}02' is no mounted disk") and said(found, "2 volumes found")


def test_no_volumes(sample):
    """The command line can name them, but whose limit it is then nobody knows."""
    found = read(sample("transfer_v11", pieces=[
        ("['/data/one', '/data/two']", "['default']"), ('"temp_files_for_transfer/"', "")]))
    assert found.volumes == [] and said(found, "src2l is not heeded")


@pytest.mark.parametrize("text, url, is_blind", [
    ("['no_endpoint']", None, False), ("no_endpoint", None, False), ("", None, False),
    ("https://h", "https://h", True), ("http://h:9000", "http://h:9000", False),
    ("b.s3-accelerate.amazonaws.com", "https://s3-accelerate.amazonaws.com", False),
    ("['https://b.s3-accelerate.dualstack.amazonaws.com']",
     "https://s3-accelerate.dualstack.amazonaws.com", False),
    ("['https://h', 'https://h']", "https://h", True)])
def test_endpoints(sample, text, url, is_blind):
    """Certificates are looked at where they are Amazon's, for devices sign their own."""
    found = read(sample("transfer_v5", pieces=[("'no_endpoint'", text)]))
    assert (found.target.endpoint_url, found.target.no_verify_ssl) == (url, is_blind)
    assert not said(found, "is used alone")


def test_a_list_of_failed_endpoints(sample, tmp_path):
    """It is an old run's word."""
    (tmp_path / "failed_endpoints.json").write_text("{}")
    assert said(read(sample("transfer_v11")), "failed_endpoints.json' is not heeded")


@pytest.mark.parametrize("old, new, words", [
    ("delete_staging_data: True", "delete_staging_data: False", "s3-relay keeps no copies"),
    ("delete_staging_data: True", "delete_staging_data: 5", "neither true nor false"),
    ("delete_staging_data", "delete_staging_date", "was 'delete_staging_data' meant?"),
    ("['/data/one', '/data/two']", "/data/one", "staging_volumes is not a list"),
    ("'/data/two'", "/data/one/", "volumes has '/data/one' twice"),
    ("52073738204", "0", "src2l is 0"), ("52073738204", "much", "src2l is not a number"),
    ("52073738204", "-5", "src2l is not a number"), ("52073738204", "1e9", "is not a number"),
    ('"source-bucket-name"', "", "source.bucket_name is missing"),
    ('"source-bucket-name"', "s3://b/p", "source.bucket_name cannot be"),
    ('"source-bucket-name"', "a?b", "source.bucket_name makes no sense"),
    ("source:", "sauce:", "was 'source' meant?"),
    ("'https://192.0.2.12', 'https://192.0.2.13'", "", "is an empty list"),
    ("'https://192.0.2.12', 'https://192.0.2.13'", "no_endpoint", "(region 'snow') has no other"),
    ("'https://192.0.2.12', 'https://192.0.2.13'", "192.0.2.12", "src_endpoint_url is not a URL"),
    ("'FAKE-SOURCE-SECRET'", "", "source.secret_access_key is missing")])
def test_what_makes_no_sense(sample, old, new, words):
    """One line that says where."""
    path = sample("transfer_v11", pieces=[(old, new)])
    with pytest.raises(Usage) as raised:
        read(path)
    complaint = str(raised.value).replace(path, "f")    # pytest names directories after parameters
    assert words in complaint and "FAKE" not in complaint
