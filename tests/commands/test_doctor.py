"""s3-doctor: on machines that are well, and on those that are not: a helpful line, the right
status, and soon.
"""

import json
import os
import pty
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import boto3
import pytest
from certificates import self_signed
from conftest import BIN, clean_env, env_of
from fakes3 import Credential, FakeS3
from faults.images import Mounts, make_image
from lxml import etree
from terminals import pieces

from s3kit.doctor import aside, bucket_list

SOON = 15               # seconds on a machine that others use, too; measured: below 4
RULES = (
    "<Rule><ID>old</ID><Status>Enabled</Status><Filter><Prefix>logs/</Prefix></Filter><Expiration>"
    "<Days>30</Days></Expiration>"
    "<Transition><Days>3</Days><StorageClass>GLACIER</StorageClass></Transition></Rule>")
ENDING = ("<Rule><ID>end</ID><Status>Enabled</Status><Filter/><AbortIncompleteMultipartUpload>"
          "<DaysAfterInitiation>7</DaysAfterInitiation></AbortIncompleteMultipartUpload></Rule>")
KMS = ("<Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>aws:kms</SSEAlgorithm>"
       "</ApplyServerSideEncryptionByDefault></Rule>")
LOCK = ("<ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule><DefaultRetention>"
        "<Mode>COMPLIANCE</Mode><Days>5</Days></DefaultRetention></Rule>")
BLOCKED = "".join(f"<{name}>true</{name}>" for name in ("BlockPublicAcls", "IgnorePublicAcls",
                                                        "BlockPublicPolicy",
                                                        "RestrictPublicBuckets"))
AES = KMS.replace("aws:kms", "AES256")
KEYS = {"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "CANARYsecret",
        "AWS_REGION": "us-east-1"}


class Lines:
    """What s3-doctor printed: `of(what)` is [(state, seen, advice)], `one(what)` the only one;
    `states` a set.
    """

    def __init__(self, done):
        self.done, self.status = done, done.status
        self.lines = [(line.split("\t") + ["", ""])[:4] for line in done.out.splitlines()]
        self.states = {line[1] for line in self.lines}

    def of(self, what):
        """Return the lines about something."""
        return [tuple(line[1:]) for line in self.lines if line[0] == what]

    def one(self, what):
        """Return the line about something."""
        (found,) = self.of(what)
        return found

    def faults(self):
        """Return what is at fault."""
        return [line[0] for line in self.lines if line[1] == "fault"]


@pytest.fixture
def doctor(run, tmp_path):
    """Return doctor(env, words...) -> Lines; the destination is an own directory."""
    (tmp_path / "d").mkdir()

    def doctor(env, *words, **more):
        return Lines(run("s3-doctor", "-d", "d", *words, env=env, **more))

    return doctor


@contextmanager
def silence(kind):
    """Have a server on loopback that takes no connections (`black hole`), or takes them and says
    nothing (`mute`); yield its URL.
    """
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(0 if kind == "black hole" else 64)
        held = []
        # what fills its queue; the others' SYNs are dropped
        for _ in range(3 if kind == "black hole" else 0):
            held.append(socket.socket())
            held[-1].setblocking(False)
            held[-1].connect_ex(server.getsockname())
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        for each in held:
            each.close()


def nobody():
    """Return a URL on loopback where nobody listens."""
    with socket.socket() as port:
        port.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{port.getsockname()[1]}"


def filled(fake):
    """Give a fake three buckets: one in order, one with everything that touches a migration, one
    never touched.
    """
    fake.bucket("good", "Enabled").settings.update(publicAccessBlock=BLOCKED, encryption=AES)
    fake.put("good", "a b/\u00fc", b"x")
    fake.bucket("photos", "Suspended").settings.update({"lifecycle": RULES, "encryption": KMS,
                                                        "object-lock": LOCK, "publicAccessBlock":
                                                        BLOCKED.replace("true", "false", 1)})
    fake.bucket("plain")
    return env_of(fake)


# --- a machine that is well


def test_moto_says_who_we_are(moto, doctor):
    """ARN and account by STS, buckets, and nothing wrong."""
    moto.client().create_bucket(Bucket="doctor-one")
    seen = doctor(moto.env, "doctor-one")
    assert seen.status == 0 and not seen.faults(), seen.done
    assert seen.one("identity")[1] == "arn:aws:sts::123456789012:user/moto, account 123456789012"
    assert seen.one("credentials")[1] == "from the environment, key ...test, not temporary"
    assert seen.one("s3://doctor-one")[1].startswith("us-east-1, not versioned")


def test_seaweed(seaweed, doctor):
    """Another server: what it does not know is left out; the first key was read."""
    client = seaweed.client()
    client.create_bucket(Bucket="doctor-two")
    client.put_object(Bucket="doctor-two", Key="k", Body=b"x")
    seen = doctor(seaweed.env, "s3://doctor-two/", "-v")
    assert seen.status == 0 and seen.one("identity")[1].startswith("arn:aws:iam::"), seen.done
    assert "doctor-two/k: 200" in seen.done.err and "public" not in seen.one("s3://doctor-two")[1]


def test_every_bucket_has_its_line(fake, doctor):
    """What it is, and each thing that touches a migration on a line of its own."""
    seen = doctor(filled(fake))
    assert seen.status == 0, seen.done
    assert (seen.one("s3://good")
            == ("ok", "us-east-1, versioned, AES256, public access blocked, no lifecycle", ""))
    first, *rest = seen.of("s3://photos")
    assert first == ("ok",
                     "us-east-1, versioning suspended, aws:kms, public access not blocked, object "
                     "lock compliance 5 days, 1 lifecycle rule, empty", "")
    assert seen.one("public")[:2] == ("note", "access is not blocked by photos, plain")
    assert [line[:2] for line in rest if line[0] == "warning"] == [
        ("warning", "lifecycle rule 'old' deletes objects under 'logs/' 30 days after they came"), (
            "warning",
            "lifecycle rule 'old' moves objects to GLACIER under 'logs/' 3 days after they came")]
    assert ([line[1] for line in rest if line[0] == "note"]
            == ["under object lock", "encrypted by KMS", "versioning is suspended"])
    assert (seen.one("s3://plain")[1]
            .startswith("us-east-1, not versioned, not encrypted by default"))
    assert seen.one("uploads") == (
        "warning", "no lifecycle rule for all keys removes what unfinished uploads leave in good, "
        "photos, plain", "add one with AbortIncompleteMultipartUpload (aws s3api "
        "put-bucket-lifecycle-configuration)")
    assert seen.done.err.endswith("0 faults, 3 warnings (s3://photos, uploads)\n")
    assert {request.method for request in fake.log} == {"GET", "HEAD", "POST"} and \
        all(request.path == "/" for request in fake.requests(method="POST"))      # STS's


def test_unfinished_uploads(fake, doctor):
    """How many a bucket has, and since when; that no rule ends them is said of all such buckets on
    one line, and not of one whose rules may not be seen.
    """
    for number in range(7):
        fake.bucket(f"b{number}")
    fake.bucket("ends").settings["lifecycle"] = ENDING
    fake.bucket("hidden")
    client = boto3.client("s3", endpoint_url=fake.url, region_name="us-east-1",
                          aws_access_key_id=fake.access_key,
                          aws_secret_access_key=fake.secret_key)
    for bucket, key in (("ends", "k"), ("b1", "a b"), ("b1", "\u00fc")):
        client.create_multipart_upload(Bucket=bucket, Key=key)
    fake.fault("status", status=403, code="AccessDenied", bucket="hidden", times=None,
               where=lambda request: "lifecycle" in request.query)
    seen = doctor(env_of(fake))
    day = time.strftime("%Y-%m-%d", time.gmtime(fake.clock.now()))
    assert seen.status == 0, seen.done
    assert [line[:2] for line in seen.of("s3://b1")[1:]] == [
        ("note", f"2 unfinished uploads, the oldest from {day}")]
    assert "s3-put --uploads --to s3://ends" in seen.of("s3://ends")[1][2]
    assert len(seen.of("s3://b2")) == 1
    assert seen.one("uploads")[:2] == ("warning", "no lifecycle rule for all keys removes what "
                                       "unfinished uploads leave in b0, b1, b2, b3, b4 and 2 more")
    lines = doctor(env_of(fake), "--json", "b1").done.out.splitlines()
    found = [json.loads(line) for line in lines]
    assert [each["uploads"] for each in found if each["check"] == "s3://b1"][0]["count"] == 2
    assert [each["buckets"] for each in found if each["check"] == "uploads"] == [["b1"]]


def test_named_buckets_only(fake, doctor):
    """Those that are named, with or without s3://; one that is not there is a fault."""
    seen = doctor(filled(fake), "good", "s3://none")
    assert (seen.status == 1 and seen.faults() == ["s3://none"]
            and "no such bucket" in seen.one("s3://none")[1])
    assert not seen.of("s3://photos") and not [request for request in fake.log
                                               if request.bucket in ("photos", "plain")]


@pytest.mark.parametrize("form", ("--json", "-q", "terminal"))
def test_forms(fake, doctor, tmp_path, form):
    """JSON with facts, only what is wrong, or aligned columns as wide as a terminal."""
    env = filled(fake)
    if form == "terminal":
        return at_a_terminal(env, tmp_path)
    seen = doctor(env, form)
    if form == "-q":
        assert seen.states == {"warning"} and seen.done.err == ""
        return
    facts = [json.loads(line) for line in seen.done.out.splitlines()]
    by = {each["check"]: each for each in reversed(facts)}
    assert by["clock"] == {"check": "clock", "state": "ok", "seen": "agrees with the server's",
                           "seconds_ahead": 0}
    assert (by["credentials"]["method"] == "env" and by["space"]["free_bytes"] > 0
            and by["s3://good"]["public"] is True)
    assert (by["s3://photos"]["bucket"] == "photos"
            and by["s3://photos"]["lifecycle"][0]["prefix"] == "logs/")


def at_a_terminal(env, tmp_path):
    """Every line fits, and begins with what and how it is, or goes on below."""
    pid, terminal = pty.fork()
    if not pid:
        os.chdir(tmp_path)
        os.execve(sys.executable, [sys.executable, str(BIN / "s3-doctor")],
                  clean_env(env | {"COLUMNS": "80"}))
    shown = b"".join(pieces(terminal))
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    lines = shown.decode().split("\r\n")
    assert max(len(line) for line in lines[:-2]
               if str(tmp_path) not in line) <= 80 and "\t" not in shown.decode()
    assert all(re.match(r"\S.{11} (ok|note|unknown|warning|fault) {2,}\S| {22}\S", line)
               for line in lines[:-2]), lines


# --- who we are


def test_no_credentials(fake, doctor):
    """Said, with what to do; the rest is looked at all the same."""
    seen = doctor({"AWS_ENDPOINT_URL_S3": fake.url})
    assert seen.status == 3 and seen.faults() == ["credentials"], seen.done
    assert ("aws sso login" in seen.one("credentials")[2]
            and "--no-sign-request" in seen.one("credentials")[2])
    assert seen.one("network")[0] == seen.one("clock")[0] == seen.one("space")[0] == "ok"


def test_expired_credentials(fake, doctor):
    """A token that S3 does not take any more."""
    fake.credentials["ASIAOLD"] = Credential("s", token="CANARYtoken", expired=True)
    seen = doctor(env_of(fake) | {"AWS_ACCESS_KEY_ID": "ASIAOLD", "AWS_SECRET_ACCESS_KEY": "s",
                                  "AWS_SESSION_TOKEN": "CANARYtoken"})
    assert seen.status == 3 and seen.faults() == ["credentials"], seen.done
    assert ("ExpiredToken" in seen.one("credentials")[1]
            and "AWS_SESSION_TOKEN" in seen.one("credentials")[2])


@pytest.mark.parametrize("minutes, state, status",
                         ((-1, "fault", 3), (5, "warning", 0), (300, "ok", 0)))
def test_until_when(fake, doctor, minutes, state, status):
    """Credentials that say when they expire: past, soon, later."""
    end = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + minutes * 60))
    fake.credentials["ASIA"] = Credential("s", token="t")
    seen = doctor(env_of(fake) | {"AWS_ACCESS_KEY_ID": "ASIA", "AWS_SECRET_ACCESS_KEY": "s",
                                  "AWS_SESSION_TOKEN": "t", "AWS_CREDENTIAL_EXPIRATION": end})
    assert (seen.one("credentials")[0], seen.status) == (state, status), seen.done
    assert minutes < 0 or end in seen.one("credentials")[1]


@pytest.mark.parametrize("env, says", (({"AWS_SECRET_ACCESS_KEY": "wrong"},
                                        "SignatureDoesNotMatch"), (
                                            {"AWS_ACCESS_KEY_ID": "AKIAUNKNOWN"},
                                            "InvalidAccessKeyId")))
def test_keys_that_are_wrong(fake, doctor, env, says):
    """S3's own word for it."""
    seen = doctor(env_of(fake) | env)
    assert (seen.status == 3 and seen.faults() == ["credentials"]
            and says in seen.one("credentials")[1]), seen.done


def test_a_profile_that_is_not_there(fake, doctor):
    """boto3 says it; here is looked at all the same."""
    seen = doctor({"AWS_ENDPOINT_URL_S3": fake.url}, "--profile", "nobody")
    assert (seen.status == 3 and seen.faults() == ["settings"]
            and "nobody" in seen.one("settings")[1])
    assert seen.one("space")[0] == "ok"


CONFIG = """\
[profile role]
role_arn = arn:aws:iam::123456789012:role/mover
source_profile = base
[profile sso]
sso_session = s
sso_account_id = 123456789012
sso_role_name = R
[sso-session s]
sso_start_url = http://127.0.0.1:9/start
sso_region = us-east-1
[profile process]
credential_process = sh -c 'exec sleep 8'
"""


@pytest.fixture
def profiles(moto, tmp_path):
    """The environment in which there are profiles of several kinds."""
    (tmp_path / "config").write_text(CONFIG)
    (tmp_path / "credentials").write_text(
        "[base]\naws_access_key_id = AKIABASE1234\naws_secret_access_key = CANARYsecret\n")
    return {"AWS_CONFIG_FILE": tmp_path / "config",
            "AWS_SHARED_CREDENTIALS_FILE": tmp_path / "credentials", "HOME": tmp_path,
            "AWS_ENDPOINT_URL": moto.url, "AWS_REGION": "us-east-1"}


@pytest.mark.system("minutes")
def test_profiles(profiles, doctor):
    """Keys of a file; a role, until when it is good; SSO that nobody has logged in to; a process
    that does not end.
    """
    seen = doctor(profiles, "--profile", "base")
    assert (seen.one("credentials")[:2]
            == ("ok", "from the credentials file, key ...1234, profile base, not temporary"))
    seen = doctor(profiles | {"AWS_PROFILE": "role"})
    assert seen.status == 0 and "assumed-role/mover/" in seen.one("identity")[1], seen.done
    assert re.fullmatch(
        r"from an assumed role, key \.\.\.\w{4}, profile role, until \S{19}Z \(\d+ min \d+ s from "
        r"now\), then renewed", seen.one("credentials")[1])
    seen = doctor(profiles, "--profile", "sso")
    assert (seen.status == 3 and seen.one("credentials")[0] == "fault"
            and seen.one("credentials")[2] == "aws sso login --profile sso"), seen.done
    began = time.monotonic()
    seen = doctor(profiles, "--profile", "process")
    assert (seen.status == 3 and "a process) does not answer" in seen.one("credentials")[2]
            and time.monotonic() - began < SOON)


def test_nobody(fake, doctor):
    """--no-sign-request: a public bucket is looked at, nothing else is asked."""
    filled(fake)
    fake.sign = False
    seen = doctor({"AWS_ENDPOINT_URL_S3": fake.url}, "--no-sign-request", "good")
    assert (seen.status == 0 and seen.one("credentials")[0] == "note"
            and seen.one("s3://good")[0] == "ok")
    assert not [request for request in fake.log if "authorization" in request.headers]


@pytest.mark.system("minutes")
@pytest.mark.parametrize("kind", ("black hole", "mute"))
def test_a_metadata_service_that_is_not_there(fake, doctor, kind):
    """What boto3 waits for is not waited for."""
    with silence(kind) as url:
        began = time.monotonic()
        seen = doctor({"AWS_ENDPOINT_URL_S3": fake.url, "AWS_EC2_METADATA_DISABLED": "false",
                       "AWS_METADATA_SERVICE_TIMEOUT": "20",
                       "AWS_METADATA_SERVICE_NUM_ATTEMPTS": "3",
                       "AWS_EC2_METADATA_SERVICE_ENDPOINT": url})
    assert time.monotonic() - began < SOON
    assert (seen.status == 3 and seen.faults() == ["credentials"]
            and "instance metadata" in seen.one("credentials")[2])
    assert seen.one("network")[0] == "ok"


# --- the way to S3


def test_time_is_short():
    """The promise is five seconds: Python's and boto3's start come on top."""
    assert aside.SECONDS <= 3.5 and bucket_list.ONE < aside.SECONDS


@pytest.mark.system("minutes")
@pytest.mark.parametrize("kind", ("nobody", "black hole", "mute"))
def test_no_way(doctor, kind):
    """Nothing there, nothing that answers: said soon, and once."""
    with silence(kind) as url:
        began = time.monotonic()
        seen = doctor(KEYS | {"AWS_ENDPOINT_URL": nobody() if kind == "nobody" else url}, "b")
    assert time.monotonic() - began < SOON
    assert (seen.status == 3 and seen.faults() == ["network"]
            and "route" in seen.one("network")[2]), seen.done
    assert (seen.one("credentials")[0] == "unknown" and seen.one("space")[0] == "ok"
            and not seen.of("s3://b"))


@pytest.mark.system("unshare", "root")
def test_no_network_at_all(doctor, tmp_path, shims):
    """A network namespace of its own, in which not even loopback is up: names cannot be looked up.
    """
    done = subprocess.run(["unshare", "-n", sys.executable, BIN / "s3-doctor", "-q"],
                          env=clean_env(KEYS), cwd=tmp_path, capture_output=True, text=True,
                          timeout=60)
    assert done.returncode == 3 and re.search(r"^dns\tfault\ts3.amazonaws.com: .*\t.*resolv.conf",
                                              done.stdout, re.MULTILINE), done


HANGING = """\
ip link set lo up; mount --bind resolv.conf /etc/resolv.conf
"$PYTHON" -c 'import socket; s = socket.socket(type=socket.SOCK_DGRAM); s.bind(("127.0.0.1", 53)); print(flush=True); s.recv(1); input()' > up < hold &
while [ ! -s up ]; do sleep 0.05; done
"$PYTHON" "$0" -q; status=$?; kill $!; exit $status
"""  # noqa: E501


@pytest.mark.system("unshare", "mount", "ip", "root")
def test_a_name_server_that_hangs(tmp_path, shims):
    """In a network of its own, with a name server that takes questions and never answers: libcurl
    would wait for ever.
    """
    (tmp_path / "resolv.conf").write_text("nameserver 127.0.0.1\noptions timeout:30\n")
    os.mkfifo(tmp_path / "hold")
    holder = os.open(tmp_path / "hold", os.O_RDWR)
    began = time.monotonic()
    done = subprocess.run(["unshare", "-n", "-m", "bash", "-c", HANGING, BIN / "s3-doctor"],
                          env=clean_env(KEYS), cwd=tmp_path, capture_output=True, text=True,
                          timeout=60)
    os.close(holder)
    assert time.monotonic() - began < SOON
    assert (done.returncode == 3
            and "dns\tfault\ts3.amazonaws.com: no answer from the name server" in done.stdout), done


@pytest.mark.parametrize("ahead, state, status", ((1200, "fault", 3), (-1200, "fault", 3),
                                                  (-300, "warning", 0), (20, "ok", 0)))
def test_clock(fake, doctor, ahead, state, status):
    """S3 refuses what is 15 minutes off; so the server's clock is what is wrong here, as far as we
    can see.
    """
    fake.skew = -ahead
    seen = doctor(env_of(fake))
    assert (seen.one("clock")[0], seen.status) == (state, status), seen.done
    assert state == "ok" or (("ahead" if ahead > 0 else "behind") in seen.one("clock")[1]
                             and "timedatectl" in seen.one("clock")[2])
    assert seen.faults() == (["clock"] if state == "fault" else [])


def test_a_dead_proxy(fake, doctor):
    """It is named, without its password, and said to be in the way."""
    proxy = nobody().replace("http://", "http://user:CANARYproxy@")
    seen = doctor(env_of(fake) | {"http_proxy": proxy, "no_proxy": "", "NO_PROXY": ""}, "-v")
    assert seen.status == 3 and seen.faults() == ["network"], seen.done
    shown = proxy.replace("user:CANARYproxy@", "")
    assert (shown in seen.one("proxy")[1]
            and f"the proxy {shown} is in the way" in seen.one("network")[2])
    assert "CANARY" not in seen.done.out + seen.done.err


def test_a_proxy_in_capitals(fake, doctor):
    """HTTP_PROXY is heeded by all requests, as the AWS CLI has it; not in a CGI script."""
    env = env_of(fake) | {"HTTP_PROXY": nobody()}
    seen = doctor(env)
    assert seen.one("proxy")[0] == "note" and seen.faults() == ["network"], seen.done
    seen = doctor(env | {"REQUEST_METHOD": "GET"})
    assert seen.one("proxy")[0] == seen.one("network")[0] == "ok", seen.done


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A self-signed certificate for 127.0.0.1 that ends soon: (file, key file)."""
    return self_signed(tmp_path_factory.mktemp("tls"), "cellar", 3)


def test_certificates(doctor, certificate):
    """Not trusted: a fault, and nothing is asked; trusted: its name and days; not checked: a
    warning.
    """
    with FakeS3(tls=certificate) as s3:
        seen = doctor(env_of(s3))
        assert (seen.status == 3 and seen.faults() == ["tls", "network"]
                and "--ca-bundle" in seen.one("tls")[2]), seen.done
        assert not s3.log
        seen = doctor(env_of(s3), "--ca-bundle", certificate[0])
        assert (seen.status == 0 and seen.one("tls")[:2]
                == ("warning", "certificate of cellar, good for 2 days")), seen.done
        seen = doctor(env_of(s3), "--no-verify-ssl")
        assert seen.status == 0 and "not checked" in seen.one("tls")[1], seen.done


def test_a_page_for_people(fake, doctor):
    """The portal of a network answers in S3's place, seen by its head or by its body."""
    fake.fault("html", method=None, times=None)
    seen = doctor(env_of(fake))
    assert (seen.status == 3 and seen.faults() == ["buckets"]
            and "<html>" in seen.one("buckets")[1]), seen.done
    with silence("mute") as url, socket.socket() as portal:
        portal.bind(("127.0.0.1", 0))
        portal.listen(8)
        threading.Thread(target=be_portal, args=(portal,), daemon=True).start()
        seen = doctor(KEYS | {"AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{portal.getsockname()[1]}",
                              "AWS_ENDPOINT_URL_STS": url})
    assert (seen.status == 3 and seen.faults() == ["network"]
            and "web page" in seen.one("network")[1]), seen.done


def be_portal(portal):
    """Answer every request with a page."""
    try:
        while True:
            with portal.accept()[0] as one:
                one.recv(65536)
                one.sendall(
                    b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: "
                    b"0\r\nConnection: close\r\n\r\n")
    except OSError:
        pass            # the test is over


def test_regions(doctor):
    """Buckets of Amazon's are asked where they are, signed for there; those that are not in our
    list say where, too.
    """
    with FakeS3(region=None) as s3:
        s3.bucket("here"), s3.bucket("there")
        s3.buckets["there"].region = "eu-central-1"
        env = env_of(s3) | {"AWS_ENDPOINT_URL_S3": "http://s3.amazonaws.com", "http_proxy": s3.url,
                            "AWS_ENDPOINT_URL_STS": s3.url, "no_proxy": "127.0.0.1"}
        seen = doctor(env)
        assert (seen.status == 0
                and seen.one("s3://there")[1].startswith("eu-central-1, ")), seen.done
        assert seen.one("s3://here")[1].startswith("us-east-1, ")
        s3.fault("status", status=403, code="AccessDenied",
                 where=lambda request: not request.bucket and request.method == "GET", times=None)
        seen = doctor(env, "there")
        assert (seen.status == 0 and seen.one("s3://there")[1].startswith("eu-central-1, ")
                and seen.one("buckets")[0] == "unknown")
        signed = [request.headers["authorization"].split("/")[2]
                  for request in s3.requests(method="GET", bucket="there")]
        assert set(signed) == {"eu-central-1"} and len(signed) == 14


# --- buckets


def test_not_allowed_to_see(fake, doctor):
    """Says which rights are missing; that is no fault of the bucket."""
    env = filled(fake)
    fake.fault("status", status=403, code="AccessDenied",
               where=lambda request: {"lifecycle", "encryption"} & set(request.query), times=None)
    seen = doctor(env, "good")
    assert seen.status == 0, seen.done
    assert seen.of("s3://good")[1] == ("unknown", "not allowed to see: encryption, lifecycle",
                                       "ask for s3:GetEncryptionConfiguration, "
                                       "s3:GetLifecycleConfiguration")


@pytest.mark.system("minutes")
@pytest.mark.parametrize("named", (True, False))
@pytest.mark.parametrize("what", ("listed", "read"))
def test_what_a_migration_needs(fake, doctor, what, named):
    """Listing and reading are a fault to miss in a bucket that was asked for, and worth knowing in
    others.
    """
    env = filled(fake)
    fake.fault("status", status=403, code="AccessDenied", method=None, times=None, bucket="good",
               where=lambda request: "list-type" in request.query if what == "listed"
               else request.key)
    seen = doctor(env, *(["good"] if named else []))
    assert seen.status == (1 if named else 0), seen.done
    assert seen.of("s3://good")[1][:2] == ("fault" if named else "note", f"may not be {what} by us")


def test_buckets_that_may_not_be_listed(fake, doctor):
    """Not knowing which there are is said with what to do; named ones are looked at."""
    env = filled(fake)
    fake.fault("status", status=403, code="AccessDenied", where=lambda request: not request.bucket,
               times=None)
    seen = doctor(env)
    assert (seen.status == 0 and seen.one("buckets")[0] == "unknown"
            and "s3-doctor BUCKET" in seen.one("buckets")[2]), seen.done
    assert doctor(env, "good").one("s3://good")[0] == "ok"


@contextmanager
def answering(answer):
    """Have a server that answers each GET and HEAD with `answer(path)`, (status, body); yield its
    URL.
    """
    class Handler(BaseHTTPRequestHandler):
        """One request."""

        def do_GET(self):
            status, body = answer(self.path)
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(b"" if self.command == "HEAD" else body)

        do_HEAD = do_POST = do_GET

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


LISTING = b"<ListBucketResult><Contents><Key>k</Key></Contents></ListBucketResult>"
BUCKETS = (b"<ListAllMyBucketsResult><Buckets><Bucket><Name>b</Name></Bucket></Buckets>"
           b"</ListAllMyBucketsResult>")


@pytest.mark.system("minutes")
@pytest.mark.parametrize("status, body, came", ((200, LISTING, "<ListBucketResult>"),
                                                (200, b"", "nothing"), (500, b"no", "HTTP500"),
                                                (404, b"<html>no</html>", "HTTP404")))
def test_a_server_that_does_not_know_settings(doctor, status, body, came):
    """It answers with a listing, nothing, or an error that is not S3's: the settings are unknown,
    never "not encrypted" or "no lifecycle".
    """
    def answer(path):
        if path.startswith("/?"):
            return 200, BUCKETS
        return (200, LISTING) if "list-type" in path else (status, body)

    with answering(answer) as url:
        seen = doctor(KEYS | {"AWS_ENDPOINT_URL_S3": url, "AWS_ENDPOINT_URL_STS": url}, "b")
    there, unknown = seen.of("s3://b")
    assert there[:2] == ("ok", "there"), seen.done
    assert unknown[:2] == ("unknown", "not answered as S3 would: " + ", ".join(
        f"{ask} ({came})" for ask in ("region", "versioning", "encryption", "lock", "public",
                                      "lifecycle", "uploads")))
    assert seen.status == 0 and not seen.of("public") and not seen.of("uploads")


@pytest.mark.system("minutes")
@pytest.mark.parametrize("body", (b"[]", b'["b"]', b"{}", b"", b"\x00\xff" * 100, b"<a", LISTING,
                                  BUCKETS.replace(b"<Name>b</Name>", b""), BUCKETS[:-9],
                                  b"<!DOCTYPE html><html><p>Log in</html>"))
def test_a_server_that_is_not_s3(doctor, body):
    """Whatever it answers with is a line about what is at fault, never a trace."""
    with answering(lambda path: (200, body)) as url:
        seen = doctor(KEYS | {"AWS_ENDPOINT_URL_S3": url, "AWS_ENDPOINT_URL_STS": url}, "b")
    assert seen.status in (1, 3) and seen.faults(), seen.done
    assert "Traceback" not in seen.done.err and "fault of s3kit" not in seen.done.err


def test_many_buckets(fake, doctor):
    """200, side by side; fewer with --buckets; what only passes is asked again."""
    for number in range(200):
        fake.bucket(f"b{number:03d}").settings.update(publicAccessBlock=BLOCKED, lifecycle=ENDING)
    fake.latency = 0.02
    slow = fake.fault("status", status=503, code="SlowDown", times=5,
                      where=lambda request: "versioning" in request.query)
    cut = fake.fault("reset", times=5, where=lambda request: "lifecycle" in request.query)
    seen = doctor(env_of(fake))
    assert (seen.status == 0 and sum(line[0].startswith("s3://") for line in seen.lines) == 200
            and seen.states == {"ok", "note"}), seen.done
    assert (slow.hits, cut.hits) == (5, 5) and all(
        "1 lifecycle rule" in line[2] for line in seen.lines if line[0].startswith("s3://"))
    assert len(fake.requests(method="GET", where=lambda request: request.bucket)) == 200 * 7 + 10
    assert fake.connections < 64 + 20
    seen = doctor(env_of(fake), "--buckets", "3")
    assert ([line[0] for line in seen.lines if line[0].startswith("s3://")]
            == ["s3://b000", "s3://b001", "s3://b002"])
    assert ("note", "looked into 3 of them", "--buckets N looks into more") in seen.of("buckets")


def test_pages_of_buckets(fake, doctor):
    """More buckets than a page of the list has: as many pages as are needed."""
    for number in range(1203):
        fake.bucket(f"b{number:04d}")
    assert doctor(env_of(fake), "b0001").one("buckets")[1] == "1,203 buckets to be seen"
    seen = doctor(env_of(fake), "--buckets", "0")
    assert [line[1] for line in seen.of("buckets")] == ["1,000 buckets and more to be seen",
                                                        "looked into 0 of them"]


# --- here


@pytest.fixture
def mounts(tmp_path):
    """File systems for this test; unmounted when it ends."""
    mounted = Mounts(tmp_path / "mnt")
    yield mounted
    mounted.close()


def here(run, fake, place, *words):
    """Return the Lines of s3-doctor about a destination."""
    return Lines(run("s3-doctor", "-d", place, *words, env=env_of(fake)))


@pytest.mark.system("mount", "root")
def test_full(fake, run, mounts):
    """No bytes left, or no inodes; nothing is left behind."""
    place = mounts.mount("bytes", "none", "size=64k", "tmpfs")
    (place / "fill").write_bytes(bytes(64 << 10))
    seen = here(run, fake, place)
    assert (seen.status == 1 and seen.faults() == ["destination", "space"]
            and "No space left" in seen.one("destination")[1]), seen.done
    assert "make room" in seen.one("space")[2] and os.listdir(place) == ["fill"]
    place = mounts.mount("inodes", "none", "size=4m,nr_inodes=3", "tmpfs")
    (place / "a").touch(), (place / "b").touch()
    seen = here(run, fake, place)
    assert seen.status == 1 and seen.faults() == ["destination", "inodes"], seen.done
    assert seen.one("file system")[0] == "warning" and "in memory" in seen.one("file system")[1]


@pytest.mark.system("mount", "root")
def test_read_only(fake, run, mounts):
    """A file system that is mounted so."""
    place = mounts.mount("ro", "none", "size=4m", "tmpfs")
    mounts.remount(place, "ro")
    seen = here(run, fake, place)
    assert (seen.status == 1 and seen.faults() == ["destination"]
            and "mount it writable" in seen.one("destination")[2]), seen.done


@pytest.mark.system("mkfs.exfat", "mount.exfat-fuse", "root")
def test_a_file_system_that_folds(fake, run, mounts, tmp_path):
    """exFAT: `A` is `a`, and some characters are none."""
    image = make_image(tmp_path / "exfat", 64 << 20, ("mkfs.exfat",))
    place = mounts.mount("exfat", image, kind="exfat-fuse")
    seen = here(run, fake, place)
    assert seen.status == 0, seen.done
    assert ({line[0] for line in seen.of("names")} == {"warning", "note"}
            and "'A' and 'a' are one" in str(seen.of("names")))
    assert os.listdir(place) == []


@pytest.mark.system("minutes")
@pytest.mark.parametrize("place, state, says", (("new/er", "note", "s3-fetch makes it"),
                                                ("file", "fault", "not a directory"),
                                                ("/", "fault", "must not be '/'"),
                                                ("file/below", "fault", "not a directory")))
def test_destinations(fake, run, tmp_path, place, state, says):
    """Not there yet, no directory, the root."""
    (tmp_path / "file").touch()
    seen = here(run, fake, place)
    assert (state, True) in [(line[0], says in line[1] + line[2])
                             for line in seen.of("destination")], seen.done
    assert seen.status == (state == "fault") and sorted(os.listdir(tmp_path)) == ["file"]


@pytest.mark.system("minutes")
@pytest.mark.parametrize("limit, state, status",
                         ((4096, "ok", 0), (200, "warning", 0), (100, "fault", 1)))
def test_open_files(fake, pipe, limit, state, status):
    """`ulimit -n`, with what to do; the doctor itself gets along."""
    for number in range(100):
        fake.bucket(f"b{number:03d}")
    done = pipe(f"ulimit -Sn {limit}; s3-doctor -d .", env=env_of(fake))
    assert done.status == [status], done
    found = re.search(r"^open files\t(\w+)\t.*", done.out, re.MULTILINE)
    assert found[1] == state and (state == "ok" or "ulimit -n 4096" in found[0])
    assert done.out.count("s3://") == 100


# --- usage


@pytest.mark.parametrize("words", (["--speed", "s3://b", "b"], ["--volumes", "b"],
                                   ["--volumes", "--speed", "s3://b"], ["--svg", "x"],
                                   ["--speed", "b"], ["no such bucket"], ["--for", "soon"],
                                   ["--buckets", "-1"]))
def test_wrong_words(doctor, words):
    """Status 2, one line, nothing asked."""
    seen = doctor({}, *words)
    assert seen.status == 2 and seen.done.out == "" and seen.done.err.count("\n") == 1, seen.done


def test_secrets_never_appear(fake, doctor):
    """Neither of good keys nor of wrong ones, however much is said."""
    token = "CANARYtoken"
    fake.credentials["ASIACANARYID"] = Credential("CANARYsecret", token=token)
    env = env_of(fake) | {"AWS_ACCESS_KEY_ID": "ASIACANARYID",
                          "AWS_SECRET_ACCESS_KEY": "CANARYsecret", "AWS_SESSION_TOKEN": token}
    fake.put("b", "k", bytes(1000))
    for words, status in ((["-v"], 0), (["--speed", "s3://b", "--for", "0.5s", "-v"], 0)):
        for more in ({}, {"AWS_SECRET_ACCESS_KEY": "CANARYother"}):
            seen = doctor(env | more, *words)
            assert (seen.status == (3 if more else status)
                    and "CANARY" not in seen.done.out + seen.done.err), seen.done


# --- speed


def rows(done):
    """Return the steps and the verdict that --json printed; what was measured again counts once,
    with all that it gave.
    """
    *steps, verdict = [json.loads(line) for line in done.out.splitlines()]
    return list({(step["workers"], step["connections"]): step for step in steps}.values()), verdict


@pytest.mark.system("minutes")
def test_the_knee(fake, doctor, tmp_path):
    """A server that takes 40 ms for everything: each connection brings as much again, and no more
    than that.
    """
    for number in range(40):
        fake.put("b", f"p/k{number}", bytes(5000))
    fake.latency = 0.04
    for _ in range(6):          # other tests may have the cores meanwhile: then they are the limit
        seen = doctor(env_of(fake), "--speed", "s3://b/p/", "--for", "12s", "--json", "-j", "1",
                      "-c", "8", "--svg", "speed.svg")
        assert seen.status == 0, seen.done
        steps, verdict = rows(seen.done)
        rates = [step["requests_per_second"] for step in steps]
        if len(steps) == 4 and verdict["limit"] == "network" and rates[3] > rates[0]:
            break
    assert ([(step["workers"], step["connections"]) for step in steps]
            == [(1, 1), (1, 2), (1, 4), (1, 8)])
    # 40 ms each: never more than 25 a second and connection, but for what is told late; and eight
    # of them do more than one.
    assert (all(0 < rate <= 35 * step["connections"] for rate, step in zip(rates, steps))
            and rates[3] > rates[0])
    assert all(step["first_byte_ms"] >= 40 for step in steps)
    assert ((verdict["limit"], verdict["jobs"]) == ("network", 1)
            and verdict["disk_bytes_per_second"] > 0)
    drawn = etree.parse(tmp_path / "speed.svg").getroot()
    assert drawn.tag == "{http://www.w3.org/2000/svg}svg" and "1 x 8" in "".join(drawn.itertext())
    assert os.listdir(tmp_path / "d") == []
    assert {request.method for request in fake.log} == {"GET"}


def test_a_drawing_that_cannot_be_written(fake, pipe, tmp_path):
    """No file may have more than 1 KiB: a line that says so, the old drawing, nothing beside it."""
    fake.put("b", "k", bytes(5000))
    (tmp_path / "speed.svg").write_text("the old one")
    done = pipe("ulimit -f 1; s3-doctor --speed s3://b --for 0.5s --max-bytes 1M -j 1 -c 1 --svg "
                "speed.svg", env=env_of(fake))
    assert done.status == [3] and done.err.endswith(
        "s3-doctor: cannot write 'speed.svg': File too large\n"), done
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["speed.svg"]
    assert (tmp_path / "speed.svg").read_text() == "the old one"


def test_the_table(seaweed, doctor):
    """As people see it, against a real server, at its own pace; an address of one large object,
    too.
    """
    client = seaweed.client()
    client.create_bucket(Bucket="doctor-speed")
    for number in range(20):
        client.put_object(Bucket="doctor-speed", Key=f"small/{number}", Body=os.urandom(2000))
    client.put_object(Bucket="doctor-speed", Key="large", Body=bytes(66 << 20))
    for prefix in ("small/", "large"):
        seen = doctor(seaweed.env, "--speed", f"s3://doctor-speed/{prefix}", "--for", "1s", "-c",
                      "4", "--max-bytes", "300M")
        assert seen.status == 0, seen.done
        title, head, first, *rest = seen.done.out.splitlines()
        assert (title.startswith("s3://doctor-speed: ") and head.startswith("workers connections")
                and first.split()[:2] == ["1", "1"])
        assert [line.split()[0] for line in rest[-6:]] == ["network", "disk", "cpu", "limit",
                                                           "knee", "use"]
        assert re.fullmatch(r"use +s3-fetch -j \d+ -c \d+( -d .+)?", rest[-1])


def test_most_bytes(fake, doctor):
    """--max-bytes is kept, but for what was on its way when it was reached."""
    for number in range(50):
        fake.put("b", f"k{number}", bytes(100_000))
    fake.latency = 0.05         # a server slow enough for machines that others use, too
    seen = doctor(env_of(fake), "--speed", "s3://b", "--max-bytes", "1M", "--json", "-c", "2", "-j",
                  "1")
    steps, _ = rows(seen.done)
    assert seen.status == 0 and 0 < sum(step["bytes"] for step in steps) < 5 << 19
    assert len(fake.requests(bucket="b", where=lambda request: request.key)) < 40


@pytest.mark.system("minutes")
@pytest.mark.parametrize("after", [0, 30])
def test_slowed_down(fake, doctor, after):
    """503 SlowDown is a result: no more is tried. From the first request on, too."""
    for number in range(50):
        fake.put("b", f"k{number}", bytes(1000))
    fake.fault("status", key=bool, status=503, code="SlowDown", times=None, after=after)
    seen = doctor(env_of(fake), "--speed", "s3://b", "--for", "30s")
    assert seen.status == 0 and "S3       slowed us down (503 SlowDown)" in seen.done.out, seen.done
    assert len(fake.requests(where=lambda request: request.key and request.status < 300)) == after
    assert len([line for line in seen.done.out.splitlines() if line.startswith("      1 ")]) == 1


@pytest.mark.parametrize("case", ("empty", "archived", "no bucket", "denied", "expired"))
def test_nothing_to_measure(fake, doctor, case):
    """Said in one line, status 3."""
    fake.bucket("b")
    if case == "archived":
        fake.put("b", "k", b"x", storage_class="GLACIER")
    elif case in ("denied", "expired"):
        fake.put("b", "k", b"x")
        fake.fault("status", key=bool, times=None, **({"status": 403, "code": "AccessDenied"}
                                                      if case == "denied"
                                                      else {"status": 400, "code": "ExpiredToken"}))
    seen = doctor(env_of(fake), "--speed", "s3://none" if case == "no bucket" else "s3://b",
                  "--for", "2s")
    assert (seen.status == 3 and len(seen.done.err.splitlines())
            == (2 if case in ("denied", "expired") else 1)), seen.done
    assert {"empty": "nothing to read", "archived": "nothing to read", "no bucket": "NoSuchBucket",
            "denied": "AccessDenied", "expired": "expired"}[case] in seen.done.err


@pytest.mark.parametrize("number", (signal.SIGINT, signal.SIGKILL))
def test_a_signal_leaves_nothing(fake, tmp_path, shims, number):
    """No worker (see conftest), and no scratch file, not even of a killed one."""
    for key in range(50):
        fake.put("b", f"k{key}", bytes(100_000))
    (tmp_path / "d").mkdir()
    process = subprocess.Popen([sys.executable, BIN / "s3-doctor", "--speed", "s3://b", "-d", "d"],
                               env=clean_env(env_of(fake)), cwd=tmp_path, stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE, start_new_session=True)
    end = time.monotonic() + 30
    while not fake.requests(bucket="b",
                            where=lambda request: request.key) and time.monotonic() < end:
        time.sleep(0.05)
    process.send_signal(number)
    assert process.wait(30) == -number
    assert os.listdir(tmp_path / "d") == []


@pytest.mark.system("mount", "root")
def test_a_destination_that_cannot_be_written_to(fake, run, mounts):
    """The network is measured all the same."""
    fake.put("b", "k", bytes(1000))
    place = mounts.mount("ro", "none", "size=4m", "tmpfs")
    mounts.remount(place, "ro")
    done = run("s3-doctor", "--speed", "s3://b", "-d", place, "--for", "1s", env=env_of(fake))
    assert done.status == 0 and re.search(r"^disk +not measured: .*Read-only", done.out,
                                          re.MULTILINE), done


# --- volumes


def test_volumes_of_this_machine(doctor):
    """A script that a shell understands, whatever disks there are; as JSON a disk a line."""
    seen = doctor({}, "--volumes")
    assert seen.status == 0 and seen.done.out.startswith("# ") and seen.done.err == ""
    assert subprocess.run(["sh", "-n"], input=seen.done.out, text=True).returncode == 0
    names = [json.loads(line)["name"]
             for line in doctor({}, "--volumes", "--json").done.out.splitlines()]
    assert all(f"# /dev/{name} " in seen.done.out for name in names)
