"""Which shard a job of an array works on, as its scheduler says in the environment."""

from s3kit.manifest.shards import parse_shard
from s3kit.units import number

AUTO = "auto/"              # before N: the job's index is K

# The job's index; the first job's index, if not 0; the step; how many jobs there are.
# https://docs.aws.amazon.com/batch/latest/userguide/job_env_vars.html
# https://kubernetes.io/docs/concepts/workloads/controllers/job/#completion-mode
# https://slurm.schedmd.com/job_array.html#env_vars
SCHEDULERS = {
    "AWS_BATCH_JOB_ARRAY_INDEX": (None, None, "AWS_BATCH_JOB_ARRAY_SIZE"),
    "JOB_COMPLETION_INDEX": (None, None, None),
    "SLURM_ARRAY_TASK_ID": ("SLURM_ARRAY_TASK_MIN", "SLURM_ARRAY_TASK_STEP",
                            "SLURM_ARRAY_TASK_COUNT")}


def parse_asked(text):
    """Return (K, N) of `--shard`; K is None where the scheduler of an array of jobs says it.

    Raises ValueError.
    """
    if text.startswith(AUTO):
        return None, parse_shard(f"1/{text.removeprefix(AUTO)}")[1]
    return parse_shard(text)


def shard_of_job(of, environ):
    """Return the number, from 1, of the shard among `of` that this job works on.

    Raises ValueError where nobody says, or what is said would leave a shard to no job.
    """
    numbers = {name: shard_said(name, of, environ) for name in SCHEDULERS if name in environ}
    if not numbers:
        raise ValueError(f"none of {', '.join(SCHEDULERS)} is set: give K/N")
    if len(set(numbers.values())) > 1:
        raise ValueError(f"{' and '.join(numbers)} do not agree: give K/N")
    return numbers.popitem()[1]


def shard_said(index, of, environ):
    """Return the number of the shard that one scheduler's variables stand for. Raises ValueError.
    """
    first, step, size = SCHEDULERS[index]
    jobs = said(size, environ, of)
    if jobs != of:
        raise ValueError(f"{size} says that there are {jobs} jobs, not {of}")
    begin = said(first, environ) if first else 0
    at, rest = divmod(said(index, environ) - begin, said(step, environ, 1) or 1)
    if rest or not 0 <= at < of:
        raise ValueError(f"{index} is {environ[index]}, beyond {of} jobs from {begin} on")
    return at + 1


def said(name, environ, otherwise=None):
    """Return the number in a variable; `otherwise` where it may be missing. Raises ValueError."""
    if otherwise is not None and (name is None or name not in environ):
        return otherwise
    value = number(environ.get(name, ""))
    if value is None:
        raise ValueError(f"{name} is not a number" if name in environ else f"{name} is not set")
    return value
