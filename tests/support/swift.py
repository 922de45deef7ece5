"""OpenStack Swift with its S3 door (s3api) on loopback, for tests: one proxy, one account,
container and object server, one disk; needs root and the Debian packages swift-proxy,
swift-account, swift-container, swift-object and memcached.

https://docs.openstack.org/swift/latest/development_saio.html
"""

import os
import subprocess

import daemons
import servers

COMMON = """\
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
user = root
workers = 0
swift_dir = {folder}
devices = {folder}/disks
mount_check = false
log_level = ERROR
disable_fallocate = true
fallocate_reserve = 0
"""
STORE = COMMON + """\
[pipeline:main]
pipeline = {kind}-server
[app:{kind}-server]
use = egg:swift#{kind}
[{kind}-replicator]
[{kind}-auditor]
"""
FILTERS = ("catch_errors", "gatekeeper", "memcache", "listing_formats", "s3api", "tempauth", "copy",
           "bulk", "slo", "dlo", "versioned_writes", "symlink")
OPTIONS = {"memcache": "memcache_servers = 127.0.0.1:{memory}",
           "s3api": "location = us-east-1\nmax_bucket_listing = 1000\n"
                    "max_multi_delete_objects = 1000",
           "tempauth": "{users}",
           "versioned_writes": "allow_versioned_writes = true\nallow_object_versioning = true"}
PROXY = COMMON + """\
[pipeline:main]
pipeline = {pipeline} proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
allow_account_management = true
node_timeout = 60
recoverable_node_timeout = 60
conn_timeout = 10
"""
CLUSTER = """\
[swift-hash]
swift_hash_path_suffix = s3kit
[storage-policy:0]
name = gold
default = yes
"""
KINDS = ("account", "container", "object")
RINGS = """\
import sys
from swift.common.ring import RingBuilder
for kind, port in zip(("account", "container", "object"), sys.argv[1:]):
    builder = RingBuilder(4, 1, 0)
    builder.add_dev({"region": 1, "zone": 1, "ip": "127.0.0.1", "port": int(port), "device": "d1",
                     "weight": 1.0})
    builder.rebalance()
    builder.get_ring().save(kind + ".ring.gz")
"""


class Swift(daemons.Daemons):
    """Buckets and versions; signatures. No policies, no Object Lock, no checksums, no conditions.

    Access keys are tempauth's ACCOUNT:USER, used as they are; s3api's own names of versions leave
    1,006 bytes for those of objects. Swift keeps the names of objects in
    extended attributes, more than ext4 has room for by itself, thus the disk of its own, in memory.
    """

    versions = True         # If-Match of a deletion is heeded, but not in one step with it
    access_key = f"s3:{servers.ACCESS_KEY}"

    def bring_up(self):
        """Make the disk, the rings and the configuration; start the daemons."""
        self.mount()
        self.configure()
        self.daemon("memcached", "-u", "root", "-l", "127.0.0.1", "-p", str(self.memory), "-U", "0")
        for kind in (*KINDS, "proxy"):
            self.daemon(f"swift-{kind}-server", self.folder / f"{kind}-server.conf", "-v")
        self.until_it_answers()

    def mount(self):
        """Mount an ext4 whose extended attributes may be large, from a file in memory."""
        ram, disk = self.folder / "ram", self.folder / "disks" / "d1"
        for place in (ram, disk):
            place.mkdir(parents=True)
        self.call("mount", "-t", "tmpfs", "-o", "size=4G", "s3kit-swift", ram)
        with open(ram / "image", "wb") as image:
            image.truncate(4 << 30)
        self.call("mkfs.ext4", "-q", "-F", "-O", "ea_inode,^has_journal", ram / "image")
        self.call("mount", "-o", "loop,noatime", ram / "image", disk)

    def configure(self):
        """Write what each daemon reads."""
        *ports, proxy, self.memory = servers.free_ports(5)
        self.url = f"http://127.0.0.1:{proxy}"
        self.write("swift.conf", CLUSTER)
        for kind, port in zip(KINDS, ports):
            self.write(f"{kind}-server.conf", STORE, kind=kind, port=port)
        filters = "".join(f"[filter:{name}]\nuse = egg:swift#{name}\n{OPTIONS.get(name, '')}\n"
                          for name in FILTERS)
        self.write("proxy-server.conf", PROXY + filters, port=proxy, pipeline=" ".join(FILTERS),
                   memory=self.memory,
                   users=f"user_s3_{servers.ACCESS_KEY} = {servers.SECRET_KEY} .admin")
        self.call("/usr/bin/python3", "-c", RINGS, *map(str, ports))

    def write(self, name, text, **values):
        """Write a file of the configuration."""
        (self.folder / name).write_text(text.format(folder=self.folder, **values))

    def stop(self):
        """End the daemons, unmount the disk."""
        for process in reversed(self.processes):
            servers.end(process.pid)
        for place in (self.folder / "disks" / "d1", self.folder / "ram"):
            if os.path.ismount(place):
                subprocess.run(["umount", "-l", place])
        super().stop()
