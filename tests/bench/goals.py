"""What s3kit is held to: how many times as long as it the peers shall take, in wall time and CPU,
and how much memory it may have.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Goal:
    """What a table shall show: the best peer's figure divided by s3kit's, at least so much.

    `peer` is how the name of the tool begins that is compared with, where it is not the best.
    `floor`: s3kit's wall time is at most so many times that of the latency alone. Where nothing is
    asked for, it is shown all the same.
    """

    title: str                  # the table's
    wall: float = 0
    cpu: float = 0
    floor: float = 0
    peer: str = ""


@dataclass(frozen=True)
class Limit:
    """How many MiB the largest `worker` of s3kit, or its largest other process, the `parent`, may
    have.
    """

    title: str                  # the table's
    figure: str
    most: int


GOALS = (
    Goal("plain"),
    Goal("plain-30", wall=1.2, floor=1.3),
    Goal("plain-100", wall=1.2),
    Goal("large-slow"),
    Goal("latency-small", wall=1),
    Goal("latency-medium", wall=1),
    Goal("small", wall=1.5, cpu=1.5),
    Goal("medium", wall=1.3, cpu=1.5),
    Goal("large", wall=1.3, cpu=1.5),
    Goal("mix"),
    Goal("tls-small"),
    Goal("tls-medium"),
    Goal("nothing", wall=1.2, peer="rclone"),
    Goal("list", wall=2, peer="rclone"),
    Goal("list", wall=3, peer="s5cmd"),
    Goal("list", wall=8, peer="aws"),
    Goal("list-latency"),
    Goal("verify-large", wall=0.9, peer="dd"),      # what the disk gives
    Goal("verify-small"),
    Goal("prune"),
    *(Goal(f"up-{size}{how}", wall=1.2) for size in ("small", "medium", "large")
      for how in ("", "-plain")),
    Goal("up-late", wall=1.2),
    *(Goal(f"up-{size}-seaweed") for size in ("small", "medium", "large")),
)
LIMITS = (
    Limit("small", "parent", 150), Limit("small", "worker", 64),
    Limit("memory", "parent", 150), Limit("memory", "worker", 64),
    *(Limit(title, figure, most) for title in ("up-small", "up-medium", "up-large")
      for figure, most in (("parent", 150), ("worker", 64))),
)
