"""One harness for each reader of what others wrote; atheris drives them (python
tests/faults/fuzz.py NAME [libFuzzer's options]).

A harness takes bytes and returns; whatever it raises besides the reader's own Fault is a violation.
Memory and time of one input are libFuzzer's limits (-rss_limit_mb, -timeout).
"""

import os
import sys
import tempfile
from argparse import Namespace
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
RSS_MIB, SECONDS = 512, 10  # one input's; a Python with atheris and lxml takes 100 MiB by itself


def fuzz_csv(data):
    """A manifest as CSV, in two pieces; what is read is written and read again."""
    from s3kit.errors import Fault
    from s3kit.manifest import csv_form
    reader = csv_form.Reader(bucket="b" if data[:1] == b"b" else "")
    try:
        rows = (reader.feed(data[:len(data) // 2]) + reader.feed(data[len(data) // 2:])
                + reader.close())
    except Fault:
        return
    go_on(csv_form, rows, reader.extras)


def fuzz_xml(data):
    """A manifest as XML, likewise."""
    from s3kit.errors import Fault
    from s3kit.manifest import xml_form
    reader = xml_form.Reader()
    try:
        rows = reader.feed(data[:len(data) // 2])
        if not reader.stop:
            rows += reader.feed(data[len(data) // 2:])
        rows += reader.close()
    except Fault:
        return
    go_on(xml_form, rows, reader.extras)


def go_on(form, rows, extras):
    """Do to rows what commands do before they act, and hold the forms to each other."""
    from s3kit.fetch import deciding
    from s3kit.manifest import states
    for row in rows:
        if row.verbatim is None:
            (states.is_to_fetch(row), states.is_askable(row), row.length, deciding.mtime_of(row),
             row.name)
            "".join(value
                    for value in (row.bucket, row.key, row.path, row.version_id, row.etag)).encode()
    writer = form.Writer()
    data = writer.begin(extras) + writer.rows(rows) + writer.end(len(rows))
    back = form.Reader()
    again = back.feed(data) + back.close()
    assert not back.stop or extras, f"what was written cannot be read: {back.stop}"
    assert len(again) == len(rows) or back.stop, f"{len(rows)} rows were written, {len(again)} read"


def fuzz_manifest(data):
    """A manifest of any form, gzip and zstd, as a file."""
    from s3kit.errors import Fault
    from s3kit.manifest.streams import Input
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.seek(0)
        try:
            for _ in Input(file.fileno(), "fuzz").batches():
                pass
        except Fault:
            pass


def fuzz_foreign(data):
    """Another tool's list, in the form that its first byte chooses, as a file; what is read is
    written as ours.
    """
    from s3kit.errors import Fault
    from s3kit.manifest import csv_form
    from s3kit.manifest.foreign import READ
    from s3kit.manifest.streams import Input
    path, rows = Path(KEPT["folder"], "list"), []
    path.write_bytes(data[1:])
    form = READ[data[0] % len(READ)] if data else "keys"
    with open(path, "rb") as file:
        source = Input(file.fileno(), str(path), "b", None, form)
        try:
            for found in source.batches():
                rows += found
        except Fault:
            pass
        go_on(csv_form, rows, list(source.extras))


def fuzz_pages(data):
    """A page of a listing."""
    from s3kit.errors import Fault
    from s3kit.listing.pages import Page
    from s3kit.s3.asking import read_versioning
    try:
        page = Page("b", data, bool(len(data) % 2))
        [repr(row) for row in page.rows + page.prefixes]
        read_versioning(data)
    except Fault:
        pass


def fuzz_answer(data):
    """An answer: head and body as libcurl hands them over, through all that looks at them."""
    from s3kit.proof.claims import Check
    from s3kit.s3 import verdicts
    from s3kit.s3.address import Endpoint
    from s3kit.s3.answer import Transfer
    from s3kit.s3.headers import claim_in, claim_of_part, described, is_archived, said, skew
    from s3kit.transfer.job import Job, Outcome
    from s3kit.transfer.task import Task
    head, _, body = data.partition(b"\0\0")
    made = Transfer(None, Endpoint("b", "http://h/b"), None)
    made.curl = Namespace(head=[b"HTTP/1.1 200 OK\r\n", head, b"\r\n"])
    made.take(body)
    made.read_error()
    headers = made.headers
    length = headers.get("content-length", "1")
    if not (length.isascii() and length.isdigit() and len(length) < 19):
        return                  # libcurl breaks off where the length is no number
    job = Job("get", "b", "k", "v", "0" * 32 + "-2", 10_000_000, -1, "b/k")
    made.is_error_document(), said(made), skew(made), is_archived(headers)
    verdicts.verdict(made.status, made.code)
    described(headers, Outcome("fetched"))
    claim_of_part(job, made)
    for size in (0, 1000, 10_000_000):
        check = Check(claim_in(headers, size), size)
        check.update(body)
        check.proof()
    Task.fault_of(Namespace(job=job), made, 5)


def fuzz_journal(data):
    """The journal of a large object's ranges, then the start of a resume."""
    from s3kit.disk import lock
    from s3kit.disk.tree import Tree
    from s3kit.transfer.job import Job, Outcome
    from s3kit.transfer.large import Large
    if "tree" not in KEPT:
        KEPT["tree"] = Tree(tempfile.mkdtemp(dir=KEPT["folder"]))
    large = Large(KEPT["tree"], Job("survey", "b", "k", "v", "e", 40 << 20, -1, "b/k"),
                  Outcome("surveyed", size=40 << 20, etag="e"), 2)
    with open(os.open(large.journal, os.O_WRONLY | os.O_CREAT | os.O_TRUNC,
                      dir_fd=KEPT["tree"].parts), "wb") as file:
        file.write(data)
    large.fd = lock.hold(large.part, KEPT["tree"].parts)
    os.ftruncate(large.fd, 40 << 20)
    try:
        large.start()
        jobs = list(iter(large.next_job, None))
        assert (jobs[0].start == 0 and jobs[-1].end == 40 << 20
                and len(jobs) < 10_000), f"{len(jobs)} ranges"
        assert all(one.end == other.start for one,
                   other in zip(jobs, jobs[1:])), "the ranges leave something out"
    finally:
        large.drop()


def fuzz_plain(data):
    """Configuration and credentials files of AWS's form."""
    from s3kit.s3 import settings
    half = len(data) // 2
    names = [os.path.join(KEPT["folder"], name) for name in ("config", "credentials")]
    for name, text in zip(names, (data[:half], data[half:])):
        Path(name).write_bytes(text)
    options = Namespace(profile=None, region=None, endpoint_url=None, no_sign_request=False,
                        ca_bundle="x", no_verify_ssl=False, read_timeout=300, request_payer=None)
    found = settings.read(options,
                          {"AWS_CONFIG_FILE": names[0], "AWS_SHARED_CREDENTIALS_FILE": names[1]})
    if found:
        found.endpoint("bucket", found.region)
        assert ("\n" not in found.access_key + found.secret_key + found.token
                + found.region), "a line feed in a header to be"


def fuzz_address(data):
    """s3:// addresses, keys and paths, and what is said of them to people."""
    from s3kit import units
    from s3kit.disk import paths
    from s3kit.errors import Fault
    from s3kit.manifest import row
    from s3kit.s3 import address
    from s3kit.text import visible
    text = data.decode("utf-8", "surrogateescape")
    shown = visible(text)
    assert not any(ord(char) < 32 or 127 <= ord(char) < 160
                   for char in shown.replace("\n", "")), "a control character is shown"
    try:
        address.parse_s3(text)
    except Fault:
        pass
    for read in (row.decode, paths.key_of, units.parse_time, units.parse_size, units.epoch_ns):
        try:
            read(text)
        except ValueError:
            pass
    paths.is_inside(text), paths.version_of(text)
    key = data.decode("utf-8", "ignore")
    if 1 <= len(key.encode()) <= 1024:
        assert row.decode(row.encode(key)) == key
        path = paths.path_of("b", key)
        assert (paths.is_inside(path)
                and paths.key_of(path) == ("b", key)), f"{key!r} came back from {path!r}"


READERS = {name.removeprefix("fuzz_"): value for name,
           value in list(globals().items()) if name.startswith("fuzz_")}
KEPT = {}

XML = ['<manifest xmlns="urn:s3kit:manifest:1">', "</manifest>", '<object bucket="b" key="k"',
       '<end rows="1"/>', "<!DOCTYPE x [", "<!ENTITY a", "&a;", "<![CDATA[", "&#10;", "&#x0;",
       'size="1"', "<?xml version='1.0' encoding='utf-16'?>"]
PAGE = ["<ListVersionsResult>", "<ListBucketResult>", "<Contents><Key>k</Key>", "<Version>",
        "<DeleteMarker>", "<IsTruncated>true</IsTruncated>", "<NextKeyMarker>",
        "<EncodingType>url</EncodingType>", "<CommonPrefixes><Prefix>", "<Size>", "%C3",
        "</Contents>", "</ListBucketResult>"]
WORDS = {
    "csv": ["#s3kit manifest 1\n", "bucket,key,size\n", "#end rows=1\n", '"', '""', ",", "\r\n",
            "%0A", "\ufeff", "true", "fetched"],
    "xml": XML, "manifest": [*XML, "#s3kit manifest 1\n", "\x1f\x8b\x08"], "pages": PAGE,
    "answer": ["ETag: \"", "Content-Length: ", "Last-Modified: Fri, 31 Dec 9999 23:59:59 -2300",
               "x-amz-checksum-crc32: ", "x-amz-checksum-type: ",
               "x-amz-mp-parts-count: ", "<Error><Code>", "</Code>", "<Message>", "\r\n", "\0\0",
               "²", "-2", "9" * 30],
    "journal": ['{"step": 8388608}\n',
                '{"start": 0, "end": 8388608, "crc": 0, "parts": [], "leaves": {}}\n', "null", "[",
                "-1", "1e9", "NaN", '"start": {}'],
    "plain": ["[default]\n", "[profile x]\n", "aws_access_key_id = a\n",
              "aws_secret_access_key = s\n", "region = us-east-1\n", "s3 =\n  max_bandwidth = 1\n",
              "[default", "%(x)s"],
    "address": ["s3://", "b/", "%+", "%_", "%d", "%f", "%=", "%v", "%2E", "../", "//", "\x1b[",
                "\u202e", "-01-31T", "7d", "1.5G"]}
WORDS["foreign"] = [
    *PAGE, "%%%% HASHDEEP-1.0\n", "%%%% size,md5,filename\n", "## Invoked from: /",
    "BagIt-Version: ", '{"Versions":[', '{"Key":"k"', '"VersionId":"v"', '"NextToken":"',
    '{"s3kit_manifest":"1"}\n', '{"end":{"rows":1}}\n', '[{"Path":"k","Size":1',
    '{"key":"s3://b/k"', '"fileSchema":', "<downloads>", "<item ", "  ", " *", "MD5 (", ") = ",
    "d41d8cd98f00b204e9800998ecf8427e", "\\\\", "cp --raw ", "'s3://b/k'", ";", ",", '"', "\r\n",
    "\0", "%2B", "+ k", "\ufeff"]
SEEDS = {
    "foreign": "\x00k\n",
    "csv":
    "#s3kit manifest "
    "1\nbucket,key,version_id,size,last_modified\nb,k,v,1,2024-01-01T00:00:00Z\n#end rows=1\n",
    "xml":
    '<manifest xmlns="urn:s3kit:manifest:1">\n  <object bucket="b" key="k" size="1" note="x"/>\n  '
    '<end rows="1"/>\n</manifest>\n',
    "manifest": "bucket,key\nb,k\n",
    "pages":
    "<ListBucketResult><EncodingType>url</EncodingType><IsTruncated>false</IsTruncated><Contents>"
    "<Key>k</Key><Size>1</Size>"
    "<LastModified>2024-01-01T00:00:00.000Z</LastModified><ETag>\"e\"</ETag></Contents>"
    "</ListBucketResult>",
    "answer":
    'ETag: "d41d8cd98f00b204e9800998ecf8427e"\r\nContent-Length: 5\r\nLast-Modified: Mon, 01 Jan '
    '2024 00:00:00 GMT\r\n'
    'x-amz-checksum-crc64nvme: AAAAAAAAAAA=\r\n\0\0<?xml '
    'version="1.0"?><Error><Code>SlowDown</Code><Message>m</Message></Error>',
    "journal":
    '{"step": 8388608}\n{"start": 0, "end": 8388608, "crc": 0, "parts": [], "leaves": {"0": '
    '"00"}}\n',
    "plain":
    "[default]\nregion = us-east-1\n[default]\naws_access_key_id = a\naws_secret_access_key = s\n",
    "address": "s3://bucket/dir/a%2Fb"}


def dictionary(folder, name):
    """Write libFuzzer's dictionary and one seed; return the options that name them."""
    words, corpus = Path(folder, "words"), Path(folder, "corpus")
    words.write_text("".join('"' + "".join(f"\\x{byte:02x}" for byte in word.encode()) + '"\n'
                             for word in WORDS[name]))
    corpus.mkdir(exist_ok=True)
    (corpus / "seed").write_bytes(SEEDS[name].encode())
    return [f"-dict={words}", str(corpus)]


def main():
    """Fuzz one reader."""
    sys.path.insert(0, str(ROOT))
    import atheris
    name, folder, *options = sys.argv[1:]
    KEPT["folder"] = folder
    with atheris.instrument_imports(include=["s3kit"]):
        import s3kit.fetch.deciding
        import s3kit.manifest.streams
        import s3kit.s3.settings  # noqa: F401
    atheris.Setup([sys.argv[0], f"-rss_limit_mb={RSS_MIB}", f"-timeout={SECONDS}",
                   f"-artifact_prefix={folder}/", *options, *dictionary(folder, name)],
                  READERS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
