"""The suite's check of itself: ten bugs, planted one at a time into a copy of s3kit, must each be
caught.

A patch in `planted/` says in its first lines what goes wrong, and on the line `Caught by:` which
test sees it. Where s3kit has changed so much that a patch no longer applies, plant its bug again:
in a copy, then `git diff`.
"""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
PATCHES = sorted(Path(__file__).resolve().parent.glob("planted/*.patch"))
TESTS_FAILED = 1        # pytest's status; others are faults of the run itself


def caught_by(patch):
    """Return pytest's words on the patch's line `Caught by:`."""
    line, = [line for line in patch.read_text().splitlines() if line.startswith("Caught by: ")]
    return line.split(maxsplit=2)[2].split()


@pytest.mark.system("minutes")
def test_there_are_ten():
    assert len(PATCHES) >= 10


@pytest.mark.system("patch", "root", "minutes")
@pytest.mark.timeout(400)
@pytest.mark.parametrize("patch", [
    pytest.param(patch, id=patch.stem, marks=[pytest.mark.long] * (number % 2))
    for number, patch in enumerate(PATCHES)])
def test_a_planted_bug_is_caught(cases, tmp_path, patch):
    for part in ("s3kit", "bin", "tests"):
        shutil.copytree(ROOT / part, tmp_path / "copy" / part,
                        ignore=shutil.ignore_patterns("__pycache__", "planted"))
    shutil.copy(ROOT / "setup.cfg", tmp_path / "copy")
    applied = subprocess.run(["patch", "-p1", "--forward", "--input", patch], cwd=tmp_path / "copy",
                             capture_output=True, text=True)
    assert applied.returncode == 0, applied.stdout + applied.stderr
    with cases("a bug planted into s3kit").case(patch.stem):
        done = subprocess.run([sys.executable, "-m", "pytest", "-p", "no:cacheprovider",
                               "--basetemp", tmp_path / "base", "-x", "-m", "not long",
                               *caught_by(patch)], cwd=tmp_path / "copy", capture_output=True,
                              text=True)
        assert done.returncode == TESTS_FAILED, f"nobody saw it: {done.stdout[-2000:]}"
        assert ("violations:" in done.stdout or "AssertionError"
                in done.stdout), f"a test broke, but saw nothing: {done.stdout[-2000:]}"
