"""What transfer_v5's ledger calls moved is believed where the target has it."""

import pytest
from fakes3 import FakeS3

from s3kit.manifest.row import LISTED, STORED
from s3kit.relay.deliveries import Deliveries
from s3kit.relay.takeover import Takeover
from s3kit.relay.volumes import Volume
from unit.relay.ends import side_of

KEYS = ("same", "other", "short", "gone", "parts", "unclaimed")


@pytest.fixture
def world(fake, tmp_path):
    """Return (Deliveries, sides, a volume's directory) of a source with KEYS, most of which are at
    the target.
    """
    fake.bucket("b")
    with FakeS3() as far:
        far.bucket("far", versioning="Enabled")
        for key in KEYS:
            fake.put("b", f"p/{key}", b"body", etag="0" * 32 + "-2" if key == "parts" else None)
        for key, body in (("same", b"body"), ("other", b"BODY"), ("short", b"bod"),
                          ("parts", b"body"), ("unclaimed", b"body")):
            far.put("far", f"q/{key}", body)
        deliveries = Deliveries(str(tmp_path / "relay.sqlite3"), "b")
        deliveries.take_route("s3://b/p/", "s3://far/q/", "id")
        (tmp_path / "v").mkdir()
        sides = side_of("source", fake, ("b", "p/")), side_of("target", far, ("far", "q/"))
        yield deliveries, sides, tmp_path / "v"
        deliveries.close()


def claims(*keys):
    """Return what the ledger claims of some keys."""
    return [(f"p/{key}", 4) for key in keys]


def states(deliveries):
    """Return {key: (state, volume's last name, path)}."""
    return {key.removeprefix("p/"): (state, volume.rpartition("/")[2], path)
            for key, state, volume, path in deliveries.all(
                "SELECT key, state, volume, path FROM delivery")}


@pytest.mark.parametrize("accepts_size", [False, True])
def test_what_is_believed(world, accepts_size):
    """The same bytes by checksum or ETag, or on demand the same size where nothing else can be
    compared; never what was not claimed.
    """
    deliveries, sides, _ = world
    made = Takeover(deliveries, sides, [], accepts_size, lambda: None)
    made.run(claims(*KEYS[:-1]))
    found = states(deliveries)
    taken = {key for key, (state, *_) in found.items() if state == STORED}
    assert taken == ({"same", "parts"} if accepts_size else {"same"})
    assert {state for state, *_ in found.values()} == {LISTED, STORED} and len(found) == 6
    assert (made.taken, made.missing, made.unlike) == (len(taken), 1, 2)
    assert made.doubtful == (not accepts_size)
    assert ("(--accept-proof size believes it)" in " ".join(filter(None, made.summary()))) == (
        not accepts_size)
    same = deliveries.find(("p/same", *deliveries.one(
        "SELECT version_id, etag, last_modified FROM delivery WHERE key = 'p/same'")))
    assert same.stored_at.startswith("s3://far/q/same?versionId=") and same.far_proof == "etag"


def test_files_on_volumes_are_used(world):
    """Those of a waiting row's name and size; ours, and what lies at another name, are not."""
    deliveries, sides, folder = world
    for name, body in (("gone", b"body"), ("short", b"too long"), ("same", b"body"), ("x", b"body"),
                       (".s3kit/gone", b"body"), ("lost+found/gone", b"body")):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(body)
    (folder / "unclaimed").symlink_to(folder / "gone")
    made = Takeover(deliveries, sides, [Volume(str(folder))], False, lambda: None)
    made.run(claims("same"))
    found = states(deliveries)
    assert found["gone"] == (LISTED, "v", "gone") and made.files == 1
    assert {found[key][1] for key in ("short", "other", "unclaimed", "parts")} == {""}
