"""The ready files for Slurm, AWS Batch, Kubernetes and GNU parallel (man/cluster): each is read by
its own parser or schema, and what it runs is run.
"""

import json
import os
import re
import subprocess

import pytest
import yaml
from conftest import ROOT, clean_env, env_of

CLUSTER = ROOT / "man" / "cluster"
# of the options in https://slurm.schedmd.com/sbatch.html, those that need no other
SBATCH = {"array": r"\d+-\d+(%\d+)?", "job-name": r"\S+", "ntasks": r"\d+", "cpus-per-task": r"\d+",
          "mem": r"\d+[KMGT]?", "time": r"(\d+-)?\d\d:\d\d:\d\d", "requeue": None,
          "open-mode": "append|truncate", "output": r"\S+"}
PLACES = {"LIST": "m.csv", "DIR": "."}


def botocores(operation):
    """Return botocore's own model of what an operation of AWS Batch takes."""
    import botocore.loaders
    import botocore.model
    loader = botocore.loaders.Loader()
    service = botocore.model.ServiceModel(loader.load_service_model("batch", "service-2"))
    return service.operation_model(operation).input_shape


@pytest.mark.parametrize("name, operation", [("aws-batch-definition.json", "RegisterJobDefinition"),
                                             ("aws-batch-job.json", "SubmitJob")])
def test_what_aws_batch_takes(name, operation):
    """All of it is known to botocore, and of the right types."""
    from botocore.validate import ParamValidator
    given, shape = json.loads((CLUSTER / name).read_text()), botocores(operation)
    report = ParamValidator().validate(given, shape)
    assert not report.has_errors(), report.generate_report()
    assert ParamValidator().validate(given | {"nobody's": 1}, shape).has_errors()


def test_aws_batch_tries_again_what_may_end_well():
    """The first rule that fits decides (EvaluateOnExit in AWS Batch's API reference: a glob may be
    at the end); what fits none is tried again.
    """
    given = json.loads((CLUSTER / "aws-batch-definition.json").read_text())["retryStrategy"]

    def action(status):
        for rule in given["evaluateOnExit"]:
            code = rule.get("onExitCode")
            if code and re.fullmatch(code.replace("*", ".*"), str(status)):
                return rule["action"]
        return "RETRY"

    assert {status: action(status) for status in (2, 3, 4, 130, 137, 143)} == {
        2: "EXIT", 3: "RETRY", 4: "RETRY", 130: "RETRY", 137: "RETRY", 143: "RETRY"}
    assert 1 <= given["attempts"] <= 10 and len(given["evaluateOnExit"]) <= 5


TYPES = {"object": dict, "integer": int, "string": str, "boolean": bool, "any": object}


def check(schemas, name, value):
    """Assert that a value is what a schema of Kubernetes' says."""
    assert isinstance(value, dict), (name, value)
    for field, given in value.items():
        assert field in schemas[name], f"{name} has no {field}"
        kind = schemas[name][field]
        if isinstance(kind, list):
            assert isinstance(given, list), (name, field)
            kind = kind[0]
        for each in given if isinstance(given, list) else [given]:
            if kind in schemas:
                check(schemas, kind, each)
            else:
                assert isinstance(each, TYPES[kind]), (name, field, each)


def test_what_kubernetes_takes():
    """The fields of batch/v1 Job, as the kubernetes client 37.0 has them; and what its reference
    says of them beyond (https://kubernetes.io/docs/concepts/workloads/controllers/job/).
    """
    job = yaml.safe_load((CLUSTER / "kubernetes.yaml").read_text())
    schemas = json.loads((ROOT / "tests/support/golden/kubernetes_job.json").read_text())
    check(schemas, "V1Job", job)
    with pytest.raises(AssertionError, match="V1JobSpec has no completion"):
        check(schemas, "V1Job", {"spec": {"completion": 1}})
    spec = job["spec"]
    assert (job["apiVersion"], job["kind"], spec["completionMode"]) == ("batch/v1", "Job",
                                                                        "Indexed")
    pod = spec["template"]["spec"]
    assert pod["restartPolicy"] == "Never"      # podFailurePolicy wants it
    names = {container["name"] for container in pod["containers"]}
    volumes = {volume["name"] for volume in pod["volumes"]}
    assert {mount["name"] for mount in pod["containers"][0]["volumeMounts"]} == volumes
    actions = {}
    for rule in spec["podFailurePolicy"]["rules"]:
        codes = rule.get("onExitCodes")
        assert codes is None or codes["containerName"] in names and codes["operator"] == "In"
        actions |= dict.fromkeys(codes["values"] if codes else (), rule["action"])
    assert actions == {2: "FailIndex", 3: "Count", 4: "Count", 130: "Count", 137: "Count",
                       143: "Count"}
    env = {each["name"]: each["value"] for each in pod["containers"][0]["env"]}
    assert env["SHARDS"] == str(spec["completions"])


def test_what_sbatch_takes():
    """Every line that begins with #SBATCH, before the first command."""
    lines = (CLUSTER / "slurm.sbatch").read_text().splitlines()
    found = [line.removeprefix("#SBATCH --") for line in lines if line.startswith("#SBATCH")]
    first = next(place for place, line in enumerate(lines) if line and not line.startswith("#"))
    assert sum(line.startswith("#SBATCH --") for line in lines[:first]) == len(found) == 9
    for option in found:
        name, equals, value = option.partition("=")
        pattern = SBATCH[name]
        assert re.fullmatch(pattern, value) if equals else pattern is None, option
    assert "--array=1-64" in "\n".join(lines) and "SHARDS:-64" in "\n".join(lines)


@pytest.mark.parametrize("name", ["slurm.sbatch", "parallel.sh"])
def test_what_bash_takes(name):
    done = subprocess.run(["bash", "-n", CLUSTER / name], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.fixture
def listed(fake, tmp_path, run):
    """The list of a bucket of 30 objects in m.csv, and the environment."""
    fake.bucket("b")
    for number in range(30):
        fake.put("b", f"k{number}", b"x" * number)
    done = run("s3-manifest", "s3://b/", "-o", tmp_path / "m.csv", env=env_of(fake))
    assert done.status == 0, done.err
    return env_of(fake) | PLACES | {"RATE": "500", "SHARDS": "2"}


def commands():
    """Return {scheduler: (what a job runs, its variables for each of two jobs)}."""
    batch = json.loads((CLUSTER / "aws-batch-definition.json").read_text())
    job = yaml.safe_load((CLUSTER / "kubernetes.yaml").read_text())
    slurm = {"SLURM_ARRAY_TASK_MIN": "1", "SLURM_ARRAY_JOB_ID": "9"}
    return {"batch": (batch["containerProperties"]["command"],
                      [{"AWS_BATCH_JOB_ARRAY_INDEX": index} for index in "01"]),
            "kubernetes": (job["spec"]["template"]["spec"]["containers"][0]["command"],
                           [{"JOB_COMPLETION_INDEX": index} for index in "01"]),
            "slurm": (["bash", str(CLUSTER / "slurm.sbatch")],
                      [slurm | {"SLURM_ARRAY_TASK_ID": index} for index in "12"])}


@pytest.mark.parametrize("scheduler", ["batch", "kubernetes", "slurm"])
def test_what_a_job_runs(fake, listed, tmp_path, run, scheduler):
    """Both shards are fetched and merged; a row that fails ends a job well, what may end well in
    another try does not, and Slurm is asked for that.
    """
    command, jobs = commands()[scheduler]
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/scontrol").write_text('#!/bin/sh\necho "$@" >> asked\n')
    (tmp_path / "bin/scontrol").chmod(0o755)

    def job(more):
        env = clean_env(listed | more)
        env["PATH"] = f"{tmp_path / 'bin'}:{env['PATH']}"
        done = subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, text=True,
                              timeout=60)
        return done.returncode, done.stderr

    fake.fault("status", key="k7", times=None, status=403, code="AccessDenied")
    assert [job(more)[0] for more in jobs] == [0, 0]
    done = run("s3-filter", "--merge", "--shards", 2, *tmp_path.glob("part-*.csv"))
    assert done.status == 0 and done.out.count(",fetched,") == 29
    assert job(jobs[0] | {"LIST": "none.csv"})[0] == 3
    assert job(jobs[0] | {"SHARDS": "x"})[0] == 2
    if scheduler == "slurm":
        assert job(jobs[0] | {"LIST": "none.csv", "SLURM_RESTART_COUNT": "5"})[0] == 3
        assert (tmp_path / "asked").read_text() == "requeue 9_1\n"


@pytest.mark.system("parallel")
def test_gnu_parallel(fake, listed, tmp_path, run):
    """It is run: a job that fails is run again, all shards are merged; asked wrongly it ends."""
    fake.fault("status", key=None, times=1, status=401, code="InvalidAccessKeyId")
    # else it asks whoever sees it first to cite it
    env = clean_env(listed | {"HOME": tmp_path, "PARALLEL_HOME": tmp_path})
    (tmp_path / "will-cite").touch()

    def begin(**more):
        return subprocess.run([CLUSTER / "parallel.sh", "-j", "2"], env=env | more, cwd=tmp_path,
                              capture_output=True, text=True, timeout=100)

    done = begin()
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "all.csv").read_text()
    assert text.count(",fetched,") == 30 and "#shard" not in text
    assert len((tmp_path / "jobs.log").read_text().splitlines()) >= 3
    os.unlink(tmp_path / "jobs.log")
    assert begin(LIST="none.csv").returncode != 0
    assert not (tmp_path / "wrong").exists()
    done = begin(RATE="wrong")
    assert done.returncode != 0 and (tmp_path / "wrong").exists()
