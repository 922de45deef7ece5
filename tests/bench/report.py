"""What the bench says: a table for each case, its ratios to s3kit, and how they stand to the goals.
"""

import statistics

from goals import GOALS, LIMITS, Goal

FIGURES = ("wall", "sync", "cpu", "memory", "largest", "worker", "parent", "parent_cpu", "requests",
           "connections", "early", "late")
WIDTHS = {"wall": 6, "cpu": 6, "memory": 8, "flushed": 9}   # of the summary's columns
TITLE = 24                      # of the summary's titles
NAMES = {"cpu": "CPU"}          # of figures, where they are shown


def medians(table):
    """Return {tool: {figure: median}} of a table."""
    return {tool["name"]: {figure: statistics.median([run[figure] for run in tool["runs"]])
                           for figure in FIGURES if tool["runs"][0].get(figure) is not None}
            for tool in table["tools"]}


def good(table, ours):
    """Return the names of the tools, ours or the peers, that did all of the work."""
    return [tool["name"] for tool in table["tools"]
            if tool["ours"] == ours and tool["rival"] and not fault(table, tool)]


def fault(table, tool):
    """Return what is wrong with what a tool did, or nothing."""
    for run in tool["runs"]:
        if run["status"]:
            return f"STATUS {run['status']}: {run['error']}"
        if run.get("lacks"):
            return run["lacks"]
    return ""


def duel(table, peer=""):
    """Return {figure: (best peer, its figure divided by ours)}, or nothing where one side is
    missing. `peer` is how the name of the only one begins that counts. "flushed" is the wall time
    of peers whose files are then written to the disk, divided by ours, which are already.
    """
    middle, ours, peers = medians(table), good(table, True), good(table, False)
    if peer:
        peers = [tool["name"] for tool in table["tools"]
                 if tool["name"].startswith(peer) and not fault(table, tool)][:1]
    if not ours or not peers or table["title"] == "start":
        return {}
    found = {}
    for figure in ("wall", "cpu", "memory"):
        best = min(peers, key=lambda name: middle[name][figure])
        found[figure] = best, middle[best][figure] / max(middle[ours[0]][figure], 1e-9)
    if all("sync" in middle[name] for name in peers):
        with_sync = {name: middle[name]["wall"] + middle[name]["sync"] for name in peers}
        best = min(peers, key=with_sync.get)
        found["flushed"] = best, with_sync[best] / middle[ours[0]]["wall"]
    return found


def show(table):
    """Return the text of one table."""
    middle, ours = medians(table), good(table, True)
    base = middle[ours[0]] if ours else None
    lines = [f"{table['title']}: {table['about']}"]
    if table["quick"]:
        lines[0] += f" (less of it here: {table['unit']}s: {table['objects']:,})"
    lines[0] += f"; rounds: {max(len(tool['runs']) for tool in table['tools'])}"
    if table.get("server"):
        lines.append(f"  the server alone: {table['server']}")
    unit = table["unit"]
    lines.append(
        f"  {'':30}{'wall s':>9}{'sync s':>8}{'CPU s':>9}{'MiB':>6}{'largest':>9}"
        f"{'req/' + unit:>12}{'conn/' + unit:>12}{'wall x':>9}{'CPU x':>7}")
    for tool in table["tools"]:
        one = middle[tool["name"]]
        later = f"{one['sync']:8.3f}" if "sync" in one else f"{'-':>8}"
        text = f"  {tool['name']:30}{one['wall']:9.3f}{later}{one['cpu']:9.3f}"
        text += f"{one['memory'] / 2**20:6.0f}{one['largest'] / 2**20:9.0f}"
        text += "".join(f"{one[figure]:12.4g}" if figure in one else f"{'-':>12}"
                        for figure in ("requests", "connections"))
        if base:
            text += f"{one['wall'] / base['wall']:9.2f}{one['cpu'] / max(base['cpu'], 1e-9):7.2f}"
        remark = "; ".join(filter(None, (tool["note"], fault(table, tool))))
        lines.append(f"{text}  {remark}".rstrip())
    lines += [f"  {told}" for told in remarks(table, middle, ours)]
    return "\n".join(lines)


def remarks(table, middle, ours):
    """Yield the lines below a table."""
    best = duel(table)
    if best:
        yield "the best peer as a multiple of " + ours[0] + ": " + ", ".join(
            f"{NAMES.get(figure, figure)} {ratio:.2f} ({name})" for figure, (name, ratio)
            in best.items())
    if table.get("growth"):
        for name, one in middle.items():
            (yield f"memory of {name}: {one['early'] / 2**20:.0f} MiB at 10 %, "
             f"{one['late'] / 2**20:.0f} MiB at the end; "
             f"{table['objects'] / one['wall']:,.0f} rows/s")
    elif table["unit"] == "row":
        yield "rows/s: " + ", ".join(f"{name} {table['objects'] / one['wall']:,.0f}" for name,
                                     one in middle.items())
    for name in ours[:1]:
        one = middle[name]
        if one.get("worker"):
            yield (f"{name}: the largest worker {one['worker'] / 2**20:.0f} MiB, the largest other "
                   f"process {one['parent'] / 2**20:.0f} MiB and at most "
                   f"{one['parent_cpu']:.2f} s of CPU: {rows_a_second(table, one)}")


def rows_a_second(table, one):
    """Return how many rows a second one parent process has CPU for, in words."""
    if not one["parent_cpu"]:
        return "too short to tell more"
    return f"{table['objects'] / one['parent_cpu']:,.0f} {table['unit']}s a second of its CPU"


def summary(tables):
    """Return one line for each goal of a table that has a winner, for each limit, and for what
    failed.
    """
    known = {table["title"]: table for table in tables}
    wide = max((len(table["about"]) for table in tables), default=0) + TITLE + 2
    lines = [f"{'best peer / s3kit: below 1 s3kit is behind':{wide}}{'wall':>6}{'CPU':>6}"
             f"{'memory':>8}{'flushed':>9}"]
    for goal in all_goals(tables):
        best = duel(known[goal.title], goal.peer)
        if best:
            names = ", ".join(dict.fromkeys(name for name, _ in best.values()))
            lines.append(f"{goal.title:{TITLE}}{known[goal.title]['about']:{wide - TITLE}}"
                         + "".join(f"{best[figure][1]:{width}.2f}" if figure in best
                                   else f"{'-':>{width}}" for figure, width in WIDTHS.items())
                         + f"   {names}" + reached(known[goal.title], goal, best))
    lines += [line for limit in LIMITS if limit.title in known
              for line in measured_limit(known[limit.title], limit)]
    lines += [f"{table['title']:{TITLE}}{name}: {rows_a_second(table, medians(table)[name])}"
              for table in tables if table["title"] == "rows" for name in good(table, True)]
    lines += [f"{table['title']:{TITLE}}{tool['name']}: {fault(table, tool)}"
              for table in tables for tool in table["tools"] if fault(table, tool)]
    return "\n".join(lines)


def all_goals(tables):
    """Return the goals whose tables are there, and an empty one for each other table."""
    titles = [table["title"] for table in tables]
    with_goal = {goal.title for goal in GOALS}
    return [*(goal for goal in GOALS if goal.title in titles),
            *(Goal(title) for title in titles if title not in with_goal)]


def reached(table, goal, best):
    """Return the goals of a table in words, and of each whether it is reached; a quick run does not
    tell.
    """
    if table["quick"]:
        return ""
    asked = [(figure, getattr(goal, figure), best[figure][1] >= getattr(goal, figure))
             for figure in ("wall", "cpu") if getattr(goal, figure)]
    told = [f"{NAMES.get(figure, figure)} {least:g} {'reached' if is_so else 'NOT reached'}"
            for figure, least, is_so in asked]
    if goal.floor and table.get("floor"):
        times = medians(table)[good(table, True)[0]]["wall"] / table["floor"]
        told.append(f"within {goal.floor:g} times the floor "
                    f"{'reached' if times <= goal.floor else 'NOT reached'} ({times:.1f})")
    return "; goal: " + ", ".join(told) if told else ""


def measured_limit(table, limit):
    """Yield the line of a limit, where s3kit did the work."""
    for name in good(table, True)[:0 if table["quick"] else 1]:
        one = medians(table)[name]
        size = one[limit.figure] / 2**20
        count = f", {one['connections'] * table['objects']:.0f} connections" \
            if "connections" in one else ""
        yield (f"{limit.title:{TITLE}}{name}{count}: the largest {limit.figure} {size:.0f} MiB; "
               f"goal: at most {limit.most} MiB "
               f"{'reached' if size <= limit.most else 'NOT reached'}")
