"""The table that ends a run of the fault suite."""

KIND = "s3kit fault"  # the property under which a test hands over (kind, cases, survived, seconds)


def table(properties):
    """Return the lines: kind of fault, cases run, survived, in how long; `properties` are those of
    all tests.
    """
    found = {}
    for name, value in {(name, tuple(value)) for one in properties for name,
                        value in one if name == KIND}:
        kind, run, survived, seconds = value[1:]
        at = found.setdefault(kind, [0, 0, 0.0])
        at[0] += int(run)
        at[1] += int(survived)
        at[2] += float(seconds)
    if not found:
        return []
    found["all"] = [sum(column) for column in zip(*found.values())]
    wide = max(map(len, found))
    return [f"{'kind of fault':{wide}}  {'cases':>8}  {'survived':>8}  {'seconds':>8}"] + [
        f"{kind:{wide}}  {run:>8,}  {survived:>8,}  {seconds:>8,.1f}" for kind,
        (run, survived, seconds) in found.items()]
