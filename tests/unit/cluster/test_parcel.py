import pickle

import pytest

from s3kit.cluster import parcel
from s3kit.cluster.parcel import Sealed, Setup, WrongVersion, seal, unseal


def test_what_is_sealed_comes_back_and_does_not_show():
    value = Setup("run", "s3-fetch", "/data"), {"secret": "wJalrXUtnFEMI"}
    sealed = pickle.loads(pickle.dumps(seal(value)))
    assert unseal(sealed) == value
    assert f"{sealed!r} {sealed}" == f"{sealed} {sealed}"
    assert "wJalr" not in repr(sealed) and repr(sealed).startswith("<s3kit, ")


def test_another_version_is_told_before_anything_of_it_is_read(monkeypatch):
    theirs = Sealed(pickle.dumps(("0.0.1", b"no pickle")))
    with pytest.raises(WrongVersion, match=f"the other has s3kit 0.0.1, not {parcel.__version__}"):
        unseal(theirs)
