"""What follows from what was measured: what keeps bytes from coming faster, and what to use."""

from s3kit.text import command, count
from s3kit.units import show_size

BUSY = 0.8                      # of a core, that a worker can do and leave some to others
LIMITS = {"network": "the network, or S3", "disk": "the disk", "cpu": "the CPU"}
HEAD = "workers connections     bytes requests/s  first byte       p95  CPU cores"


def verdict(speed):
    """Return {limit, jobs, connections, and the bytes a second that network, disk and CPU alone
    would do} of a Speed whose steps are done.
    """
    knee, disk, cores = speed.knee(speed.done), speed.disk, speed.cores
    network = max(step.bytes / step.seconds for step in speed.done)
    a_byte = knee.cpu / max(1, knee.bytes) + 1 / speed.hashing
    rates = {"network": network, "disk": disk.rate or float("inf"), "cpu": cores / a_byte}
    # What our processes had no CPU for is not the network's fault.
    is_busy = knee.workers == cores and knee.cpu / knee.seconds > BUSY * cores
    wanted = min(network, rates["disk"]) * a_byte / BUSY        # workers
    jobs = max(knee.workers, min(speed.most_workers, cores, int(wanted) + 1))
    return {"limit": "cpu" if is_busy else min(rates, key=rates.get), "jobs": jobs,
            "connections": max(1, -(-knee.together // jobs)),
            "knee": [knee.workers, knee.connections],
            "network_bytes_per_second": round(network),
            "disk_bytes_per_second": round(disk.rate) or None,
            "flush_ms": round(disk.flush * 1000, 1) if disk.rate else None,
            "cpu_bytes_per_second": round(rates["cpu"]),
            "hash_bytes_per_second": round(speed.hashing),
            "cpu_seconds_per_gib": round(a_byte * (1 << 30), 2),
            "cpu_us_per_object": round(a_byte * speed.objects.mean * 1e6)}


def advice(speed):
    """Yield (what, what came of it) of everything but the steps."""
    told, disk = verdict(speed), speed.disk
    yield "network", f"{show_size(told['network_bytes_per_second'])}/s at best"
    yield "disk", (
        f"{show_size(disk.rate)}/s written to '{disk.folder}' and flushed; "
        f"a flush takes {disk.flush * 1000:.1f} ms" if disk.rate else f"not measured: {disk.why}")
    yield "cpu", (
        f"{show_size(told['cpu_bytes_per_second'])}/s by all {speed.cores} cores: "
        f"{told['cpu_seconds_per_gib']:.2f} s "
        f"a GiB, {told['cpu_us_per_object'] / 1000:.2f} ms an object; one core hashes "
        f"{show_size(speed.hashing)}/s")
    yield "limit", LIMITS[told["limit"]]
    workers, connections = told["knee"]
    is_last = workers * connections == max(step.together for step in speed.done)
    more = ("no more were tried; --for, --max-bytes, -j and -c let it try more" if is_last
            else "more brings little")
    yield "knee", f"{count(workers, 'worker')} with {count(connections, 'connection')} each: {more}"
    if any(step.slowed for step in speed.done):
        yield "S3", "slowed us down (503 SlowDown): more connections will not help"
    yield "use", command("s3-fetch", "-j", str(told["jobs"]), "-c", str(told["connections"]),
                         dest=speed.dest)


def row_of(step):
    """Return the line of a Step in the table under HEAD."""
    return (f"{step.workers:7} {step.connections:11} "
            f"{show_size(step.bytes / step.seconds) + '/s':>9} "
            f"{step.requests / step.seconds:10,.0f} {step.first_byte(0.5) * 1000:8.1f} ms "
            f"{step.first_byte(0.95) * 1000:6.1f} ms {step.cpu / step.seconds:10.2f}")
