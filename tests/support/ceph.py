"""Ceph's RADOS Gateway on loopback, for tests: one monitor, one OSD, one gateway; needs root and
the Debian packages ceph-mon, ceph-osd, radosgw and ceph-common.

https://docs.ceph.com/en/latest/install/manual-deployment/
"""

import json
import time
import uuid

import daemons
import servers

CONFIG = """\
[global]
fsid = {fsid}
mon initial members = a
mon host = [v2:127.0.0.1:{v2}/0,v1:127.0.0.1:{v1}/0]
public network = 127.0.0.0/8
cluster network = 127.0.0.0/8
ms bind ipv6 = false
auth allow insecure global id reclaim = false
keyring = {folder}/keyring
run dir = {folder}/run
admin socket = {folder}/run/$name.$pid.asok
log file = {folder}/$name.log
log to stderr = false
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 8
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
mon max pg per osd = 2000
mon data avail crit = 1
mon data = {folder}/mon
osd data = {folder}/osd
osd objectstore = memstore
memstore device bytes = 4294967296

[client]
rgw data = {folder}/rgw
rgw frontends = beast endpoint=127.0.0.1:{port}
rgw dynamic resharding = false
rgw override bucket index max shards = 1
rgw s3 auth use sts = true
rgw sts key = abcdefghijklmnop
"""
CAPS = {"mon.": {"mon": "allow *"},
        "client.admin": {"mon": "allow *", "osd": "allow *", "mgr": "allow *"},
        "client.rgw": {"mon": "allow rw", "osd": "allow rwx", "mgr": "allow rw"},
        "osd.0": {"mon": "allow profile osd", "osd": "allow *", "mgr": "allow profile osd"}}


class Ceph(daemons.Daemons):
    """A cluster of three daemons, in memory; buckets, versions, policies, Object Lock, signatures.

    Users are `s3kit`, with the keys that all our servers have, and those of servers.GUESTS.
    """

    versions = policies = locks = True
    account = ""

    def bring_up(self):
        """Make the cluster, start its daemons, make its users."""
        self.make()
        self.launch("ceph-mon", "-i", "a")
        self.wait("ceph", "--connect-timeout", "5", "mon", "stat")
        osd = str(uuid.uuid4())
        self.ceph("ceph", "osd", "new", osd)
        self.ceph("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", osd)
        self.launch("ceph-osd", "-i", "0")
        self.wait("sh", "-c", f"ceph -c {self.config} osd stat | grep -q '1 up'")
        self.launch("radosgw", "-n", "client.rgw")
        self.until_it_answers()
        for name, (access, secret) in self.users().items():
            self.ceph("radosgw-admin", "user", "create", "--uid", name, "--display-name", name,
                      "--access-key", access, "--secret-key", secret)

    def users(self):
        """Return {name: (access key, secret key)}."""
        return {"s3kit": (servers.ACCESS_KEY, servers.SECRET_KEY), **servers.GUESTS}

    def make(self):
        """Write the configuration, the keys and the monitor's store."""
        v2, v1, port = servers.free_ports(3)
        self.url = f"http://127.0.0.1:{port}"
        self.config = self.folder / "ceph.conf"
        for name in ("run", "mon", "osd", "rgw"):
            (self.folder / name).mkdir(exist_ok=True)
        fsid = str(uuid.uuid4())
        self.config.write_text(CONFIG.format(fsid=fsid, v1=v1, v2=v2, port=port,
                                             folder=self.folder))
        keyring, monmap = self.folder / "keyring", self.folder / "monmap"
        for name, caps in CAPS.items():
            words = [word for kind, rights in caps.items() for word in ("--cap", kind, rights)]
            create = [] if keyring.exists() else ["--create-keyring"]
            self.call("ceph-authtool", keyring, *create, "--gen-key", "-n", name, *words)
        self.call("monmaptool", "--create", "--fsid", fsid, "--addv", "a",
                  f"[v2:127.0.0.1:{v2},v1:127.0.0.1:{v1}]", monmap)
        self.ceph("ceph-mon", "-i", "a", "--mkfs", "--monmap", monmap, "--keyring", keyring)

    def ceph(self, program, *words):
        """Run a program that reads the cluster's configuration; return what it wrote."""
        return self.call(program, "-c", self.config, *words)

    def launch(self, *words):
        """Start a daemon of the cluster."""
        self.daemon(*words, "-c", self.config, "-f")

    def wait(self, *words):
        """Call a program until it succeeds."""
        end = time.monotonic() + daemons.SECONDS
        while True:
            try:
                (self.call if words[0] == "sh" else self.ceph)(*words)
                return
            except RuntimeError:
                if time.monotonic() > end:
                    raise
            time.sleep(0.3)

    def admin(self, *words):
        """Return what radosgw-admin says, read as JSON."""
        return json.loads(self.ceph("radosgw-admin", *words))
