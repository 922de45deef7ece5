"""Files that change under s3-put: what was read as one state is stored, what was not is never
completed, and never removed.
"""

import itertools
import threading

import pytest
from fakes3.operations import step_of

from faults.put_oracle import PREFIX, PutWorld
from faults.test_put_resume import (
    BODY,
    KEY,
    NAME,
    grows,
    is_replaced,
    is_touched,
    is_written_to,
    of_parts,
    shrinks,
)

CHANGES = [grows, shrinks, is_replaced, is_written_to, is_touched]
CHANGED = "the file was changed while it was read"


def not_stored(world, ran):
    """Check that the one file was not stored, and that nothing of it is left."""
    row, = ran.rows
    assert (ran.status, row["state"], row["error"]) == (1, "failed", CHANGED), (
        f"{ran.status}: {row['state']}, {ran.err}")
    world.tell_truth(ran)
    world.look()
    assert not world.current(NAME), "it was completed"
    assert not world.uploads(), "its upload is left"
    world.write_rows()
    world.resume()


@pytest.mark.system("minutes")
@pytest.mark.parametrize("change, when", [*zip(CHANGES, itertools.cycle([
    ("CreateMultipartUpload", 0), ("UploadPart", 0), ("UploadPart", 2)])),
    (is_written_to, ("CreateMultipartUpload", 0)), (is_touched, ("UploadPart", 2))],
    ids=lambda value: getattr(value, "__name__", None) or "-".join(map(str, value)))
def test_while_its_parts_are_sent(cases, tmp_path, change, when):
    with cases("a large file that changes").case(f"{change.__name__}, {when}"), PutWorld(
            tmp_path, {NAME: BODY}) as world:
        world.fake.fault("beforehand", key=KEY, step=when[0], after=when[1],
                         do=lambda s3, request: change(world))
        not_stored(world, world.put())


@pytest.mark.parametrize("change", [shrinks, is_written_to, is_replaced],
                         ids=lambda change: change.__name__)
def test_while_a_part_is_sent(cases, tmp_path, change):
    """A part that is too long for memory is read twice; what is sent is what was hashed."""
    with cases("a large file that changes").case(f"{change.__name__}, within a part"), PutWorld(
            tmp_path, {NAME: BODY}, more=["--part-size", "24M"]) as world:
        begun, arrives = threading.Event(), world.fake.interruption

        def arriving(request):
            if step_of(request) == "UploadPart" and not begun.is_set():
                begun.set()
                change(world)
            return arrives(request)
        world.fake.interruption = arriving
        ran = world.put()
        assert begun.is_set()
        if ran.status == 0 and change is is_replaced:
            world.settle_as_it_was(ran)     # what was open is still there, and whole
        else:
            not_stored(world, ran)


@pytest.mark.parametrize("change", [is_replaced, is_written_to, is_touched],
                         ids=lambda change: change.__name__)
def test_before_it_is_completed_by_a_later_run(cases, tmp_path, change):
    """All parts are there, from the run before; the file is looked at once more all the same."""
    with cases("a large file that changes").case(f"{change.__name__}, before its completion"), \
            of_parts(tmp_path) as world:
        world.fake.fault("beforehand", key=KEY, step="ListParts",
                         do=lambda s3, request: change(world))
        not_stored(world, world.put())


SMALL = {f"{number}/{way.__name__}": bytes([number]) * 5000
         for number, way in enumerate(CHANGES * 2)}


@pytest.mark.parametrize("removes", [False, True], ids=["", "--remove-local"])
def test_small_files(cases, tmp_path, removes):
    """At the first request all others change: they are not read as what they were. Then each
    changes as its bytes are on their way: it is stored as it was, and stays.
    """
    with cases("small files that change").case("--remove-local" * removes), PutWorld(
            tmp_path, SMALL, removes=removes) as world:
        left = set(SMALL)

        def change(s3, request):
            path = request.key.removeprefix(PREFIX)
            for each in sorted(left) if len(left) == len(SMALL) else [path] * (path in left):
                left.discard(each)
                CHANGES_OF_SMALL[each.partition("/")[2]](world, each)
        world.fake.fault("beforehand", key=bool, step="PutObject", times=None, do=change)
        ran = world.put("-c", 1, jobs=1)
        states = {row["path"]: row["state"] for row in ran.rows}
        assert sorted(states.values()) == ["failed"] * (len(SMALL) - 1) + ["stored"], ran.err
        assert {row["error"] for row in ran.rows} <= {"", CHANGED}, ran.err
        world.tell_truth(ran)
        world.look()
        assert all((world.dest / path).exists() for path in SMALL), "a changed file was removed"
        world.write_rows()
        world.resume()


def rewrite(world, path):
    """Other bytes of the same size."""
    world.lay(path, SMALL[path][::-1][:-1] + b"!")


def replace(world, path):
    """Another file at its name."""
    world.lay("another", SMALL[path][:-1] + b"?")
    (world.dest / "another").rename(world.dest / path)
    world.legit[path] |= world.legit.pop("another")


CHANGES_OF_SMALL = {
    "grows": lambda world, path: world.lay(path, SMALL[path] + b"more"),
    "shrinks": lambda world, path: world.lay(path, SMALL[path][:-1]),
    "is_replaced": replace, "is_written_to": rewrite,
    "is_touched": lambda world, path: (world.dest / path).touch()}


def test_a_file_that_changes_as_it_is_sent_is_not_removed(cases, tmp_path):
    """What was read is stored; what the file is now is nowhere else."""
    with cases("small files that change").case("as it is sent, --remove-local"), PutWorld(
            tmp_path, SMALL, removes=True) as world:
        done = set()

        def change(s3, request):
            path = request.key.removeprefix(PREFIX)
            if path not in done:
                done.add(path)
                CHANGES_OF_SMALL[path.partition("/")[2]](world, path)
        world.fake.fault("beforehand", key=bool, step="PutObject", times=None, do=change)
        ran = world.put()
        assert {row["state"] for row in ran.rows} == {"stored"}, ran.err
        world.tell_truth(ran)
        world.look()
        assert all((world.dest / path).exists() for path in SMALL), "a changed file was removed"
        world.fake.faults.clear()
        world.write_rows()
        world.resume()
