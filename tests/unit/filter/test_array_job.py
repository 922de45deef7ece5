"""Which shard a job of an array works on."""

import pytest

from s3kit.filter.array_job import shard_of_job

SLURM = {"SLURM_ARRAY_TASK_ID": "3", "SLURM_ARRAY_TASK_MIN": "1", "SLURM_ARRAY_TASK_STEP": "1",
         "SLURM_ARRAY_TASK_COUNT": "4"}


@pytest.mark.parametrize("environ, number", [
    ({"AWS_BATCH_JOB_ARRAY_INDEX": "0", "AWS_BATCH_JOB_ARRAY_SIZE": "4"}, 1),
    ({"AWS_BATCH_JOB_ARRAY_INDEX": "3"}, 4),
    ({"JOB_COMPLETION_INDEX": "1"}, 2),
    (SLURM, 3),
    (SLURM | {"SLURM_ARRAY_TASK_MIN": "0"}, 4),
    (SLURM | {"SLURM_ARRAY_TASK_ID": "7", "SLURM_ARRAY_TASK_STEP": "2"}, 4),
    ({"PARALLEL_SEQ": "1"}, 1), ({"PARALLEL_SEQ": "4"}, 4),
    ({"AWS_BATCH_JOB_ARRAY_INDEX": "2", "JOB_COMPLETION_INDEX": "2"}, 3)])
def test_the_job_s_shard(environ, number):
    assert shard_of_job(4, environ) == number


@pytest.mark.parametrize("environ, says", [
    ({}, "none of AWS_BATCH_JOB_ARRAY_INDEX, JOB_COMPLETION_INDEX, SLURM_ARRAY_TASK_ID, "
         "PARALLEL_SEQ is set"),
    ({"PARALLEL_SEQ": "5"}, "PARALLEL_SEQ is 5, beyond 4 jobs from 1 on"),
    # parallel within a job of an array: whose index is meant?
    (SLURM | {"PARALLEL_SEQ": "1"}, "do not agree"),
    ({"JOB_COMPLETION_INDEX": "x"}, "JOB_COMPLETION_INDEX is not a number"),
    ({"JOB_COMPLETION_INDEX": "4"}, "JOB_COMPLETION_INDEX is 4, beyond 4 jobs from 0 on"),
    ({"AWS_BATCH_JOB_ARRAY_INDEX": "2", "JOB_COMPLETION_INDEX": "1"}, "do not agree"),
    ({"AWS_BATCH_JOB_ARRAY_INDEX": "2", "AWS_BATCH_JOB_ARRAY_SIZE": "3"},
     "AWS_BATCH_JOB_ARRAY_SIZE says that there are 3 jobs, not 4"),
    ({"SLURM_ARRAY_TASK_ID": "3"}, "SLURM_ARRAY_TASK_MIN is not set"),
    # one task of an array, sent again by itself
    (SLURM | {"SLURM_ARRAY_TASK_MIN": "3", "SLURM_ARRAY_TASK_COUNT": "1"}, "there are 1 jobs"),
    (SLURM | {"SLURM_ARRAY_TASK_ID": "5"}, "is 5, beyond 4 jobs from 1 on"),
    (SLURM | {"SLURM_ARRAY_TASK_ID": "2", "SLURM_ARRAY_TASK_STEP": "2"}, "is 2, beyond 4 jobs")])
def test_what_would_leave_a_shard_to_nobody(environ, says):
    with pytest.raises(ValueError, match=says):
        shard_of_job(4, environ)
