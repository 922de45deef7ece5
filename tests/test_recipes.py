"""s3kit-recipes(7) as it stands: every example is run, and says what the page has below it."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import tools
from conftest import clean_env, env_of
from fakes3 import FakeS3

PAGE = (Path(__file__).parents[1] / "man" / "s3kit-recipes.7").read_text()
BLOCKS = [block.replace("\\(aq", "'").replace("\\&", "").replace("\\e", "\\")
          for block in re.findall(r"^\.Bd -literal\n(.+?)^\.Ed$", PAGE, re.MULTILINE | re.DOTALL)]
SAMPLES = dict(re.findall(r"^\$ cat (\S+)\n((?:(?!\$ ).*\n)+)", "".join(BLOCKS), re.MULTILINE))


def examples(block):
    """Yield (command, what it says) of a block."""
    for example in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, _, said = example.partition("\n")
        yield command, said


def needs(block):
    """Return the tools of make test-system among a block's words."""
    words = {word for command, _ in examples(block)
             for word in shlex.split(command, posix=False)}
    return sorted(words & set(tools.TOOLS))


def marked():
    """Yield each block, with the mark of the tools that it needs."""
    for block in BLOCKS:
        found = needs(block)
        yield pytest.param(block, marks=[pytest.mark.system(*found)] if found else [],
                           id=block[2:32])


@pytest.fixture
def photos():
    """The environment that leads to a bucket `photos` with versions, and one key that was deleted.
    """
    with FakeS3() as fake:
        fake.bucket("photos", versioning="Enabled")
        for key, bodies in (("2024/a.jpg", "112"), ("2024/b.jpg", "3"), ("2024/c.jpg", "45")):
            for body in bodies:
                fake.put("photos", key, body.encode() * 1000)
        fake.delete("photos", "2024/b.jpg")
        yield env_of(fake)


@pytest.mark.parametrize("block", list(marked()))
def test_a_recipe(shims, photos, tmp_path, block):
    """In bash, one command after another, beside the page's own samples."""
    for name, text in SAMPLES.items():
        (tmp_path / name).write_text(text)
    env = clean_env(photos)
    env["PATH"] = os.pathsep.join([str(shims), os.path.dirname(sys.executable), os.environ["PATH"]])
    for command, said in examples(block):
        done = subprocess.run(["bash", "-c", command], cwd=tmp_path, env=env, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
        assert done.stdout == said, command


def test_every_tool_of_the_page_is_tried():
    """What its title names has an example."""
    text = "".join(BLOCKS)
    assert all(tool in text for tool in ("grep ", "cut ", "awk ", "csvcut ", "duckdb", "mlr ",
                                         "find ", "sqlite3 ", "diff ", "--shard ", "--merge "))
    assert set(SAMPLES) == {"monday.csv", "tuesday.csv", "bytes.sql"}
