"""What the bench runs."""

import subprocess
import sys
from types import SimpleNamespace

from peers import COPY_MANY, CORES, Peers, make_commands, revision


def script(path, text):
    """Write a program."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


def test_no_other_s3kit_is_measured(tmp_path):
    """The checkout's is, whatever the peers' environment and the PATH have; what it is, is said."""
    checkout = tmp_path / "checkout"
    script(checkout / "bin/s3-fetch", "")
    script(checkout / "s3kit/__init__.py", "")
    script(checkout / "s3kit/commands/__init__.py", "")
    script(checkout / "s3kit/commands/fetch.py", "import sys\ndef main(): print(sys.executable)\n")
    script(tmp_path / "peers/bin/s3-fetch", "#!/bin/sh\necho another\n")
    ours = make_commands(tmp_path / "commands", checkout, sys.executable)
    peers = Peers(tmp_path / "peers", tmp_path, ours)
    done = subprocess.run(["bash", "-c", "s3-fetch"], capture_output=True, text=True,
                          env=peers.env(SimpleNamespace(url="http://127.0.0.1", env={})))
    assert (done.returncode, done.stdout) == (0, f"{sys.executable}\n")
    assert revision(checkout) == f"{checkout}, commit unknown"


def test_many_connections():
    """As many for all; s3kit is told how many of each worker."""
    ours, *others = COPY_MANY
    assert f" -c {512 // CORES} " in ours.line and all("512" in tool.line for tool in others)
