"""Where buckets are on their journey, for people and as JSON."""

import json

from s3kit.migrate.phases import DELETE, PHASES, VERIFY
from s3kit.units import show_size


def facts_of(folder, deleting):
    """Return what there is to say of a bucket's Folder; `status` is the phase that comes next, or
    how it ended.

    `deleting`: only a bucket whose versions are deleted is complete.
    """
    latest = folder.latest()
    facts = {"bucket": folder.bucket, "status": "scan", "complete": False, "rows": 0, "bytes": 0,
             "wrong": 0, "states": {}}
    if latest is None:
        return facts
    census = folder.census(latest)
    status = status_of(latest, census, deleting)
    return {**facts, "status": status, "complete": status == "complete", "rows": census.rows,
            "bytes": census.bytes, "wrong": census.wrong, "states": census.states}


def status_of(latest, census, deleting):
    """Return the name of the phase that comes after the `latest`, or how the journey ended."""
    if census.is_complete(deleting):
        return "complete"
    if latest == DELETE:
        return "not deleted"
    if latest == VERIFY:
        return "not proven" if census.wrong else "proven"
    status = PHASES[PHASES.index(latest) + 1].name
    return "fetch" if status == "restore" and not census.archived else status


def table(facts):
    """Return the lines of a table for people; `facts` are those of all buckets."""
    lines = [("BUCKET", "STATUS", "ROWS", "SIZE", "WRONG", "STATES")]
    lines += [(each["bucket"], each["status"], f"{each['rows']:,}", show_size(each["bytes"]),
               f"{each['wrong']:,}", ", ".join(f"{number:,} {state}" for state,
                                               number in sorted(each["states"].items())))
              for each in facts]
    widths = [max(len(line[at]) for line in lines) for at in range(5)]
    return [" ".join([f"{line[0]:<{widths[0]}}", f"{line[1]:<{widths[1]}}",
                      *(f"{line[at]:>{widths[at]}}" for at in (2, 3, 4)), line[5]]).rstrip()
            for line in lines]


def objects(facts):
    """Return JSON objects, a line each."""
    return [json.dumps(each) for each in facts]
