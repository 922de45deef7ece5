"""`pip install .` gives the same commands as bin/, with their pages and completions (issue 2, item
9).
"""

import os
import shutil
import subprocess
import sys

import pytest
from conftest import BIN, ROOT, clean_env


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Return where pip has put the project; its dependencies are those of the tests' own
    environment.
    """
    place = tmp_path_factory.mktemp("installed")
    source = tmp_path_factory.mktemp("source") / "s3kit"
    left_out = [line.rstrip("/") for line in (ROOT / ".gitignore").read_text().split()]
    shutil.copytree(ROOT, source, ignore=shutil.ignore_patterns(".git", *left_out))
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet",
                    "--disable-pip-version-check", "--no-deps", "--target", place, source],
                   check=True, stdin=subprocess.DEVNULL)
    return place


@pytest.mark.parametrize("command", sorted(path.name for path in BIN.iterdir()))
def test_an_installed_command_is_the_checkout_s(installed, command):
    """Each command is there, says the same version and help, and runs from any directory."""
    for words in (["--version"], ["--help"]):
        ours = subprocess.run([sys.executable, BIN / command, *words], capture_output=True, cwd="/",
                              env=clean_env())
        theirs = subprocess.run([sys.executable, installed / "bin" / command, *words],
                                capture_output=True, cwd="/",
                                env=clean_env({"PYTHONPATH": installed}))
        assert (theirs.returncode, theirs.stdout, theirs.stderr) == (0, ours.stdout, b"")


def test_an_installed_fetch_finds_its_workers(installed, fake, tmp_path):
    """The workers of an installed command import the installed library."""
    from conftest import env_of
    fake.bucket("b")
    fake.put("b", "k", b"bytes")
    done = subprocess.run([sys.executable, installed / "bin" / "s3-fetch", "-d", tmp_path / "d"],
                          input=b"bucket,key\nb,k\n", capture_output=True, cwd="/",
                          env=clean_env(env_of(fake) | {"PYTHONPATH": installed}), timeout=200)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "d" / "b" / "k").read_bytes() == b"bytes"


def test_an_installed_migrate_finds_the_other_commands(installed, fake, tmp_path):
    """It runs those of its own library, wherever it is and whatever lies in the current directory.
    """
    from conftest import env_of
    fake.put("b", "k", b"bytes")
    (tmp_path / "s3kit.py").write_text("raise SystemExit('somebody else')")
    (tmp_path / "argparse.py").write_text("raise SystemExit('somebody else')")
    done = subprocess.run([sys.executable, installed / "bin" / "s3-migrate", "-d", tmp_path / "d",
                           "b", "--yes", "b"], cwd=tmp_path, capture_output=True,
                          env=clean_env(env_of(fake) | {"PYTHONPATH": installed}), timeout=200)
    assert done.returncode == 0 and not fake.versions("b"), done.stderr
    assert (tmp_path / "d" / "b" / "k").read_bytes() == b"bytes"


def test_pages_and_completions_are_installed(installed):
    """What man and the shells look for lies where they look."""
    for command in os.listdir(BIN):
        assert (installed / "share" / "man" / "man1" / f"{command}.1").exists()
    for there, here in (("bash-completion/completions", "bash"), ("zsh/site-functions", "zsh"),
                        ("fish/vendor_completions.d", "fish")):
        assert (set(os.listdir(installed / "share" / there))
                == set(os.listdir(ROOT / "man" / "completion" / here)))
    assert (set(os.listdir(installed / "share" / "s3kit" / "cluster"))
            == set(os.listdir(ROOT / "man" / "cluster")))
    assert (installed / "share" / "man" / "man7" / "s3kit.7").exists()
    assert (installed / "share" / "s3kit" / "manifests" / "manifest.rnc").exists()


@pytest.mark.system("man")
def test_man_finds_the_pages_of_the_commands_in_path(installed):
    """As README says: beside the directory of the commands."""
    done = subprocess.run(["man", "-w", "s3-fetch", "s3kit-forms"], capture_output=True, text=True,
                          env=clean_env({"PATH": f"{installed / 'bin'}:{os.environ['PATH']}"}))
    assert done.stdout.split() == [str(installed / "share" / "man" / page)
                                   for page in ("man1/s3-fetch.1", "man5/s3kit-forms.5")]


def test_a_link_to_a_command_works(tmp_path):
    """bin/ runs from a checkout through a link from anywhere."""
    (tmp_path / "fetch").symlink_to(BIN / "s3-fetch")
    done = subprocess.run([sys.executable, tmp_path / "fetch", "--version"], capture_output=True,
                          text=True, cwd="/")
    assert (done.returncode, done.stdout.split()[0]) == (0, "s3-fetch")
