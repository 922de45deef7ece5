"""The speed of light for uploads: an S3 that reads what it gets and forgets it.

It knows beforehand what it will get, so that it need not hash: nginx has the ETag of every object,
and of every part of as many bytes as a tool sends, in maps, and gives back the checksums that it is
told. A body of another length has no ETag. What came is in nginx's log, and held against the files.
"""

import hashlib
import re
from collections import defaultdict

from light import LOG, SPACE, Bucket, Light, Requests, error

WHOLE = 200 << 20           # that rclone sends in one request
PARTS = (5 << 20, 8 << 20, 16 << 20, 50 << 20)      # of rclone, of aws and s3kit, tuned, of s5cmd
ETAG = re.compile(rb"<ETag>(?:&quot;|&#34;|\")?([0-9a-f]{32})")
CHECKSUM = re.compile(rb"\r\nx-amz-checksum-(crc\w+|sha\w+): *([^\r]+)", re.I)
UPLOAD = "light"

OBJECTS = """client_max_body_size 0; client_body_buffer_size {most};
    location / {{
      error_page 418 = @put; error_page 419 = @pages; recursive_error_pages on;
      if ($request_method = PUT) {{ return 418; }}
      if ($request_method = POST) {{ return 419; }}
      set $key $uri; add_header ETag $entry_tag;
    }}
    location @put {{
      more_clear_input_headers If-Match If-None-Match;
      echo_read_request_body; {late} echo_exec @took;
    }}
    location @took {{
      set $key "$uri $arg_partNumber $content_length";
      add_header ETag $entry_tag;
      add_header x-amz-checksum-crc32 $http_x_amz_checksum_crc32;
      add_header x-amz-checksum-crc64nvme $http_x_amz_checksum_crc64nvme;
      add_header x-amz-checksum-sha256 $http_x_amz_checksum_sha256;
      add_header x-amz-checksum-type FULL_OBJECT;
      return 200;
    }}
    location @pages {{
      proxy_pass http://pages; proxy_http_version 1.1; proxy_set_header Connection "";
    }}"""


def md5s(path, step):
    """Return [(number, bytes, MD5)] of the parts of a file."""
    with open(path, "rb") as file:
        return [(number, len(part), hashlib.md5(part).digest())
                for number, part in enumerate(iter(lambda: file.read(step), b""), 1)]


class Uploads(Requests):
    """The page server's connection: the beginning and the end of an upload in parts, too."""

    def reply(self, head, asked):
        """Send one answer."""
        method, target, _ = head.split(b"\r\n", 1)[0].decode().split(" ")
        path, _, query = target.partition("?")
        if method != "POST" or not ("uploads" in query or "uploadId" in query):
            super().reply(head, asked)
            return
        bucket, _, key = path[1:].partition("/")
        body = begun(bucket, key) if "uploads" in query else completed(bucket, key, head, asked)
        self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\n"
                             b"Content-Length: %d\r\n\r\n%s" % (len(body), body))


def begun(bucket, key):
    """Return the answer to CreateMultipartUpload."""
    return (f"<InitiateMultipartUploadResult {SPACE}><Bucket>{bucket}</Bucket><Key>{key}</Key>"
            f"<UploadId>{UPLOAD}</UploadId></InitiateMultipartUploadResult>").encode()


def completed(bucket, key, head, asked):
    """Return the answer to CompleteMultipartUpload: the ETag is that of the parts' ETags, the
    checksum what the request says.
    """
    parts = [bytes.fromhex(tag.decode()) for tag in ETAG.findall(asked)]
    if not parts:
        return error("InvalidPart", "One or more of the specified parts could not be found.")
    told = "".join(f"<Checksum{name.decode().upper()}>{value.decode()}</Checksum"
                   f"{name.decode().upper()}><ChecksumType>FULL_OBJECT</ChecksumType>"
                   for name, value in CHECKSUM.findall(head))
    etag = f"{hashlib.md5(b''.join(parts)).hexdigest()}-{len(parts)}"
    return (f"<CompleteMultipartUploadResult {SPACE}><Bucket>{bucket}</Bucket><Key>{key}</Key>"
            f"<ETag>&quot;{etag}&quot;</ETag>{told}</CompleteMultipartUploadResult>").encode()


class Sink(Light):
    """nginx and its page server, whose one bucket is empty and stays so; what is to be uploaded is
    a Bucket of files, written to the directory `tree` first. Each answer is `latency` seconds late.
    """

    protocol = Uploads
    log = f"{LOG} $request_method $content_length $sent_http_etag $arg_partNumber $uri"

    def __init__(self, source, latency=0.0):
        super().__init__([source], latency)
        self.source, self.taken = source, []

    @property
    def tree(self):
        """The directory of the files."""
        return self.folder / "objects" / self.source.name

    def objects(self):
        """Return (the configuration of what takes objects, whether it needs echo)."""
        late = f"echo_sleep {self.latency};" if self.latency else ""
        return OBJECTS.format(late=late, most=max(PARTS) + (1 << 20)), True

    def make_protocol(self):
        """Return the protocol of a connection to the page server, which knows of no object."""
        return self.protocol({self.source.name: Bucket(self.source.name)}, self.latency)

    def write_maps(self):
        """Write the map of ETags: of a HEAD for a key, of a PUT for key, part and bytes."""
        known = {}
        for entry in self.source.entries:
            name, path = f"/{self.source.name}/{entry.key}", self.tree / entry.key
            known[name] = entry.etag
            if entry.size <= WHOLE:
                known[f"{name}  {entry.size}"] = md5s(path, WHOLE)[0][2].hex()
            for size in PARTS:
                if entry.size > size:
                    known |= {f"{name} {number} {length}": digest.hex()
                              for number, length, digest in md5s(path, size)}
        (self.folder / "etags").write_text("".join(f"\"{key}\" '\"{etag}\"';\n"
                                                   for key, etag in known.items()))
        (self.folder / "checksums").touch()
        return len(known)

    def lines(self):
        """Return what Light's has; what was uploaded is kept for `came`."""
        lines = super().lines()
        self.taken = [line for line in lines if line[2] == "PUT" and line[1] == "200"]
        return lines

    def came(self):
        """Return {key: bytes} of the objects that came between the last two calls of `counts`, each
        body as long as the file's, or the file's part.
        """
        found = defaultdict(int)
        for _, _, _, length, etag, _, uri in self.taken:
            if etag != "-":
                found[uri.removeprefix(f"/{self.source.name}/")] += int(length)
        return dict(found)
