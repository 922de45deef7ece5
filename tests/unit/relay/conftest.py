"""Files of settings, as tests of their readers have them."""

from pathlib import Path

import pytest

CONFIGS = Path(__file__).parent / "configs"


@pytest.fixture
def written(tmp_path):
    """Return a function that writes a text to a file that its owner alone reads, and returns its
    path.
    """
    def write(text, name="relay.yaml"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        path.chmod(0o600)
        return str(path)
    return write


@pytest.fixture
def sample(written):
    """Return a function that gives a copy of a sample, with pieces of its text replaced."""
    def copy(name, pieces=()):
        text = (CONFIGS / f"{name}.yaml").read_text()
        for old, new in pieces:
            assert old in text
            text = text.replace(old, new)
        return written(text)
    return copy
