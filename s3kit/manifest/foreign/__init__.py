"""Other tools' forms of manifests: which there are, and how each is recognised.

A form is one line of FORMS. Its module has `reader(form, bucket, columns)`, which returns a
base.Reader of bytes; or, for a form that is more than one stream of them, `opened(form, path,
bucket, columns)`, which returns one with `batches()`. A form that can be written has
`writer(form)`, which returns a base.Writer.
"""

import re
from importlib import import_module

from s3kit.errors import Fault

HEAD = 4096     # bytes by which a form is recognised


class Form:
    """What is known of a form before its module is loaded.

    `sign` is a regular expression that the first bytes of no other form match, or None where people
    must say what it is. `is_stream`: it is read from any stream of bytes, also from a pipe;
    `is_folder`: it can be given as a folder.
    """

    def __init__(self, module, what, sign=None, writes=False, is_stream=True,
                 is_folder=False):
        self.module, self.what, self.sign = module, what, sign
        self.writes, self.is_stream = writes, is_stream
        self.is_folder = is_folder

    def load(self):
        """Return the form's module."""
        return import_module(f"{__name__}.{self.module}")


# The line of a file of hashes: so many digits, then a name.
SUM = rb"\\?[0-9A-Fa-f]{%d} [ *][^\r\n]"
FORMS = {
    "keys": Form("keys", "keys, one a line", writes=True),
    "keys0": Form("keys", "keys, each ended by NUL", writes=True),
    "inventory": Form("inventory", "the manifest.json of an S3 Inventory",
                      rb'\{(?s:.*)"fileSchema"\s*:', is_stream=False),
    "batch": Form("batch", "a manifest of S3 Batch Operations", writes=True),
    "batch-report": Form("batch_report", "the completion report of an S3 Batch Operations job",
                         rb'\{(?s:.*)"ReportSchema"\s*:', is_stream=False),
    "migration": Form("migration", "a migration's SQLite database", rb"SQLite format 3\0",
                      is_stream=False),
    "s3swarm": Form("s3swarm", "S3Swarm's XML",
                    rb"(<\?xml[^>]{0,200}\?>|<!--.{0,999}?-->|\s){0,9}<downloads[\s/>]"),
    "svu": Form("svu", "the CSV of S3-Version-Utilities", writes=True),
    "transfer-ledger": Form("transfer", "a ledger of transfer_v5"),
    "transfer-missing": Form("transfer", "missing.txt of transfer_v5's successors"),
    "s3xml": Form("s3xml", "S3's own listings in XML",
                  rb"(?:<\?xml[^>]*>\s*)?<(?:ListVersionsResult|ListBucketResult|Error>\s*<Code)"
                  rb"[\s/>]"),
    "aws": Form("aws", "a listing by the AWS CLI in JSON",
                rb'\{\s*"(?:Versions|DeleteMarkers|Contents|CommonPrefixes|RequestCharged'
                rb'|IsTruncated)"\s*:'),
    "ndjson": Form("ndjson", "rows as objects of JSON, one a line",
                   rb'\{\s*"(?:s3kit_manifest"|verbatim"|bucket"|key"\s*:\s*"(?!s3://)'
                   rb'|(?:Key|Prefix|Summary)":)', writes=True),
    "s5cmd-ls": Form("s5cmd_ls", "what s5cmd --json ls writes",
                     rb'\{"key":"s3://|\{"operation":"ls"'),
    "rclone-lsjson": Form("rclone_json", "what rclone lsjson writes", rb'\[\s*\{\s*"Path"\s*:'),
    "rclone-lsf": Form("rclone_lsf", "what rclone lsf writes"),
    "rclone-lsf-csv": Form("rclone_lsf", "what rclone lsf --csv writes"),
    "rclone-check": Form("rclone_check", "what rclone check --combined writes"),
    "md5sum": Form("sums", "MD5s of md5sum", SUM % 32 + rb"|\\?MD5 ?\(", writes=True),
    "sha1sum": Form("sums", "hashes of sha1sum", SUM % 40 + rb"|\\?SHA1 ?\(", writes=True),
    "sha224sum": Form("sums", "hashes of sha224sum", SUM % 56 + rb"|\\?SHA(2-)?224 ?\(",
                      writes=True),
    "sha256sum": Form("sums", "hashes of sha256sum", SUM % 64 + rb"|\\?SHA(2-)?256 ?\(",
                      writes=True),
    "sha384sum": Form("sums", "hashes of sha384sum", SUM % 96 + rb"|\\?SHA(2-)?384 ?\(",
                      writes=True),
    "sha512sum": Form("sums", "hashes of sha512sum", SUM % 128 + rb"|\\?SHA(2-)?512 ?\(",
                      writes=True),
    "b2sum": Form("sums", "hashes of b2sum", SUM % 128 + rb"|\\?BLAKE2b(-\d+)? ?\(", writes=True),
    "xxhsum": Form("sums", "hashes of xxhsum", SUM % 16 + b"|" + SUM % 32
                   + rb"|\\?XXH3_[0-9A-Fa-f]{16}  |\\?XXH(32|64|128|3)(_LE)? ?\(", writes=True),
    "s5cmd": Form("s5cmd_run", "commands for s5cmd run", writes=True),
    "hashdeep": Form("hashdeep", "hashdeep's output", rb"%%%% HASHDEEP-1\.0\r?\n"),
    "bagit": Form("bagit", "a BagIt folder", rb"BagIt-Version[ \t]*:", writes=True,
                  is_stream=False, is_folder=True),
}
READ = tuple(FORMS)
WRITTEN = tuple(name for name, form in FORMS.items() if form.writes)


def needs_path(name):
    """Return whether what has this form is more than a stream of bytes."""
    return name in FORMS and not FORMS[name].is_stream


def is_folder(name):
    """Return whether what has this form can be given as a folder."""
    return name in FORMS and FORMS[name].is_folder


def recognised(head):
    """Return the name of the form whose sign the first bytes `head` show, or None.

    Raises Fault where they show several: people must say which it is.
    """
    found = [name for name, form in FORMS.items() if form.sign and re.match(form.sign, head)]
    if len(found) > 1:
        raise Fault(f"this can be {' or '.join(found)}: say which with --from")
    return found[0] if found else None


def reader(name, bucket, columns):
    """Return a reader of a form that is a stream of bytes."""
    return FORMS[name].load().reader(name, bucket, columns)


def opened(name, path, bucket, columns):
    """Return what reads the file or folder at `path`, whose form is more than a stream of bytes.

    Raises Fault.
    """
    return FORMS[name].load().opened(name, path, bucket, columns)


def placed(name, place, bucket):
    """Return what reads a report whose files a `place` gives, as data_files.Folder does.

    Raises Fault for a form that only files here can have.
    """
    module = FORMS[name].load()
    if not hasattr(module, "placed"):
        raise Fault(f"{FORMS[name].what} is not read from S3: fetch it first")
    return module.placed(place, bucket)


def writer(name):
    """Return a writer of a form."""
    return FORMS[name].load().writer(name)
