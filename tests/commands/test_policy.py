"""s3-policy: on servers that enforce policies, at a terminal, and killed at any point."""

import json
import os
import pty
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from conftest import BIN, clean_env, env_of
from faults.inject import injected, points, strace, works
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from servers import GUESTS
from terminals import pieces

from s3kit.policy.directory import Shelf
from s3kit.policy.documents import compact
from s3kit.policy.evaluator import answer
from s3kit.policy.guard import faults_of
from s3kit.policy.identity import NAME_KEY, Caller, Circle

OWNER, GLASS, MALLORY = (f"arn:aws:iam::000000000000:user/{name}"
                         for name in ("s3kit", "glass", "mallory"))
OLD = {"Version": "2012-10-17", "Statement": [{"Sid": "Logs", "Effect": "Allow",
                                               "Principal": {"AWS": GLASS},
                                               "Action": "s3:PutObject",
                                               "Resource": "arn:aws:s3:::b/logs/*"}]}
CALLER = ("--caller", OWNER)
CALLS = ("openat", "mkdir", "write", "rename", "renameat", "renameat2", "fsync", "fdatasync",
         "flock", "sendto", "unlink", "close")


def refused(call, **how):
    """Return whether a server refuses a call; any other error is one."""
    try:
        call(**how)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] != 403:
            raise
        return True
    return False


def asked(client, bucket):
    """Return {action: whether it is refused} of one identity."""
    return {"s3:ListBucket": refused(client.list_objects_v2, Bucket=bucket),
            "s3:GetObject": refused(client.get_object, Bucket=bucket, Key="k"),
            "s3:PutObject": refused(client.put_object, Bucket=bucket, Key="w", Body=b"")}


def clients(server):
    """Return {ARN: client} of the owner and the guests."""
    return {OWNER: server.client(), **{f"arn:aws:iam::000000000000:user/{name}":
                                       server.client(*keys) for name, keys in GUESTS.items()}}


@pytest.fixture
def bucket(seaweed, request):
    """A bucket of this test's own with one object."""
    name = f"policy-{abs(hash(request.node.name)) % 10**8}"
    seaweed.client().create_bucket(Bucket=name)
    seaweed.client().put_object(Bucket=name, Key="k", Body=b"bytes")
    return name


# --- a server that enforces


def test_a_locked_bucket(seaweed, bucket, run):
    """A second identity with all rights is kept out, the exempt are not; rolled back, all is as it
    was.
    """
    done = run("s3-policy", "plan", bucket, "-t", "only-me", "--exempt", GLASS, env=seaweed.env)
    assert (done.status, done.out) == (0, ""), done.err
    assert not any(asked(clients(seaweed)[MALLORY], bucket).values())
    done = run("s3-policy", "apply", bucket, "--yes", env=seaweed.env)
    assert done.status == 0, done.err
    assert (all(asked(clients(seaweed)[MALLORY], bucket).values())
            and refused(clients(seaweed)[MALLORY].delete_bucket_policy, Bucket=bucket))
    for arn in (OWNER, GLASS):
        assert not any(asked(clients(seaweed)[arn], bucket).values())
    assert run("s3-policy", "diff", bucket, env=seaweed.env).status == 0
    done = run("s3-policy", "rollback", bucket, "--yes", env=seaweed.env)
    assert done.status == 0 and "rolled back to no policy" in done.err
    assert not any(asked(clients(seaweed)[MALLORY], bucket).values())


def test_a_frozen_bucket(seaweed, bucket, run):
    """Nobody writes, everybody reads as before."""
    run("s3-policy", "plan", bucket, "-t", "read-only", env=seaweed.env)
    assert run("s3-policy", "apply", bucket, "--yes", env=seaweed.env).status == 0
    for client in clients(seaweed).values():
        assert asked(client, bucket) == {"s3:ListBucket": False, "s3:GetObject": False,
                                         "s3:PutObject": True}


def test_a_server_that_does_not_know_arns(seaweed, bucket, run):
    """SeaweedFS spares nobody by aws:PrincipalArn, not its owner either: the rehearsal finds out,
    and the bucket stays open.
    """
    done = run("s3-policy", "plan", bucket, "-t", "only-me", "--exempt", GLASS, "--by", "arn",
               "--no-services", env=seaweed.env)
    assert done.status == 0, done.err
    done = run("s3-policy", "apply", bucket, "--yes", env=seaweed.env)
    assert (done.status == 1 and "does not spare us by aws:PrincipalArn" in done.err
            and "rolled back to no policy" in done.err)
    for client in clients(seaweed).values():
        assert not any(asked(client, bucket).values())


actions = st.sampled_from(["s3:GetObject", "s3:PutObject", "s3:ListBucket", "s3:*Object", "s3:Get*",
                           "s3:*", "s3:?utObject"])


@st.composite
def documents(draw):
    """Random documents of what SeaweedFS knows."""
    made = []
    for _ in range(draw(st.integers(1, 3))):
        statement = {"Effect": draw(st.sampled_from(["Deny", "Deny", "Allow"])), "Action":
                     draw(actions | st.lists(actions, min_size=1, max_size=2, unique=True)),
                     "Principal": draw(st.just("*") | st.fixed_dictionaries(
                         {"AWS": st.sampled_from([OWNER, GLASS, MALLORY])})), "Resource": draw(
                             st.sampled_from(["arn:aws:s3:::NAME", "arn:aws:s3:::NAME/*",
                                              ["arn:aws:s3:::NAME", "arn:aws:s3:::NAME/*"],
                                              "arn:aws:s3:::NAME/k*"]))}
        operator = draw(st.sampled_from([None, None, "StringEquals", "StringNotEquals",
                                         "StringLike", "StringNotLike"]))
        if operator:
            statement["Condition"] = {operator: {"aws:username": draw(
                st.lists(st.sampled_from(["glass", "mallory", "s3kit", "m*", "?lass"]), min_size=1,
                         max_size=2))}}
        made.append(statement)
    return {"Version": "2012-10-17", "Statement": made}


def test_the_evaluator_agrees_with_seaweedfs(seaweed, bucket):
    """What we call denied is refused to identities that have all rights, and nothing else is."""
    everybody, circle = clients(seaweed), Circle(Caller(OWNER), [GLASS], NAME_KEY, is_secure=False)
    seen = set()

    @settings(max_examples=40, suppress_health_check=list(HealthCheck))
    @given(documents())
    @example({"Version": "2012-10-17", "Statement": [{"Effect": "Deny",
                                                      "Principal": {"AWS": MALLORY}, "Resource":
                                                      ["arn:aws:s3:::NAME", "arn:aws:s3:::NAME/*"],
                                                      "Action": [
                                                          "s3:ListBucket", "s3:GetObject",
                                                          "s3:PutObject"]}]})
    def agree(document):
        document = json.loads(compact(document).replace("NAME", bucket))
        if any("every way back" in fault or "PutBucketPolicy" in fault
               for fault in faults_of(document, bucket, circle)):
            return
        everybody[OWNER].put_bucket_policy(Bucket=bucket, Policy=compact(document))
        for arn, client in everybody.items():
            for action, is_refused in asked(client, bucket).items():
                key = {"s3:GetObject": "/k", "s3:PutObject": "/w"}.get(action, "")
                said = answer(document, circle.asker(arn), action, f"arn:aws:s3:::{bucket}{key}")
                assert (said.verdict == "deny") == is_refused, (document, arn, action, said)
                seen.add((action, is_refused))
        everybody[OWNER].delete_bucket_policy(Bucket=bucket)
    agree()
    assert len(seen) == 6, "each action must have been refused and let through"


def test_the_evaluator_agrees_with_moto(moto):
    """Of Denies for everybody, without conditions: more moto does not judge as S3 does."""
    client, circle, seen = moto.client(), Circle(Caller(OWNER), []), set()
    client.create_bucket(Bucket="policy-moto")
    client.put_object(Bucket="policy-moto", Key="k", Body=b"")
    for resource in ("/*", "/k", "/other", ""):
        for action in ("s3:GetObject", "s3:*Object", "s3:Get*", "s3:PutObject", "s3:*"):
            document = {"Version": "2012-10-17", "Statement": [
                {"Effect": "Deny", "Principal": "*", "Action": action,
                 "Resource": f"arn:aws:s3:::policy-moto{resource}"}]}
            client.put_bucket_policy(Bucket="policy-moto", Policy=compact(document))
            is_refused = refused(client.get_object, Bucket="policy-moto", Key="k")
            said = answer(document, circle.asker(OWNER), "s3:GetObject",
                          "arn:aws:s3:::policy-moto/k").verdict
            assert (said == "deny") == is_refused, document
            seen.add(is_refused)
            client.delete_bucket_policy(Bucket="policy-moto")
    assert seen == {True, False}


@pytest.mark.system("minutes")
def test_a_role_on_moto(moto, run, tmp_path):
    """A session's role is found with its path; moto heeds no conditions, which the rehearsal finds
    out: all is rolled back by itself.
    """
    import boto3
    keys = {"endpoint_url": moto.url, "region_name": "us-east-1", "aws_access_key_id": "a",
            "aws_secret_access_key": "b"}
    iam, s3 = boto3.client("iam", **keys), boto3.client("s3", **keys)
    role = iam.create_role(RoleName="Mover", Path="/aws-reserved/sso.amazonaws.com/",
                           AssumeRolePolicyDocument=json.dumps(
                               {"Version": "2012-10-17", "Statement": [
                                   {"Effect": "Allow", "Principal": {"AWS": "*"},
                                    "Action": "sts:AssumeRole"}]}))["Role"]["Arn"]
    got = boto3.client("sts", **keys).assume_role(RoleArn=role, RoleSessionName="me")["Credentials"]
    s3.create_bucket(Bucket="policy-role")
    s3.put_object(Bucket="policy-role", Key="k", Body=b"")
    env = moto.env | {"AWS_ACCESS_KEY_ID": got["AccessKeyId"],
                      "AWS_SECRET_ACCESS_KEY": got["SecretAccessKey"],
                      "AWS_SESSION_TOKEN": got["SessionToken"]}
    account = role.split(":")[4]
    words = ("s3-policy", "plan", "policy-role", "-t", "only-me", "--exempt",
             f"arn:aws:iam::{account}:user/glass")
    assert "there is no user" in run(*words, env=env).err
    iam.create_user(UserName="glass")
    done = run(*words, env=env)
    assert done.status == 0, done.err
    planned = json.loads((tmp_path / "policies/policy-role.json").read_text())
    assert planned["Statement"][0]["Condition"]["StringNotEquals"]["aws:PrincipalArn"][0] == role
    done = run("s3-policy", "apply", "policy-role", "--yes", env=env)
    assert (done.status == 1 and "this server does not heed aws:PrincipalArn" in done.err
            and "rolled back to no policy" in done.err)
    with pytest.raises(ClientError, match="NoSuchBucketPolicy"):
        s3.get_bucket_policy(Bucket="policy-role")


# --- streams, people, others


@pytest.fixture
def place(fake, run):
    """A strict fake with a bucket that has a policy, planned to be frozen for all but one."""
    fake.user = OWNER
    fake.bucket("b").policy = json.dumps(OLD)
    fake.put("b", "k", b"bytes")
    done = run("s3-policy", "plan", "b", "-t", "only-me", "--exempt", GLASS, *CALLER,
               env=env_of(fake))
    assert done.status == 0, done.err
    return fake


def test_a_manifest_comes_through_a_pipe(seaweed, bucket, pipe, tmp_path):
    """`-` reads the buckets and keys of a stream; one that was cut plans nothing."""
    done = pipe(
        f"s3-manifest s3://{bucket} | s3-policy plan - -t migrate --pipeline 's3-fetch -d data | "
        "s3-prune --yes'", env=seaweed.env)
    assert done.status == [0, 0], done.err
    found = json.loads((tmp_path / f"policies/{bucket}.json").read_text())["Statement"]
    assert ([each["Resource"] for each in found if each["Sid"] == "S3KitMigrateObjects"]
            == [[f"arn:aws:s3:::{bucket}/k"]])
    done = pipe(f"s3-manifest s3://{bucket} | grep -v end | s3-policy --dir cut plan - -t migrate",
                env=seaweed.env)
    assert (done.status[-1] == 3 and "the input was cut" in done.err
            and not (tmp_path / "cut").exists())


def test_nobody_to_ask(place, run):
    """Without a terminal and without --yes nothing is put."""
    done = run("s3-policy", "apply", "b", *CALLER, env=env_of(place))
    assert done.status == 2 and "--yes" in done.err and json.loads(place.bucket("b").policy) == OLD
    done = run("s3-policy", "apply", *CALLER, env=env_of(place))
    assert done.status == 2


def at_terminal(tmp_path, env, words, answers):
    """Run s3-policy at a terminal, where a person answers questions that end in a blank, several
    lines at once if an answer has them; return (status, what it showed).
    """
    pid, terminal = pty.fork()
    if not pid:
        os.chdir(tmp_path)
        os.execve(sys.executable, [sys.executable, str(BIN / "s3-policy"), *words], clean_env(env))
    shown, answers, told = b"", list(answers), 0
    for data in pieces(terminal):
        shown += data
        if answers and shown.endswith((b"[y/N] ", b"name? ")) and len(shown) > told:
            told = len(shown) + len(answers[0])
            os.write(terminal, answers.pop(0) + b"\n")
    os.close(terminal)
    assert not answers, shown
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), shown.decode(errors="replace")


@pytest.mark.system("minutes")
def test_a_person_is_asked(place, tmp_path):
    """Which buckets, and about each one, after the table and the differences; no is no."""
    env = env_of(place)
    status, shown = at_terminal(tmp_path, env, ["apply", *CALLER], [b"1", b"n"])
    assert (status == 1 and "1  b" in shown and "S3KitOnlyMe" in shown and "- > deny" in shown
            and "left as it is" in shown)
    assert json.loads(place.bucket("b").policy) == OLD
    status, shown = at_terminal(tmp_path, env, ["apply", "b", *CALLER], [b"y"])
    assert status == 0 and "applied: 2 statements added" in shown
    status, shown = at_terminal(tmp_path, env, ["rollback", "b", *CALLER], [b"y"])
    assert status == 0 and json.loads(place.bucket("b").policy) == OLD


def test_what_is_typed_ahead_answers_nothing(place, tmp_path):
    """The second bucket's question wants an answer of its own, given when it stands there."""
    place.bucket("c").policy = json.dumps(OLD)
    env = env_of(place)
    subprocess.run([sys.executable, BIN / "s3-policy", "plan", "c", "-t", "only-me", "--exempt",
                    GLASS, *CALLER], cwd=tmp_path, env=clean_env(env), check=True)
    status, shown = at_terminal(tmp_path, env, ["apply", "b", "c", *CALLER, "--settle", "0.1s"],
                                [b"y\ny\ny", b"n"])
    assert status == 1 and shown.count("[y/N]") == 2 and "c: left as it is" in shown
    assert "OnlyMe" in place.bucket("b").policy
    assert json.loads(place.bucket("c").policy) == OLD


def test_a_policy_cannot_write_to_a_terminal(place, tmp_path):
    """Neither one that nobody can read nor one whose texts act on a terminal."""
    for text in ("\x1b]0;title\x07 {",
                 json.dumps(OLD | {"Id": "c1\x9b31m \u202e"}, ensure_ascii=False)):
        place.bucket("b").policy = text
        for verb in (["show", "--live"], ["diff"]):
            _, shown = at_terminal(tmp_path, env_of(place), [*verb, "b", *CALLER], [])
            assert not set("\x1b\x07\x9b\u202e") & set(shown), shown
    assert "\\u202e" in at_terminal(tmp_path, env_of(place), ["show", "--live", "b"], [])[1]


@pytest.mark.system("minutes")
def test_one_at_a_time(place, tmp_path, run):
    """Another s3-policy that writes there has the lock: status 4. Looking is free."""
    with Shelf(str(tmp_path / "policies")).held():
        for words in (["apply", "--yes"], ["rollback", "--yes"], ["backup"],
                      ["plan", "-t", "migrate"]):
            done = run("s3-policy", words[0], "b", *words[1:], *CALLER, env=env_of(place))
            assert done.status == 4 and "another s3-policy works in 'policies'" in done.err
        assert run("s3-policy", "show", "b", env=env_of(place)).status == 0
    assert json.loads(place.bucket("b").policy) == OLD


def test_places_that_do_not_take_a_backup(place, tmp_path, run):
    """Where the old policy cannot be kept the new one is not put."""
    (tmp_path / "policies/.s3kit/backups").write_text("in the way")
    done = run("s3-policy", "apply", "b", "--yes", *CALLER, env=env_of(place))
    assert (done.status in (1, 3) and "backups" in done.err
            and json.loads(place.bucket("b").policy) == OLD)
    assert run("s3-policy", "show", "b", env=env_of(place), input=None).status == 0


def test_no_credentials(fake, run):
    """Status 3 and what to do."""
    env = {name: value for name, value in env_of(fake).items() if "KEY" not in name}
    done = run("s3-policy", "plan", "b", "-t", "tls-only", env=env)
    assert (done.status == 3
            and done.err == "s3-policy: cannot find out who we are: Unable to locate credentials\n")


# --- killed


def killed_at(fake, tmp_path, number, carried_out):
    """Apply, and kill it at its request of this number, which S3 carries out or not; return whether
    it came so far.
    """
    seen, process = [], subprocess.Popen([sys.executable, BIN / "s3-policy", "apply", "b", "--yes",
                                          *CALLER, "--settle", "0.1s"], cwd=tmp_path,
                                         env=clean_env(env_of(fake)), stdin=subprocess.DEVNULL,
                                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def hook(request):
        seen.append(request)
        if len(seen) == number:
            process.kill()
    rule = None if carried_out else fake.fault("status", key=None, method=None, times=None,
                                               status=503,
                                               where=lambda request: len(seen) >= number)
    fake.hook = hook
    process.communicate(timeout=60)
    fake.hook = None
    if rule:
        fake.faults.remove(rule)
    return process.returncode == -signal.SIGKILL


def is_old_or_new(fake, tmp_path):
    """Assert that the live policy is the old one (a rehearsal beside it denies one harmless
    action), or the new one; never none.
    """
    live, new = (json.loads(fake.bucket("b").policy),
                 json.loads((tmp_path / "policies/b.json").read_text()))
    kept = [each for each in live["Statement"] if not each["Sid"].startswith("S3KitRehearsal")]
    assert live == new or live | {"Statement": kept} == OLD
    assert all(each["Action"] == "s3:GetBucketVersioning"
               for each in live["Statement"] if each not in kept)


def goes_on(fake, tmp_path, run):
    """Assert that rollback and apply work after whatever was left behind."""
    is_old_or_new(fake, tmp_path)
    was_old = json.loads(fake.bucket("b").policy) == OLD
    done = run("s3-policy", "rollback", "b", "--yes", *CALLER, "--settle", "0.1s", env=env_of(fake))
    assert done.status == 0 or was_old and "has kept no backup" in done.err, done.err
    assert json.loads(fake.bucket("b").policy) == OLD
    done = run("s3-policy", "apply", "b", "--yes", *CALLER, "--settle", "0.1s", env=env_of(fake))
    assert done.status == 0 and "OnlyMe" in fake.bucket("b").policy, done.err
    fake.bucket("b").policy = json.dumps(OLD)


def put_numbers(fake, tmp_path, run):
    """Return (which requests of an apply are PUTs, how many there are)."""
    before = len(fake.log)
    assert run("s3-policy", "apply", "b", "--yes", *CALLER, "--settle", "0.1s",
               env=env_of(fake)).status == 0
    requests = fake.log[before:]
    fake.bucket("b").policy = json.dumps(OLD)
    return ([number for number, request in enumerate(requests, 1) if request.method == "PUT"],
            len(requests))


@pytest.mark.system("minutes")
def test_killed_while_it_puts(place, tmp_path, run):
    """The old policy or the new one is live, never none, and the next command goes on."""
    puts, _ = put_numbers(place, tmp_path, run)
    assert len(puts) == 3           # the two rehearsals', and the policy's
    for carried_out in (True, False):
        assert killed_at(place, tmp_path, puts[-1], carried_out)
        assert ("OnlyMe" in place.bucket("b").policy) == carried_out
        goes_on(place, tmp_path, run)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_killed_at_every_request(place, tmp_path, run):
    """The same at all of them."""
    _, most = put_numbers(place, tmp_path, run)
    for number in range(1, most + 1):
        for carried_out in (True, False):
            assert killed_at(place, tmp_path, number, carried_out) or number > most - 3
            goes_on(place, tmp_path, run)


@pytest.mark.system("strace")
@pytest.mark.long
@pytest.mark.timeout(1800)
def test_killed_at_every_system_call(place, tmp_path, run):
    """kill -9 at each call that touches a file of ours or the network."""
    assert works(), "strace cannot trace here"
    argv = [sys.executable, str(BIN / "s3-policy"), "apply", "b", "--yes", *CALLER, "--settle",
            "0.1s"]

    def apply(trace, inject=()):
        return subprocess.run([*strace(trace, inject, calls=CALLS), *argv], cwd=tmp_path,
                              env=clean_env(env_of(place)), capture_output=True, timeout=120)

    def begin():
        shutil.rmtree(tmp_path / "policies")
        shutil.copytree(tmp_path / "fresh", tmp_path / "policies")
        place.bucket("b").policy = json.dumps(OLD)

    trace = tmp_path / "recorded"
    shutil.copytree(tmp_path / "policies", tmp_path / "fresh")
    assert apply(trace).returncode == 0
    found = sorted({(call, number) for where in ("policies", "<socket:") for call,
                    numbers in points(trace, where).items() for number in numbers})
    hit = 0
    for call, number in found:
        begin()
        apply(tmp_path / "trace", [f"{call}:signal=KILL:when={number}"])
        hit += bool(injected(tmp_path / "trace"))
        goes_on(place, tmp_path, run)
    print(f"killed at {hit} of {len(found)} calls")
    # closes come now here, now there
    assert len(found) > 30 and hit > 0.8 * len(found), (hit, found)


def test_a_signal_waits_for_the_end_of_a_bucket(place, tmp_path):
    """INT while a policy is put: it is read back and tried, then s3-policy dies of it; the second
    bucket is not begun.
    """
    place.bucket("c")
    env = clean_env(env_of(place))
    subprocess.run([sys.executable, BIN / "s3-policy", "plan", "c", "-t", "only-me", "--exempt",
                    GLASS, *CALLER], cwd=tmp_path, env=env, check=True)
    process = subprocess.Popen([sys.executable, BIN / "s3-policy", "apply", "b", "c", "--yes",
                                *CALLER, "--settle", "0.1s"], cwd=tmp_path, env=env,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)

    def hook(request):
        if request.method == "PUT" and b"OnlyMe" in request.body:
            process.send_signal(signal.SIGINT)
            time.sleep(0.2)
    place.hook = hook
    _, err = process.communicate(timeout=60)
    place.hook = None
    assert process.returncode == -signal.SIGINT and "b: applied" in err
    assert "OnlyMe" in place.bucket("b").policy and place.bucket("c").policy is None
    assert Path(tmp_path / "policies").exists()
