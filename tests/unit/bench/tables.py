"""Tables as bench.py makes them, with figures of our own."""


def tool(name, wall, cpu=1.0, *, needs="", rival=True, status=0, lacks="", connections=None,
         sync=None):
    """Return what a table says of a tool that ran for each of `wall` seconds."""
    runs = [{"wall": seconds, "cpu": cpu, "memory": 64 << 20, "largest": 32 << 20,
             "worker": 0 if needs else 20 << 20, "parent": 32 << 20, "parent_cpu": 0.5, "early": 0,
             "late": 0, "status": status, "error": "it failed", "lacks": lacks} for seconds in wall]
    if connections is not None:
        runs = [run | {"requests": 1, "connections": connections} for run in runs]
    if sync is not None:
        runs = [run | {"sync": sync} for run in runs]
    return {"name": name, "ours": not needs, "rival": rival, "note": "", "needs": needs,
            "line": name, "runs": runs}


def table(title, *tools, about="the work", floor=0, quick=False):
    """Return a table of 100 objects."""
    return {"title": title, "about": about, "unit": "object", "objects": 100, "growth": False,
            "quick": quick, "floor": floor, "server": "", "tools": list(tools)}
