"""What --config says: our own form, and which form a file has."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from s3kit.errors import Fault, Usage
from s3kit.relay.config import Config, VolumeConfig, read
from s3kit.relay.side_settings import SideConfig
from tests.unit.relay.conftest import CONFIGS

LEAST = "source: s3://a/p\ntarget: {address: s3://b}\n"


def test_ours(sample, tmp_path):
    """Everything that can be said."""
    found = read(sample("ours"))
    assert found._replace(warnings=()) == Config(
        SideConfig("s3://device-bucket/runs/", None, "snow", "https://192.0.2.12",
                   str(tmp_path / "device.pem"),
                   keys=("FAKE-DEVICE-KEY", "FAKE-DEVICE-SECRET", "")),
        SideConfig("s3://archive/2026", "archive", request_payer="requester"),
        [VolumeConfig("/vol/1"), VolumeConfig("/vol/2", 500 << 30, 10 << 30)],
        str(tmp_path / "relay-work"), 60, "large", 1 << 40)
    assert len(found.warnings) == 1 and "has keys in it" in found.warnings[0]
    assert "FAKE" not in f"{found!r}"


def test_the_least(written):
    """What is not said is None, for the command line to say; an address alone is enough."""
    assert read(written(LEAST)) == Config(SideConfig("s3://a/p"), SideConfig("s3://b"), [])


@pytest.mark.parametrize("name", ["no_verify_ssl", "no_sign_request"])
def test_flags(written, name):
    """True or false."""
    for text, value in (("true", True), ("false", False), ("~", False)):
        found = read(written(f"source: {{address: s3://a, {name}: {text}}}\ntarget: s3://b\n"))
        assert getattr(found.source, name) is value
    assert getattr(found.target, name) is False


def test_the_adapter_is_named(written):
    """On either side."""
    found = read(written("source: s3://a\ntarget: {address: s3://b, region: snow, "
                         "endpoint_url: 'http://192.0.2.1:8080'}\n"))
    assert found.warnings[0].startswith("target: http and the region 'snow'")


@pytest.mark.parametrize("text, said", [
    ("source: s3://a", "target.address is missing"),
    ("target: s3://b", "source.address is missing"),
    ("source: s3://a\ntarget: {address: b}", "target.address makes no sense: 'b' is not an S3"),
    ("source: s3://a\ndestination: s3://b", "no setting 'destination': was 'target' meant"),
    ("source: {bucket: a}\ntarget: s3://b", "no setting 'source.bucket': was 'address' meant"),
    (f"{LEAST}vollumes: []", "no setting 'vollumes': was 'volumes' meant"),
    (f"{LEAST}volumes: /v", "volumes is not a list"),
    (f"{LEAST}volumes: [[/v]]", "volumes is not a group"),
    (f"{LEAST}volumes: [/v, /v/]", "volumes has '/v' twice"),
    (f"{LEAST}volumes: [{{budget: 5G}}]", "volumes.path is missing"),
    (f"{LEAST}volumes: [{{path: /v, budget: 0}}]", "volumes.budget is 0"),
    (f"{LEAST}volumes: [{{path: /v, size: 1}}]", "no setting 'volumes.size'"),
    (f"{LEAST}every: 60", "every makes no sense: '60' is not a span"),
    (f"{LEAST}order: small", "order is not one of large, listed"),
    (f"{LEAST}round_size: 0", "round_size is 0"), (f"{LEAST}work: [w]", "work is not one text"),
    ("source: {address: s3://a, profile: p, access_key: FAKE, secret_key: FAKE}\ntarget: s3://b",
     "source.access_key and profile cannot both be"),
    ("source: {address: s3://a, no_sign_request: yes, access_key: FAKE, secret_key: FAKE}\n"
     "target: s3://b", "source.access_key and no_sign_request cannot both be")])
def test_what_makes_no_sense(written, text, said):
    """One line that says where, and no key."""
    path = written(text)
    with pytest.raises(Usage) as raised:
        read(path)
    complaint = str(raised.value).replace(path, "f")    # pytest names directories after parameters
    assert said in complaint and "FAKE" not in complaint and "\n" not in complaint


def test_the_old_forms_are_recognised(sample):
    """By what only they have."""
    assert read(sample("transfer_v5")).is_old and read(sample("transfer_v11")).is_old
    assert not read(sample("ours")).is_old


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(["ours", "transfer_v5", "transfer_v11"]), st.data())
def test_spoilt_files(tmp_path, name, data):
    """A file with a piece cut out, or something put in, is understood or refused in one line; what
    it keeps secret is never said.
    """
    text = (CONFIGS / f"{name}.yaml").read_text()
    at = data.draw(st.integers(0, len(text)))
    put = data.draw(st.text("ab0/[]{}:,'\"&*!~ \n\t-#", max_size=4))
    path = tmp_path / "spoilt.yaml"
    path.write_text(text[:at] + put + text[at + data.draw(st.integers(0, 40)):])
    try:
        said = [*read(str(path)).warnings]
    except Fault as fault:
        said = [str(fault)]
    assert not [line for line in said if "SECRET" in line or "\n" in line]
