"""What all commands share that pass a manifest on: end mark, summary, status."""

from types import SimpleNamespace

import pytest

from s3kit.cli.signals import Signals
from s3kit.cli.transform import transform
from s3kit.errors import Fault
from s3kit.manifest.row import Row


class Done:
    """What a command's work returns."""

    def __init__(self, sink=None):
        self.sink = sink

    def summary(self):
        """Return the summary's parts; the manifest is not closed yet."""
        assert self.sink is None or self.sink.output.begun
        return ["2 rows passed on"]

    def status(self):
        """Return the exit status."""
        return 5


@pytest.fixture
def args(tmp_path):
    """Return parsed options: a manifest of two rows, and where it goes."""
    (tmp_path / "in.csv").write_text("#s3kit manifest 1\nbucket,key\nb,k1\nb,k2\n#end rows=2\n")
    return SimpleNamespace(prog="s3-test", file=[str(tmp_path / "in.csv")], bucket=None,
                           columns=None, format=None, output=str(tmp_path / "out.csv"),
                           in_place=False, quiet=False, verbose=False)


def test_a_manifest_is_passed_on(args, tmp_path, capsys):
    def run(given, streams, counts):
        source, sink = streams
        tally, progress, signals = counts
        assert given is args and signals is Signals and not progress.is_shown
        for rows in source.batches():
            for row in rows:
                tally.count(row)
            sink.write(rows)
        return Done(sink)
    assert transform(args, run) == 5
    assert (tmp_path / "out.csv").read_text().endswith("#end rows=2\n")
    assert capsys.readouterr().err.startswith("s3-test: 2 rows passed on")


def test_work_that_fails_leaves_no_manifest(args, tmp_path, capsys):
    """No end mark, no summary, nothing in the place of the file."""
    def run(given, streams, counts):
        streams[1].write([Row("b", "k")])
        raise Fault("it failed")
    with pytest.raises(Fault, match="it failed"):
        transform(args, run)
    assert not (tmp_path / "out.csv").exists() and capsys.readouterr().err == ""


@pytest.mark.parametrize("chosen, is_xml", [(None, False), ("xml", True)])
def test_the_form_is_the_input_s_unless_another_is_asked_for(args, tmp_path, chosen, is_xml):
    args.format, args.output = chosen, str(tmp_path / "out")

    def run(given, streams, counts):
        for rows in streams[0].batches():
            streams[1].write(rows)
        return Done()
    transform(args, run)
    assert (tmp_path / "out").read_bytes().startswith(b"<manifest") is is_xml


def test_columns_that_the_command_makes_are_handed_on(args, tmp_path):
    """Into the head of the manifest that is written."""
    def run(given, streams, counts):
        for rows in streams[0].batches():
            streams[1].write(rows, streams[0].extras())
        return Done()
    transform(args, run, makes=("stored_at",))
    assert ",error,stored_at\nb,k1," in (tmp_path / "out.csv").read_text()
