"""The files of AWS's configuration, as botocore reads them."""

import botocore.session
import pytest

from s3kit.s3.profiles import profile, sections

CONFIG = """[default]
region = a
[profile "one two"]
Region : b
s3 =
  max_queue_size = 9

  addressing_style = path
[profile  three]
region = c
  d
[profile three four]
[profile 'open]
[four]
region = d
"""


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Return f(config, credentials) -> their paths, which botocore is told, too."""
    def write(config, shared=""):
        paths = []
        for name, text in (("AWS_CONFIG_FILE", config), ("AWS_SHARED_CREDENTIALS_FILE", shared)):
            (tmp_path / name).write_text(text)
            paths.append(f"$VAULT/{name}")
            monkeypatch.setenv(name, paths[-1])
        monkeypatch.setenv("VAULT", str(tmp_path))
        return paths
    return write


def test_the_profiles_are_botocores(files):
    """Quotes, blanks, capitals, what is indented, what is not a profile."""
    paths = files(CONFIG)
    wanted = botocore.session.Session().full_config["profiles"]
    assert wanted.keys() == {"default", "one two", "three"}
    for name in wanted.keys() | {"four", "three four", "open"}:
        assert profile(name, *paths) == (wanted.get(name, {}), {})
    assert wanted["one two"]["s3"] == {"max_queue_size": "9", "addressing_style": "path"}


def test_the_credentials_file_has_names_alone(files):
    """There `profile x` is a name like others; the last `default` of the other file counts."""
    paths = files("[default]\nregion = a\n[profile default]\nregion = b\n",
                  "[profile x]\na = 1\n[x]\na = 2\n")
    assert profile("x", *paths) == ({}, {"a": "2"})
    assert profile("profile x", *paths) == ({}, {"a": "1"})
    assert profile("default", *paths) == ({"region": "b"}, {})


def test_files_that_are_not_there(tmp_path):
    """Nor is a directory a file."""
    assert profile("x", str(tmp_path / "none"), str(tmp_path)) == ({}, {})


@pytest.mark.parametrize("text", [
    b"region = x\n", b"[a\n", b"[a]\n[a]\n", b"[a]\nx = 1\nX = 2\n", b"[a]\nx =\n  y\n",
    "\ufeff[a]\n".encode(), "[a]\n".encode("utf-16"), b"[a]\nx = \xff\n", b"[a]\nx\n"])
def test_what_botocore_refuses(tmp_path, text):
    """It is refused here, too."""
    (tmp_path / "config").write_bytes(text)
    with pytest.raises(ValueError):
        sections(str(tmp_path / "config"))
