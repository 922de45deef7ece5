"""Which shard a job of an array works on, as its scheduler says in the environment."""

from s3kit.errors import Usage
from s3kit.manifest.shards import LARGEST, parse_shard
from s3kit.units import number

AUTO = "auto/"              # before N: the job's index is K

# The job's index; the variable that has the first job's, or that index itself; the step; how many
# jobs there are. Slurm's arrays begin where `--array` says, mostly with 0 or with 1, and
# SLURM_ARRAY_TASK_MIN tells.
# https://docs.aws.amazon.com/batch/latest/userguide/job_env_vars.html
# https://kubernetes.io/docs/concepts/workloads/controllers/job/#completion-mode
# https://slurm.schedmd.com/job_array.html#env_vars
# https://www.gnu.org/software/parallel/parallel.html#environment-variables
SCHEDULERS = {
    "AWS_BATCH_JOB_ARRAY_INDEX": (0, None, "AWS_BATCH_JOB_ARRAY_SIZE"),
    "JOB_COMPLETION_INDEX": (0, None, None),
    "SLURM_ARRAY_TASK_ID": ("SLURM_ARRAY_TASK_MIN", "SLURM_ARRAY_TASK_STEP",
                            "SLURM_ARRAY_TASK_COUNT"),
    "PARALLEL_SEQ": (1, None, None)}


def parse_asked(text):
    """Return (K, N) of `--shard`; K is None where the scheduler of an array of jobs says it.

    Raises ValueError.
    """
    if text.startswith(AUTO):
        return None, parse_shard(f"1/{text.removeprefix(AUTO)}")[1]
    return parse_shard(text)


def parse_number(text):
    """Return how many shards there are, of `--shards`. Raises ValueError."""
    value = number(text)
    if not value or value > LARGEST:
        raise ValueError(f"'{text}' is not a number of shards, from 1 to {LARGEST:,}")
    return value


def at_index(index, of):
    """Return (K, N) of `--shard-index` and `--shards`. Raises Usage where the index is too large.
    """
    if index >= of:
        raise Usage(f"--shard-index is {index}, and of {of:,} shards the last is {of - 1}: they "
                    "are counted from 0 (--shard K/N counts from 1)")
    return index + 1, of


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
    begin = said(first, environ) if isinstance(first, str) else first
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
