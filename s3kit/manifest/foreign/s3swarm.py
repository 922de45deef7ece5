"""S3Swarm's XML: <downloads> of <item .../>, all data in attributes
(https://github.com/JoshRudy-fn6/S3Swarm, s3swarm.py).

It has no versions, no ETags, no times of S3's, and nothing in it was ever compared with S3.
"""

import posixpath

from s3kit.disk.paths import is_inside
from s3kit.errors import Cut, Fault
from s3kit.manifest.row import COLUMNS, FAILED, FETCHED, LISTED, Row, encode, from_values
from s3kit.manifest.xml_form import Reader as XmlReader

# A download that was cut off stays `started` for ever: nothing is known of its file.
STATES = {"pending": LISTED, "started": LISTED, "completed": FETCHED, "failed": FAILED}
NO_WORDS = "S3Swarm says failed, and not why"
# Stands for the destination while a path is made: no name in XML holds a NUL.
TOP = "/\0"


class Reader(XmlReader):
    """Feed it bytes, it gives back rows: `feed`, then `close`.

    Not `marked`: the end of the document says that it was not cut, but not how many items there
    should be. Items of one name in one top folder are one for S3Swarm, so that it may lack some.
    """

    form = "s3swarm"
    marked = False

    def start(self, tag, attributes):
        """Take an element."""
        self.events += 1
        self.depth += 1
        if self.depth == 1 and tag == "downloads":
            return
        if self.depth != 2 or tag != "item":
            raise Fault(f"<{tag.rpartition('}')[2]}> has no place in a list of S3Swarm's")
        self.open_row = dict(attributes)

    def doctype(self, *_):
        """Refuse any DOCTYPE: S3Swarm writes none, and entities are a way in."""
        raise Fault("a list of S3Swarm's has no DOCTYPE")

    def close(self):
        """Return no rows. S3Swarm rewrites the whole file at each step, so that a kill cuts it."""
        self.ended = True
        super().close()
        if not self.ended and not self.stop:
            self.stop = Cut(f"the XML was cut: no </downloads> after {self.count:,} items")
        return []

    def row(self, attributes):
        """Return the Row of one item."""
        number = self.count + len(self.found) + 1
        bucket, status = attributes.get("bucket") or self.bucket, attributes.get("status", "")
        key = key_of(attributes)
        cells = dict.fromkeys(COLUMNS, "") | {
            "bucket": bucket, "key": encode(key), "size": attributes.get("size", "")}
        if status not in STATES:
            return Row(state=FAILED, error=f"row {number}: S3Swarm has no status '{status}'",
                       verbatim=cells)
        cells["state"] = STATES[status]
        if status == "failed":
            cells["error"] = " ".join(attributes.get("error", "").split()) or NO_WORDS
        elif status == "completed":
            path = path_of(bucket, key, attributes)
            cells |= {"path": encode(path)} if path else {"state": LISTED}
        return from_values(list(cells.values()), number, unit="row")


def key_of(attributes):
    """Return the key that S3Swarm asks S3 for."""
    path, name = attributes.get("file_path", ""), attributes.get("filename", "")
    return path if path and path != name else attributes.get("folder", "") or name


def path_of(bucket, key, attributes):
    """Return where S3Swarm has put an item's file, relative to its destination; '' where that is
    not below the bucket's directory.
    """
    folder, name = attributes.get("folder", ""), attributes.get("filename", "")
    folders = (TOP, bucket)
    if attributes.get("file_path", "") not in ("", name):
        within = key.replace(folder + "/", "", 1) if key.startswith(folder + "/") else key
        folders += (folder, posixpath.dirname(within))
    path = posixpath.normpath(posixpath.join(*folders, name))
    top, _, below = path[1:].partition("/")
    is_below = top == TOP[1:] and below.startswith(bucket + "/") and is_inside(below)
    return below if is_below else ""


def reader(form, bucket, columns):
    """Return a reader of S3Swarm's XML."""
    return Reader(bucket)
