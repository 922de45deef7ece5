"""What a worker must know before its first job."""

from typing import NamedTuple

from s3kit.s3.request_rate import LIMIT
from s3kit.transfer.engine import Engine
from s3kit.transfer.informed import InformedFetch
from s3kit.transfer.ranges import Range, Reading
from s3kit.transfer.survey import Describe, PartSizes, Survey
from s3kit.transfer.whole import Fetch, Name

TASKS = {"get": Fetch, "survey": Survey, "parts": PartSizes, "describe": Describe, "range": Range,
         "check": Reading, "name": Name}


class Work(NamedTuple):
    """Everything a worker must know, sent to it once; calling it answers a batch (a list of Jobs).

    `connections` is the most that it will have.
    """

    destination: str
    endpoints: dict
    connections: int
    rate: float = 0.0           # bytes a second and worker; 0: as fast as it goes
    requests: float = 0.0       # a second and worker; 0: as many as come
    make: bool = True           # whether the destination may be written to
    place: tuple = None         # the directory that it must be, see Tree
    share: float = 0.0          # of the requests that are allowed, to begin with; 0: connections
    describes: bool = False     # whether what S3 says of objects besides their bytes is kept
    retimes: bool = False       # whether files get the times that are noted there

    @property
    def tasks(self):
        """{kind of a job: the class that does it}."""
        return TASKS | {"get": InformedFetch} if self.describes else TASKS

    def engine(self):
        """Return the engine that our pool feeds batch after batch."""
        LIMIT.allow(self.requests)
        return Engine(self, self.tasks)

    def __call__(self, batch):
        """Return the Outcomes of a batch, in order; for other executors."""
        engine = ENGINES.get(self) or ENGINES.setdefault(self, self.engine())
        engine.add(0, batch)
        while True:
            for _, outcomes in engine.turn(1.0):
                return outcomes

    def __hash__(self):
        return hash((self.destination, self.connections, self.rate))


ENGINES = {}
