"""What a restore would cost, by what the rows themselves say; S3 is asked nothing."""

from s3kit.manifest import states
from s3kit.manifest.filters import Filter
from s3kit.restore.asking import terms
from s3kit.restore.pricing import Estimate
from s3kit.storage_classes import TIERING


def estimate(args, prices, batches, keep_row=None):
    """Return the Estimate of the rows in `batches` that the filters let through.

    Every row that leaves a run goes to `keep_row(row)`, if given; with -i that is every row.
    """
    found = Estimate(prices, args.days, args.max_pending, args.max_pending_size)
    keep = Filter(args)
    for batch in batches:
        wanted = {id(row) for row in keep(batch)}
        for row in batch:
            if id(row) in wanted and states.is_to_restore(row, args.again):
                add(found, row, args.tier)
            if keep_row and (id(row) in wanted or args.in_place):
                keep_row(row)
    return found


def add(found, row, tier):
    """Count a row in an Estimate."""
    if row.restore == "ongoing":
        found.note("asked for already")
    elif row.restore.startswith("ready"):
        found.note("readable already")
    elif row.storage_class == TIERING:
        found.note(f"{TIERING}: those in an archive tier come back free of charge, "
                   "unless Expedited")
    elif not row.storage_class:
        found.note("of unknown storage class")
    else:
        found.add(row.storage_class, terms(row.storage_class, "", found.days, tier)[1], row.length)
