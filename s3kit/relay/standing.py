"""How a relay stands, read from its ledger while it works or not."""

from s3kit.errors import DONE, SOME_FAILED, UNVERIFIABLE
from s3kit.manifest import row as rows
from s3kit.relay.deliveries import Deliveries
from s3kit.text import count
from s3kit.units import show_size

# What vanished is the source's own affair: the next listing has what came in its place.
WRONG = rows.WRONG - {rows.VANISHED}
ON_THE_WAY = (rows.LISTED, "dealt", rows.FETCHED)

LAST_HOUR = "strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '-1 hour')"
MOST_ERRORS = 10


def facts_of(path):
    """Return what the ledger at `path` says: {source, target, rows: {state: {rows, bytes}},
    volumes: [{path, to_come, there}], last_hour: {rows, bytes}, outages, errors, oldest_waiting}.
    """
    ledger = Deliveries(path)
    try:
        source, target = ledger.one("SELECT source, target FROM route") or ("", "")
        census = ledger.census()
        hour = ledger.one("SELECT count(*), ifnull(sum(size), 0) FROM delivery "
                          f"WHERE state = 'stored' AND changed_at > {LAST_HOUR}")
        left = sum(census.get(state, (0, 0))[1] for state in ON_THE_WAY)
        return {"source": source, "target": target,
                "rows": {state: amount(*found) for state, found in sorted(census.items())},
                "volumes": volumes_of(ledger), "last_hour": amount(*hour),
                "seconds_left": round(left / hour[1] * 3600) if hour[1] else None,
                "oldest_waiting": ledger.one("SELECT min(changed_at) FROM delivery "
                                             "WHERE state IN ('listed', 'fetched')")[0],
                "outages": [{"side": side, "since": since, "why": why} for side, since, why
                            in ledger.all("SELECT side, since, why FROM outage")],
                "errors": [{"error": error, "rows": number} for error, number in ledger.all(
                    "SELECT error, count(*) FROM delivery WHERE state NOT IN ('stored', 'listed', "
                    f"'fetched', 'vanished') GROUP BY error ORDER BY 2 DESC LIMIT {MOST_ERRORS}")]}
    finally:
        ledger.close()


def amount(number, size):
    """Return a number of rows and their bytes by name."""
    return {"rows": number, "bytes": size}


def volumes_of(ledger):
    """Return what each volume has room for and holds."""
    found = {path: {"path": path, "to_come": amount(0, 0), "there": amount(0, 0)}
             for path in sorted(ledger.volumes())}
    for (path, state), (number, size) in ledger.reserved().items():
        of = found.setdefault(path, {"path": path, "to_come": amount(0, 0), "there": amount(0, 0)})
        place = of["to_come" if state == "listed" else "there"]
        place["rows"] += number
        place["bytes"] += size
    return list(found.values())


def table(facts):
    """Yield the lines that people see."""
    yield f"{facts['source']} to {facts['target']}"
    for state, each in facts["rows"].items():
        yield f"  {state:<13}{each['rows']:>12,} {show_size(each['bytes']):>8}"
    hour = facts["last_hour"]
    yield f"  last hour    {hour['rows']:>12,} {show_size(hour['bytes']):>8}"
    for each in facts["volumes"]:
        yield (f"{each['path']}: {each['to_come']['rows']:,} to come "
               f"({show_size(each['to_come']['bytes'])}), {each['there']['rows']:,} there "
               f"({show_size(each['there']['bytes'])})")
    for each in facts["outages"]:
        yield f"{each['side']} is out since {each['since']}: {each['why']}"
    for each in facts["errors"]:
        yield f"{count(each['rows'], 'row')}: {each['error']}"


def what_is_left(census):
    """Return in words what of a census (Deliveries.census) is not delivered."""
    def of(states):
        return sum(number for state, (number, _) in census.items() if state in states)
    left, unproven, wrong = of(ON_THE_WAY), of([rows.UNVERIFIABLE]), of(WRONG)
    return [left and f"{count(left, 'row')} left", unproven and f"{unproven:,} unverifiable",
            wrong and f"{count(wrong, 'row')} failed"]


def status_of(census):
    """Return the exit status that a census means."""
    if any(state in WRONG or state in ON_THE_WAY for state in census):
        return SOME_FAILED
    return UNVERIFIABLE if rows.UNVERIFIABLE in census else DONE
