"""What workers of s3-verify do."""

import pickle

from s3kit.transfer.put_task import Look
from s3kit.transfer.work import TASKS
from s3kit.verify.checking import CheckWork


def test_its_jobs():
    """Those of all workers, and looking; it goes to them through a pipe."""
    work = CheckWork("/d", {}, 4)
    assert work.tasks == TASKS | {"look": Look}
    again = pickle.loads(pickle.dumps(work))
    assert again == work and hash(again) == hash(work) and again.tasks == work.tasks
