"""Commands as processes: what they say is passed on, how they end is told, and they end with us."""

import os
import signal
import subprocess
import sys
import time

import pytest

from s3kit.pipeline import processes
from s3kit.pipeline.processes import ROOT, Pipeline

MANIFEST = "#s3kit manifest 1\nbucket,key\nb,one\nb,two\n#end rows=2\n"


@pytest.fixture
def source(tmp_path):
    """A manifest of two rows."""
    (tmp_path / "m.csv").write_text(MANIFEST)
    return str(tmp_path / "m.csv")


def wait(condition):
    """Wait until a condition holds, for a busy machine's time."""
    end = time.monotonic() + 30
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    return condition()


def is_alive(pid):
    """Return whether a process is there, and not a zombie."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_each_reads_what_the_one_before_writes(source, tmp_path):
    """The last writes its file, and what they tell people comes line by line."""
    said, out = [], tmp_path / "out.csv"
    stages = [["manifest", source], ["manifest", f"--output={out}"]]
    assert Pipeline(stages, said.append).run() == []
    assert "b,two" in out.read_text() and out.read_text().endswith("#end rows=2\n")
    assert not said


def test_what_could_not_finish_is_named(source, tmp_path):
    """With its status; what the command says of it is passed on."""
    said = []
    troubles = Pipeline([["manifest", str(tmp_path / "none")], ["manifest"]], said.append).run()
    assert troubles == ["s3-manifest ended with status 2", "s3-manifest ended with status 3"]
    assert any("none" in line for line in said) and not any(line.endswith("\n") for line in said)


@pytest.mark.parametrize("status, troubles", [(0, []), (1, []), (5, []),
                                              (2, ["s3-x ended with status 2"]),
                                              (-9, ["s3-x was ended by signal 9"])])
def test_which_ends_are_trouble(monkeypatch, status, troubles):
    """Rows that failed or could not be verified are in the manifest: the next phase sees them."""
    ending = f"import os, sys; os.kill(os.getpid(), {-status}) if {status} < 0 else sys.exit(" \
        f"{status})"
    monkeypatch.setattr(processes, "START", ending)
    assert Pipeline([["x"]], print).run() == troubles


@pytest.mark.parametrize("is_deaf", [False, True])
def test_they_are_asked_to_stop_and_seen_to(monkeypatch, is_deaf):
    """One that does not is killed before our own time to stop is over."""
    monkeypatch.setattr(processes, "START", "import signal, time; "
                        + "signal.signal(signal.SIGTERM, signal.SIG_IGN); " * is_deaf
                        + "print('there', file=__import__('sys').stderr, flush=True); "
                        "time.sleep(300)")
    said = []
    pipeline = Pipeline([["x"], ["y"]], said.append)
    assert wait(lambda: len(said) == 2)
    began = time.monotonic()
    pipeline.end()
    assert {process.returncode for process in pipeline.processes} == {
        -signal.SIGKILL if is_deaf else -signal.SIGTERM}
    assert not is_deaf or time.monotonic() - began >= processes.SECONDS_TO_END - 0.1


def test_they_end_with_us(source, tmp_path):
    """A kill of s3-migrate leaves no command behind, that goes on where nobody looks."""
    script = ("import sys\nfrom s3kit.pipeline.processes import Pipeline\n"
              f"pipeline = Pipeline([['manifest', {str(tmp_path / 'pipe')!r}]], print)\n"
              "print(pipeline.processes[0].pid, flush=True)\npipeline.run()")
    os.mkfifo(tmp_path / "pipe")            # it is read from, and nobody writes to it
    ours = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE,
                            env={**os.environ, "PYTHONPATH": ROOT})
    pid = int(ours.stdout.readline())
    try:
        assert wait(lambda: os.getpgid(pid) == pid), "it has a process group of its own"
        time.sleep(0.2)
        ours.kill()
        ours.wait()
        assert wait(lambda: not is_alive(pid))
    finally:
        ours.stdout.close()
        if is_alive(pid):
            os.kill(pid, signal.SIGKILL)


def test_a_command_that_cannot_be_started_ends_the_others(monkeypatch, source):
    """Nothing of a pipeline is left half begun."""
    begun, real = [], subprocess.Popen

    def start(*args, **options):
        if begun:
            raise OSError(11, "Resource temporarily unavailable")
        begun.append(real(*args, **options))
        return begun[0]

    monkeypatch.setattr(subprocess, "Popen", start)
    monkeypatch.setattr(processes, "START", "import time; time.sleep(300)")
    with pytest.raises(OSError):
        Pipeline([["x"], ["y"]], print)
    assert begun[0].returncode == -signal.SIGTERM


@pytest.mark.parametrize("said, text", [("", ""), ("s3-put: one\\ns3-put: why: so\\n", "why: so"),
                                        ("s3-put: why\\nno colon\\n", "why"),
                                        ("s3-put: cut", "cut")])
def test_last_words(said, text):
    """The last line that is one of a command's, without its name."""
    process = subprocess.Popen([sys.executable, "-c", f"import sys; sys.stderr.write('{said}')"],
                               stderr=subprocess.PIPE)
    words = processes.LastWords(process)
    process.wait()
    words.join(20)
    process.stderr.close()
    assert words.text == text
