"""What a worker of s3-verify must know before its first job."""

from s3kit.transfer.put_task import Look
from s3kit.transfer.work import TASKS, Work


class CheckWork(Work):
    """Everything a worker must know, sent to it once; it reads files, and looks at objects."""

    tasks = TASKS | {"look": Look}
