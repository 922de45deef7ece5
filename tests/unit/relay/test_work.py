"""The work directory: one run at a time, its ledger, and what is forgotten."""

import os

import pytest
from unit.relay.rows import changed, found, row, seen

from s3kit.errors import Fault, Held, Usage
from s3kit.relay.volumes import Volume
from s3kit.relay.work import check_mounted, forget, held, ledger_of, lose, opened, work_of

ROUTE = ("s3://a/", "s3://b/")


def test_where_it_is():
    assert work_of("/w", []) == work_of("/w", ["/v"]) == "/w"
    assert work_of(None, ["/v", "/u"]) == "/v/.s3kit/relay"
    with pytest.raises(Usage, match="--work"):
        work_of(None, [])


def test_one_run_at_a_time(tmp_path):
    work = str(tmp_path / "deep" / "w")
    with held(work):
        assert os.stat(work).st_mode & 0o077 == 0
        with pytest.raises(Held, match="another s3-relay"), held(work):
            pass
    with held(work), held(str(tmp_path / "other")):
        pass


def test_a_work_directory_that_is_not_mounted(tmp_path):
    """By default it is in the first volume: the marks of the others show it."""
    paths = [str(tmp_path / "v"), str(tmp_path / "u")]
    volumes, work = list(map(Volume, paths)), work_of(None, paths)
    check_mounted(work, volumes)
    with held(work), opened(work, ROUTE, "a", volumes):
        pass
    check_mounted(work, volumes)
    os.rename(paths[0], f"{paths[0]}.away")
    os.mkdir(paths[0])
    with pytest.raises(Fault, match=f"'{paths[1]}' is a .* not in '{work}': is .* mounted"):
        check_mounted(work, volumes)
    check_mounted(work, volumes[:1])        # of one alone nothing is known


def test_no_ledger_no_relay(tmp_path):
    with pytest.raises(Usage, match="no relay works"):
        ledger_of(str(tmp_path))


def test_a_ledger_is_of_its_volumes(tmp_path):
    """They are begun with once; when one is gone, the next run does not make it."""
    work, paths = str(tmp_path / "w"), [str(tmp_path / "v"), str(tmp_path / "u")]
    with held(work), opened(work, ROUTE, "a", list(map(Volume, paths))) as deliveries:
        assert deliveries.volumes() == set(paths) and deliveries.bucket == "a"
        seen(deliveries, row())
    os.rename(paths[1], f"{paths[1]}.away")
    volumes = list(map(Volume, paths))
    with held(work), opened(work, ROUTE, "a", volumes) as deliveries:
        assert found(deliveries, "k") and not volumes[0].trouble
        assert "is it mounted?" in volumes[1].trouble and not os.path.exists(paths[1])
    with pytest.raises(Usage, match="choose another directory"), opened(
            work, ("s3://a/", "s3://c/"), "a", volumes):
        pass


def test_a_new_volume_that_is_anothers(tmp_path):
    """It is not noted, and so not waited for when it is left out."""
    volume = str(tmp_path / "v")
    for name in ("w", "x"):
        os.mkdir(tmp_path / name)
    with opened(str(tmp_path / "w"), ROUTE, "a", [Volume(volume)]):
        pass
    with pytest.raises(Fault, match="another relay"), opened(
            str(tmp_path / "x"), ROUTE, "a", [Volume(volume)]):
        pass
    with opened(str(tmp_path / "x"), ROUTE, "a", []) as deliveries:
        assert deliveries.volumes() == set()


def test_what_is_forgotten_can_be_begun_anew(tmp_path):
    """With the same volumes; what lies on them stays."""
    work, volume, away = str(tmp_path), str(tmp_path / "v"), str(tmp_path / "u")
    with opened(work, ROUTE, "a", [Volume(volume), Volume(away)]) as deliveries:
        seen(deliveries, row())
    (tmp_path / "v" / "file").write_text("here")
    os.rename(away, f"{away}.away")
    forget(ledger_of(work))
    assert not [name for name in os.listdir(work) if name.startswith("relay.sqlite3")]
    with opened(work, ("s3://c/", "s3://d/"), "c", [Volume(volume)]) as deliveries:
        assert deliveries.volumes() == {volume} and found(deliveries, "k") is None
    assert (tmp_path / "v" / "file").read_text() == "here"


def test_what_is_lost_is_not_looked_at(tmp_path):
    """Another directory in its place stays as it is, and can be a volume."""
    work, paths = str(tmp_path), [str(tmp_path / "v"), str(tmp_path / "u")]
    with opened(work, ROUTE, "a", list(map(Volume, paths))) as deliveries:
        seen(deliveries, row())
        changed(deliveries, "k", state="fetched", volume=paths[1], path="a/k")
    os.rename(paths[1], f"{paths[1]}.dead")
    os.mkdir(paths[1])
    lose(ledger_of(work), paths[1])
    assert os.listdir(paths[1]) == []
    with opened(work, ROUTE, "a", list(map(Volume, paths))) as deliveries:
        assert deliveries.volumes() == set(paths) and found(deliveries, "k").state == "listed"
