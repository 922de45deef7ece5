"""The speed of light: an S3 that costs next to nothing, so that what is measured is the client.

nginx gives the objects, which are files (sendfile; ETag and checksum come from maps). Listings it
asks of a small page server below, which keeps every entry rendered: a page is a bisect and a join.
No signatures are checked; loopback only. What it needs: apt-get install nginx-light
libnginx-mod-http-headers-more-filter libnginx-mod-http-echo.

    with Light([Bucket("b", [("key", 4096)])], latency=0.03) as server:
        ...                                     # server.url, server.counts()
"""

import asyncio
import base64
import gc
import hashlib
import multiprocessing
import os
import random
import re
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request
from bisect import bisect_left, bisect_right
from pathlib import Path
from urllib.parse import parse_qsl, quote, urlsplit
from xml.sax.saxutils import escape

PART = 16 << 20             # of the objects that were "uploaded" in parts
PAGE = 1000
MODIFIED, DAY = 1767225600, "2026-01-01T00:00:00.000Z"
LAST = "\U0010ffff"
MODULES = Path("/usr/lib/nginx/modules")
NEEDS = {"nginx": "nginx-light",
         "ngx_http_headers_more_filter_module.so": "libnginx-mod-http-headers-more-filter",
         "ngx_http_echo_module.so": "libnginx-mod-http-echo"}
LENGTH = re.compile(rb"\r\nContent-Length: (\d+)", re.I)
NAMED = re.compile(rb"<Object>(.*?)</Object>", re.S)
SPACE = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'


# --- buckets


class Entry:
    """One version of an object, or a delete marker (`size` is None)."""

    __slots__ = ("key", "version", "is_latest", "size", "etag", "crc")

    def __init__(self, key, size, etag="", crc="", version="null", is_latest=True):
        self.key, self.size, self.etag, self.crc, self.version, self.is_latest = (
            key, size, etag, crc, version, is_latest)

    def xml(self, tag, encoded):
        """Render it for a page of <Contents> or of <Version>."""
        key = escape(quote(self.key, safe="/") if encoded else self.key)
        version = "" if tag == "Contents" else f"<VersionId>{self.version}</VersionId>" \
            f"<IsLatest>{'true' if self.is_latest else 'false'}</IsLatest>"
        owner = "" if tag == "Contents" else "<Owner><ID>light</ID></Owner>"
        if self.size is None:
            return (f"<DeleteMarker><Key>{key}</Key>{version}<LastModified>{DAY}</LastModified>"
                    f"{owner}</DeleteMarker>")
        crc = ("<ChecksumAlgorithm>CRC64NVME</ChecksumAlgorithm>"
               "<ChecksumType>FULL_OBJECT</ChecksumType>" if self.crc else "")
        return (f"<{tag}><Key>{key}</Key>{version}<LastModified>{DAY}</LastModified>"
                f"<ETag>&quot;{self.etag}&quot;</ETag>"
                f"{crc}<Size>{self.size}</Size>{owner}<StorageClass>STANDARD</StorageClass>"
                f"</{tag}>")


class Bucket:
    """A bucket: its entries in S3's order, and where real, what fills its files."""

    def __init__(self, name, sizes=(), entries=(), checksum=True, versioned=False):
        self.name, self.sizes, self.checksum, self.versioned = name, sorted(
            sizes), checksum, versioned
        self.entries = list(entries)
        self.shelves = {}

    def write(self, folder):
        """Write the objects as files and take their digests, from which the entries are made."""
        from awscrt.checksums import crc64nvme
        noise = random.Random(self.name)
        if self.sizes:          # what was written before is written anew
            self.entries.clear()
        for key, size in self.sizes:
            path = folder / self.name / key
            path.parent.mkdir(parents=True, exist_ok=True)
            parts, crc = [], 0
            with open(path, "wb") as file:
                for at in range(0, max(size, 1), PART):
                    part = noise.randbytes(min(PART, size - at))
                    file.write(part)
                    parts.append(hashlib.md5(part))
                    crc = crc64nvme(part, crc)
            os.utime(path, (MODIFIED, MODIFIED))
            etag = parts[0].hexdigest() if len(parts) == 1 else \
                f"{hashlib.md5(b''.join(part.digest() for part in parts)).hexdigest()}-{len(parts)}"
            crc = base64.b64encode(crc.to_bytes(8, "big")).decode() if self.checksum else ""
            version = hashlib.md5(key.encode()).hexdigest() if self.versioned else "null"
            self.entries.append(Entry(key, size, etag, crc, version))

    def expected(self, prefix=""):
        """Return (objects, bytes) below a prefix."""
        sizes = [size for key, size in self.sizes if key.startswith(prefix)]
        return len(sizes), sum(sizes)

    def shelf(self, tag, encoded):
        """Return the Shelf of a kind of listing, rendered when first asked for."""
        if (tag, encoded) not in self.shelves:
            entries = self.entries if tag == "Version" else \
                [entry for entry in self.entries if entry.is_latest and entry.size is not None]
            self.shelves[tag, encoded] = Shelf(entries, tag, encoded)
        return self.shelves[tag, encoded]


def versions(name, count, key, every=5):
    """Return a Bucket without objects: `count` versions, `every` of a key; each tenth key is
    deleted.
    """
    entries = []
    for number in range(-(-count // every)):
        for at in range(min(every, count - number * every)):
            version = hashlib.md5(b"%d-%d" % (number, at)).hexdigest()
            gone = at == 0 and number % 10 == 9
            entries.append(Entry(key(number), None if gone else 4096 + at,
                                 hashlib.md5(version.encode()).hexdigest(), "crc", version,
                                 at == 0))
    entries.sort(key=lambda entry: entry.key)       # stable: a key's versions stay newest first
    return Bucket(name, entries=entries, versioned=True)


# --- pages


class Shelf:
    """The rendered entries of one kind of listing, in order."""

    def __init__(self, entries, tag, encoded):
        self.tag = tag
        self.keys = [entry.key for entry in entries]
        self.versions = [entry.version for entry in entries]
        self.xml = [entry.xml(tag, encoded).encode() for entry in entries]

    def after(self, marker, version, prefix, delimiter):
        """Return where a page begins that goes on after a key, a version of it, or a common prefix.
        """
        first = bisect_left(self.keys, prefix)
        if not marker:
            return first
        if delimiter and marker.endswith(delimiter) and marker.startswith(prefix):
            return max(first, bisect_left(self.keys, marker + LAST))
        end = bisect_right(self.keys, marker)
        if version:
            for at in range(bisect_left(self.keys, marker), end):
                if self.versions[at] == version:
                    end = at + 1
                    break
        return max(first, end)

    def flat(self, begin, prefix, most):
        """Return (fragments, groups, where the page ended, whether more follows)."""
        end = bisect_left(self.keys, prefix + LAST) if prefix else len(self.keys)
        stop = min(begin + most, end)
        last = (self.keys[stop - 1], self.versions[stop - 1]) if stop > begin else ("", "")
        return self.xml[begin:stop], [], last, stop < end

    def grouped(self, begin, prefix, delimiter, most):
        """Return the same, keys behind a delimiter rolled up to common prefixes."""
        end = bisect_left(self.keys, prefix + LAST) if prefix else len(self.keys)
        found, groups, last, at = [], [], ("", ""), begin
        while at < end and len(found) + len(groups) < most:
            key = self.keys[at]
            cut = key.find(delimiter, len(prefix))
            if cut < 0:
                found.append(self.xml[at])
                last, at = (key, self.versions[at]), at + 1
            else:
                groups.append(key[:cut + len(delimiter)])
                last, at = (groups[-1], ""), bisect_left(self.keys, groups[-1] + LAST)
        return found, groups, last, at < end


def list_page(bucket, query):
    """Return the XML of one page."""
    encoded = query.get("encoding-type") == "url"
    is_versions, is_second = "versions" in query, query.get("list-type") == "2"
    prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
    if is_versions:
        marker = query.get("key-marker", "")
    elif is_second:
        token = query.get("continuation-token")
        marker = bytes.fromhex(token).decode() if token else query.get("start-after", "")
    else:
        marker = query.get("marker", "")
    shelf = bucket.shelf("Version" if is_versions else "Contents", encoded)
    begin = shelf.after(marker, query.get("version-id-marker"), prefix, delimiter)
    most = min(int(query.get("max-keys") or PAGE), PAGE)
    found, groups, last, goes_on = shelf.grouped(begin, prefix, delimiter, most) if delimiter else \
        shelf.flat(begin, prefix, most)
    goes_on = goes_on and most > 0

    def text(key):
        return escape(quote(key, safe="/") if encoded else key)

    root = "ListVersionsResult" if is_versions else "ListBucketResult"
    head = [f'<?xml version="1.0" encoding="UTF-8"?>\n<{root} {SPACE}><Name>{bucket.name}</Name>'
            f"<Prefix>{text(prefix)}</Prefix><MaxKeys>{most}</MaxKeys>"
            f"<IsTruncated>{'true' if goes_on else 'false'}</IsTruncated>"]
    if encoded:
        head.append("<EncodingType>url</EncodingType>")
    if delimiter:
        head.append(f"<Delimiter>{text(delimiter)}</Delimiter>")
    if is_versions and goes_on:
        head.append(f"<NextKeyMarker>{text(last[0])}</NextKeyMarker>")
        head.append(f"<NextVersionIdMarker>{last[1]}</NextVersionIdMarker>" if last[1] else "")
    elif is_second:
        head.append(f"<KeyCount>{len(found) + len(groups)}</KeyCount>")
        head.append(f"<NextContinuationToken>{last[0].encode().hex()}</NextContinuationToken>"
                    if goes_on else "")
    elif not is_versions:
        head.append(f"<Marker>{text(marker)}</Marker>"
                    + (f"<NextMarker>{text(last[0])}</NextMarker>" if goes_on else ""))
    tail = "".join(f"<CommonPrefixes><Prefix>{text(group)}</Prefix></CommonPrefixes>"
                   for group in groups)
    return b"".join(["".join(head).encode(), *found, f"{tail}</{root}>".encode()])


def error(code, message):
    """Return the XML of an error."""
    return (f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code>'
            f'<Message>{message}</Message></Error>'.encode())


def answer(buckets, target):
    """Return (status, XML) of a request for what is no object."""
    parts = urlsplit(target)
    name = parts.path.strip("/")
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    if not name:
        inner = "".join(f"<Bucket><Name>{name}</Name><CreationDate>{DAY}</CreationDate></Bucket>"
                        for name in buckets)
        return ("200 OK",
                "<ListAllMyBucketsResult "
                f"{SPACE}><Owner><ID>light</ID></Owner><Buckets>{inner}</Buckets>"
                "</ListAllMyBucketsResult>".encode())
    if name not in buckets:
        return "404 Not Found", error("NoSuchBucket", "The specified bucket does not exist")
    if "location" in query:
        return "200 OK", f"<LocationConstraint {SPACE}/>".encode()
    if "versioning" in query:
        status = "<Status>Enabled</Status>" if buckets[name].versioned else ""
        return ("200 OK",
                f"<VersioningConfiguration {SPACE}>{status}</VersioningConfiguration>".encode())
    return "200 OK", list_page(buckets[name], query)


def deleted(asked):
    """Return the XML that says that all that a DeleteObjects asks for is gone; nothing is."""
    gone = b"".join(b"<Deleted>%s</Deleted>" % named
                    for named in NAMED.findall(asked)) if b"<Quiet>true" not in asked else b""
    return (b'<?xml version="1.0" encoding="UTF-8"?>\n<DeleteResult %s>%s</DeleteResult>'
            % (SPACE.encode(), gone))


class Requests(asyncio.Protocol):
    """One connection from nginx: requests one after the other, with bodies where they delete."""

    def __init__(self, buckets, latency):
        self.buckets, self.latency, self.rest, self.transport = buckets, latency, b"", None

    def connection_made(self, transport):
        """Keep the way back."""
        self.transport = transport

    def data_received(self, data):
        """Answer every request that is whole."""
        self.rest += data
        while True:
            head, end, rest = self.rest.partition(b"\r\n\r\n")
            length = LENGTH.search(head)
            length = int(length[1]) if length else 0
            if not end or len(rest) < length:
                return
            body, self.rest = rest[:length], rest[length:]
            if self.latency:
                asyncio.get_running_loop().call_later(self.latency, self.reply, head, body)
            else:
                self.reply(head, body)

    def reply(self, head, asked):
        """Send one answer."""
        method, target, _ = head.split(b"\r\n", 1)[0].decode().split(" ")
        if method == "HEAD" and target.strip("/") in self.buckets:
            status, body = "200 OK", b""
        elif method == "POST":
            status, body = "200 OK", deleted(asked)
        else:
            status, body = answer(self.buckets, target)
        length = 0 if method == "HEAD" else len(body)
        self.transport.write(
            f"HTTP/1.1 {status}\r\nContent-Type: application/xml\r\nContent-Length: {length}\r\n"
            "x-amz-bucket-region: us-east-1\r\n\r\n".encode())
        if length:
            self.transport.write(body)


def serve_pages(place, protocol):
    """Run the page server, in a process of its own, until it is ended; `protocol()` is that of a
    connection.
    """
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.freeze()

    async def serve():
        server = (await asyncio.get_running_loop()
                  .create_unix_server(protocol, place))
        await server.serve_forever()
    asyncio.run(serve())


# --- nginx

CONF = """
load_module {modules}/ngx_http_headers_more_filter_module.so;
{load_echo}
worker_processes 1; daemon off; pid {folder}/pid; error_log {folder}/log warn; worker_rlimit_nofile {files};
events {{ worker_connections 4096; }}
http {{
  log_format counts '{log}'; access_log {folder}/access counts buffer=256k;
  sendfile on; sendfile_max_chunk 2m; tcp_nopush on; tcp_nodelay on;
  keepalive_timeout 120s; keepalive_requests 100000000;
  open_file_cache max={cached} inactive=1h; open_file_cache_valid 1h;
  default_type binary/octet-stream; etag off; server_tokens off;
  client_body_temp_path {folder}/tmp; proxy_temp_path {folder}/tmp; fastcgi_temp_path {folder}/tmp;
  uwsgi_temp_path {folder}/tmp; scgi_temp_path {folder}/tmp;
  map_hash_max_size {hash}; map_hash_bucket_size 2048;
  map $key $entry_tag {{ default ""; include {folder}/etags; }}
  map $key $entry_crc {{ default ""; include {folder}/checksums; }}
  map $http_range $mode {{ "" $http_x_amz_checksum_mode; default ""; }}
  map $mode $crc {{ ENABLED $entry_crc; default ""; }}
  map $crc $crc_type {{ "" ""; default FULL_OBJECT; }}
  map "$http_if_match $entry_tag" $is_other {{ "~^ " ""; "~^(?<wanted>[^ ]+) \\k<wanted>$" ""; default 1; }}
  upstream pages {{ server unix:{folder}/pages; keepalive 256; }}
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    root {folder}/objects;
    error_page 403 404 =404 /.missing;
    error_page 412 =412 /.other;
    location = /.missing {{ internal; default_type application/xml; return 404 '{missing}'; }}
    location = /.other {{ internal; default_type application/xml; return 412 '{other}'; }}
    location ~ ^/[^/]*/?$ {{
      proxy_pass http://pages; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_buffers 64 16k; proxy_busy_buffers_size 512k; proxy_max_temp_file_size 0;
    }}
    {objects}
  }}
}}
"""  # noqa: E501
LOG = "$connection $status"
HEADERS = """more_clear_input_headers If-Match; limit_rate {rate};
      add_header ETag $entry_tag; add_header x-amz-checksum-crc64nvme $crc; add_header x-amz-checksum-type $crc_type;"""  # noqa: E501
AT_ONCE = """location / {{
      set $key $uri; if ($is_other) {{ return 412; }}
      {headers}
    }}"""
LATE = """location / {{ set $key $uri; echo_sleep {latency}; echo_exec /.late$uri; }}
    location /.late/ {{
      internal; alias {folder}/objects/; if ($is_other) {{ return 412; }}
      {headers}
    }}"""


class Light:
    """nginx and its page server, from entry to exit; `buckets` by name, what is real is written
    first. Each answer is `latency` seconds late, and each connection carries `rate` bytes of
    objects a second (0: as many as it can). `protocol` is the page server's, `log` what nginx
    writes down of a request.
    """

    protocol, log = Requests, LOG

    def __init__(self, buckets, latency=0.0, rate=0):
        self.buckets = {bucket.name: bucket for bucket in buckets}
        self.latency, self.rate = latency, rate
        self.folder = self.url = self.nginx = self.pages = None

    def __enter__(self):
        check_needs()
        self.folder = Path(tempfile.mkdtemp(prefix="s3kit-light-",
                                            dir=os.environ.get("S3KIT_BENCH_DIR")))
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        """Write the objects and the maps, start both processes, wait until they answer."""
        for name in ("objects", "tmp"):
            (self.folder / name).mkdir()
        self.folder.chmod(0o755)        # nginx started by root works as another user
        for bucket in self.buckets.values():
            bucket.write(self.folder / "objects")
        self.configure()
        self.pages = multiprocessing.get_context("fork").Process(
            target=serve_pages, args=(str(self.folder / "pages"), self.make_protocol), daemon=True)
        self.pages.start()
        wait(lambda: (self.folder / "pages").exists(), "the page server did not start")
        (self.folder / "pages").chmod(0o666)
        argv = [shutil.which("nginx", path=SEARCH), "-p", self.folder, "-c", self.folder / "conf"]
        with open(self.folder / "log", "ab") as log:
            self.nginx = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stderr=log,
                                          start_new_session=True)
        wait(self.answers, "nginx did not start",
             lambda: (self.folder / "log").read_text(errors="replace"))
        for name in self.buckets:
            for query in ("list-type=2", "list-type=2&encoding-type=url", "versions",
                          "versions&encoding-type=url"):
                # renders
                urllib.request.urlopen(f"{self.url}/{name}?{query}&max-keys=1", timeout=60).close()

    def configure(self):
        """Write nginx's configuration and the maps of what the objects' headers say."""
        with socket.socket() as held:
            held.bind(("127.0.0.1", 0))
            port = held.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        count = self.write_maps()
        objects, needs_echo = self.objects()
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        # what is cached stays open
        files = 65536 if most == resource.RLIM_INFINITY else min(most, 65536)
        missing = error("NoSuchKey", "The specified key does not exist.").decode()
        other = error("PreconditionFailed", "At least one of the preconditions did not hold")
        (self.folder / "conf").write_text(
            ("user root;\n" if os.getuid() == 0 else "")
            + CONF.format(modules=MODULES, folder=self.folder, port=port, objects=objects,
                          hash=max(4 * count, 4096), files=files, cached=files * 3 // 4,
                          load_echo=f"load_module {MODULES}/ngx_http_echo_module.so;" * needs_echo,
                          missing=missing, other=other.decode(), log=self.log))

    def write_maps(self):
        """Write the maps of what the objects' headers say; return how many lines the longer has."""
        real = [(bucket.name, entry) for bucket in self.buckets.values() if bucket.sizes
                for entry in bucket.entries]
        with (open(self.folder / "etags", "w") as etags,
              open(self.folder / "checksums", "w") as checksums):
            for name, entry in real:
                etags.write(f"\"/{name}/{entry.key}\" '\"{entry.etag}\"';\n")
                if entry.crc:
                    checksums.write(f'"/{name}/{entry.key}" "{entry.crc}";\n')
        return len(real)

    def objects(self):
        """Return (the configuration of what answers for objects, whether it needs echo)."""
        late = self.latency > 0
        return (LATE if late else AT_ONCE).format(
            headers=HEADERS.format(rate=self.rate), latency=self.latency, folder=self.folder), late

    def make_protocol(self):
        """Return the protocol of a connection to the page server."""
        return self.protocol(self.buckets, self.latency)

    def answers(self):
        """Return whether the whole of it answers. Raises OSError where nginx has ended."""
        if self.nginx.poll() is not None:
            raise OSError("it ended")
        try:
            urllib.request.urlopen(self.url, timeout=5).close()
        except OSError:
            return False
        return True

    def stop(self):
        """End what was started, by its id."""
        if self.nginx:
            self.nginx.terminate()
            self.nginx.wait()
        if self.pages:
            self.pages.terminate()
            self.pages.join()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def env(self):
        """The environment that leads an S3 client here."""
        return {"AWS_ENDPOINT_URL_S3": self.url, "S3_ENDPOINT_URL": self.url,
                "AWS_ACCESS_KEY_ID": "light", "AWS_SECRET_ACCESS_KEY": "light",
                "AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1"}

    def urls(self, bucket):
        """Return URLs for a bare loop: the objects, or where there are none the list pages."""
        if bucket.sizes:
            found = [f"{self.url}/{bucket.name}/{entry.key}" for entry in bucket.entries]
            return found if len(found) > 8 else found * 4
        return [f"{self.url}/{bucket.name}?versions&encoding-type=url&key-marker={quote(entry.key)}"
                for entry in bucket.entries[:-PAGE:PAGE]]

    def counts(self):
        """Return (requests, connections, requests not answered with 2xx) since the last call."""
        lines = self.lines()
        return (len(lines), len({line[0] for line in lines}),
                sum(not line[1].startswith("2") for line in lines))

    def lines(self):
        """Return the lines of the log since the last call, each as a list of words."""
        log = self.folder / "access"
        done = self.folder / f"access-{time.monotonic_ns()}"
        log.rename(done)
        self.nginx.send_signal(signal.SIGUSR1)          # flushes into the old file, opens a new one
        wait(log.exists, "nginx did not open its log again")
        time.sleep(0.05)        # the worker follows its master
        lines = [line.split() for line in done.read_text().splitlines()]
        done.unlink()
        return lines


SEARCH = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"


def check_needs():
    """Raise SystemExit, with what to install, where nginx or a module is missing."""
    packages = [package for name, package in NEEDS.items() if not (
        (MODULES / name).exists() if name.endswith(".so") else shutil.which(name, path=SEARCH))]
    if packages:
        raise SystemExit(
            "bench: the light server needs nginx and two modules: apt-get install "
            f"{' '.join(packages)}")


def wait(ready, complaint, why=str, seconds=60):
    """Wait until `ready()`. Raises RuntimeError."""
    limit = time.monotonic() + seconds
    try:
        while not ready():
            if time.monotonic() > limit:
                raise OSError
            time.sleep(0.02)
    except OSError:
        raise RuntimeError(f"{complaint}\n{why()}") from None
