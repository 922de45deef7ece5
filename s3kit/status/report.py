"""The figures as text for people."""

from s3kit.text import count
from s3kit.units import show_size

MOST_LINES = 20         # of a table, or of causes without --errors
WIDE = 28               # of a name in a table
GUIDE = "--errors says what to do"


def lines(facts, with_errors=False):
    """Yield the lines of the report; with `with_errors` of the errors only, and what to do."""
    if with_errors:
        yield from headings(facts)
        yield from errors(facts)
        return
    yield from headings(facts)
    yield ""
    yield f"{'':{WIDE}}{'rows':>14}{'bytes':>10}"
    for title in ("states", "proofs"):
        yield from table(title.removesuffix("s"), facts[title])
    if len(facts["buckets"]) > 1:
        yield from table("bucket", facts["buckets"])
    yield ""
    yield f"proven: {told(facts['proven'])}; not proven: {told(facts['unproven'])}"
    yield from remarks(facts)
    found = facts["errors"]
    if found:
        yield ""
        yield f"what is wrong ({GUIDE}):"
    for error in found[:MOST_LINES]:
        yield f"{error['rows']:>14,}  {error['cause']}"
        yield f"{'':16}{name_of(error['example'])}"
    yield from rest_of(facts, MOST_LINES)


def headings(facts):
    """Yield what is counted, and whether that is all."""
    inputs = facts["manifests"]
    name = facts["destination"] or (inputs[0]["name"] if len(inputs) == 1 else "in all")
    for each in inputs:
        if each["shards"]:
            yield f"{each['name']}: only shard {', '.join(each['shards'])}"
        if len(inputs) > 1:
            yield f"{each['name']}: {count(each['rows'], 'row')}"
    if not facts["is_whole"]:
        yield "NOT WHOLE: the input was cut, and these are the rows that came"
    changed = f"; changed last {facts['changed_at']}" if facts["changed_at"] else ""
    yield f"{name}: {told(facts)}{changed}"


def remarks(facts):
    """Yield what else there is to say."""
    if facts["delete_markers"]:
        yield f"{count(facts['delete_markers'], 'delete marker')}, without bytes"
    if facts["unanswered_deletions"]:
        yield (f"{count(facts['unanswered_deletions'], 'row')} of those pruned: S3 was asked, and "
               "its answer is not known: the same s3-prune goes on")
    uploads = facts.get("uploads")
    if uploads and uploads["stored"]["rows"]:
        yield f"stored from here by s3-put: {told(uploads['stored'])}"
    if uploads and uploads["unconfirmed"]["rows"]:
        yield f"stored, but not there when it was looked at last: {told(uploads['unconfirmed'])}"
    if uploads and uploads["unfinished"]:
        yield f"{count(uploads['unfinished'], 'upload')} not complete: s3-put --uploads lists them"


def table(title, amounts):
    """Yield the lines of the amounts by name."""
    yield title
    for name, amount in list(amounts.items())[:MOST_LINES]:
        size = show_size(amount["bytes"])
        more = f"  + {amount['rows_of_unknown_size']:,} of unknown size" if amount[
            "rows_of_unknown_size"] else ""
        yield f"  {name:<{WIDE - 2}}{amount['rows']:>14,}{size:>10}{more}"
    if len(amounts) > MOST_LINES:
        yield f"  and {len(amounts) - MOST_LINES:,} more (--json has them)"


def errors(facts):
    """Yield the lines of all causes: how many, an example, what to do."""
    for error in facts["errors"]:
        yield ""
        yield f"{told(error)}: {error['cause']}"
        yield f"  {name_of(error['example'])}" + (f": {error['error']}" if error["error"] else "")
        yield f"  {error['advice']}"
    if not facts["errors"]:
        yield "nothing is wrong"
    yield from rest_of(facts, len(facts["errors"]))


def rest_of(facts, shown):
    """Yield how many causes and rows are not among those that were shown."""
    more, others = facts["errors"][shown:], facts["other_errors"]["rows"]
    if more:
        yield (f"{sum(error['rows'] for error in more):>14,}  of {len(more):,} more "
               f"cause{'s' if len(more) > 1 else ''}")
    if others:
        yield f"{others:>14,}  of other causes"


def told(amount):
    """Return an amount for people: `3 rows (1.2M)`."""
    unknown = amount["rows_of_unknown_size"]
    more = f" and {unknown:,} of unknown size" if unknown else ""
    return f"{count(amount['rows'], 'row')} ({show_size(amount['bytes'])}{more})"


def name_of(example):
    """Return the name of a row for people."""
    version = f"?versionId={example['version_id']}" if example["version_id"] else ""
    return f"s3://{example['bucket']}/{example['key']}{version}"
