"""Where a row's file lies."""

import stat

from s3kit.disk.paths import BESIDE_DIRECTORY, file_of_folder, is_inside, path_of, with_mark


def locate(tree, row, entry):
    """Return (path, os.stat_result or None) of a row's file below a Tree; `entry` is the ledger's
    or None.

    Where the row and the ledger do not say, it is looked for where s3-fetch would have put it, then
    at the key itself, as tools do that leave the bucket's name out.
    """
    if row.path and is_inside(row.path):
        return row.path, tree.look(row.path)
    if entry is not None and entry.path:
        return entry.path, tree.look(entry.path)
    first = path_of(row.bucket, row.key)
    tries = [first,
             file_of_folder(first) if first.endswith("/") else with_mark(first, BESIDE_DIRECTORY)]
    if is_inside(row.key):
        tries.append(row.key)
    for path in tries:
        status = tree.look(path)
        if status is not None and (stat.S_ISREG(status.st_mode) or row.key.endswith("/")):
            return path, status
    return first, None
