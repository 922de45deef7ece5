"""make demo: a real S3 server of its own, a bucket with everything in it, the pipeline, a crash and
a re-run, an upload, a deletion.

`demo.py stop` ends the server and removes what the demo made. All of it lies under .demo/.
"""

import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests" / "support")]

import servers  # noqa: E402

DEMO = ROOT / ".demo"
BUCKET, COPIES = "photos", "copies"
ODD = ["with space.jpg", "plus+sign.txt", "per%cent.txt", "looks%20encoded.txt", "quotes\"'.txt",
       "comma,semicolon;.csv", "question?hash#.html", "new\nline.txt", "tab\there.txt",
       "=formula.csv", "@at.txt", "Übergrößenträger.txt", "日本語/写真.jpg", "🦭/seal.png",
       "e\u0301-nfd.txt", "é-nfc.txt", "Case.txt", "case.txt", "$HOME.txt", "`tick`.txt",
       "a&b<c>.xml", "-rf.txt", "~tilde.txt"]
PIPELINE = "s3-manifest s3://{bucket}/ | s3-fetch -j 8 -d {dest} | s3-verify -d {dest} -o {out}"


def shell(line, env, **options):
    """Show a line as a prompt would, and run it."""
    print(f"\n$ {line}", flush=True)
    return subprocess.run(["bash", "-o", "pipefail", "-c", line], env=env, cwd=ROOT,
                          **options).returncode


def fill(client):
    """Make the bucket: about 2,000 small objects, versions, a delete marker, a large object, odd
    names.
    """
    from boto3.s3.transfer import TransferConfig
    client.create_bucket(Bucket=BUCKET)
    client.create_bucket(Bucket=COPIES)
    client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})

    def put(key):
        client.put_object(Bucket=BUCKET, Key=key, Body=os.urandom(2000 + hash(key) % 6000))

    names = [f"2026/{n % 12 + 1:02d}/IMG_{n:04d}.jpg" for n in range(2000)]
    with ThreadPoolExecutor(16) as threads:
        list(threads.map(put, names + ODD))
        list(threads.map(put, names[:100]))
        list(threads.map(put, names[:50]))
    client.delete_object(Bucket=BUCKET, Key=names[7])
    large = DEMO / "video.mp4"
    large.write_bytes(os.urandom(100 << 20))
    client.upload_file(str(large), BUCKET, "2026/video.mp4",
                       Config=TransferConfig(multipart_chunksize=8 << 20))
    large.unlink()


def interrupt(env, manifest, dest):
    """Start a fetch and kill -9 its whole process group half-way."""
    line = f"s3-fetch -j 2 --limit-rate 20M -d {dest} {manifest}"
    print(f"\n$ {line} > /dev/null &\n$ kill -9 -- -$!     # half-way, the whole process group",
          flush=True)
    process = subprocess.Popen(["bash", "-c", f"exec {line} > /dev/null"], env=env, cwd=ROOT,
                               start_new_session=True, stderr=subprocess.DEVNULL)
    end = time.monotonic() + 30
    while process.poll() is None and time.monotonic() < end and count(dest) < 1000:
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    print(f"killed: {count(dest):,} files are there", flush=True)


def count(dest):
    """Return how many finished files a destination has."""
    return sum(len(files) for folder, _, files in os.walk(ROOT / dest / BUCKET))


def stop():
    """End the server and remove everything; return what was done, in words."""
    if not DEMO.exists():
        return "there is no demo: nothing to do"
    pid = servers.stop_detached(DEMO / "server")
    size = sum(path.lstat().st_size for path in DEMO.rglob("*") if path.is_file())
    shutil.rmtree(DEMO, ignore_errors=True)
    left = " in part: some of it cannot be removed" if DEMO.exists() else ""
    return (f"{f'ended SeaweedFS (process {pid})' if pid else 'no server ran'}, removed "
            f"{DEMO.name}/ ({size >> 20} MiB){left}")


def main():
    """Run the demo."""
    stop()
    DEMO.mkdir()
    started = time.monotonic()
    print("starting SeaweedFS on loopback ...", flush=True)
    facts = servers.start_detached(DEMO / "server")
    env = os.environ | facts["env"] | {"PATH":
                                       f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL"):
        env.pop(name, None)
    settings = DEMO / "env"
    settings.touch(mode=0o600)
    settings.write_text("".join(f"export {name}={shlex.quote(value)}\n" for name,
                                value in facts["env"].items())
                        + f"export PATH={shlex.quote(str(Path(sys.executable).parent))}:$PATH\n")
    print("filling the bucket: 2,000 objects, versions, a delete marker, 100 MB in parts, odd "
          "names ...", flush=True)
    server = servers.Seaweed(DEMO / "server")
    server.url = facts["url"]
    fill(server.client())

    statuses = [shell(PIPELINE.format(bucket=BUCKET, dest=".demo/data", out=".demo/verified.csv"),
                      env)]
    statuses.append(shell(f"s3-manifest -o .demo/all.csv s3://{BUCKET}/", env))
    interrupt(env, ".demo/all.csv", ".demo/crashed")
    statuses.append(shell("s3-fetch -j 2 -d .demo/crashed .demo/all.csv -o .demo/fetched.csv", env))
    statuses.append(shell(
        "diff -r --exclude=.s3kit .demo/data .demo/crashed && echo 'the same tree'", env))
    statuses.append(shell("ls .demo/crashed/.s3kit/parts | wc -l    # part files left", env))
    statuses.append(shell("s3-fetch -d .demo/data .demo/all.csv -o .demo/again.csv", env))

    print("\nUp into another bucket, and once more; rows say where the copies are:", flush=True)
    put = f"s3-put -j 8 -d .demo/data --to s3://{COPIES}/ .demo/verified.csv -o .demo/copied.csv"
    statuses += [shell(put, env), shell(put, env)]
    statuses.append(shell("tail -n 2 .demo/copied.csv | cut -d, -f2,14,17,19", env))

    print("\nOut of S3 for good, with all versions; of one file the disk has lost the bytes since:",
          flush=True)
    folder = f"s3://{BUCKET}/2026/08/"
    statuses.append(shell(
        f"s3-manifest --versions {folder} | s3-fetch -d .demo/gone | s3-verify -d .demo/gone -o "
        ".demo/gone.csv", env))
    statuses.append(shell(f"truncate -s 1000 .demo/gone/{BUCKET}/2026/08/IMG_0607.jpg", env))
    statuses.append(shell(
        "s3-prune --yes --delete-markers --undo .demo/undo.csv -d .demo/gone .demo/gone.csv -o "
        ".demo/pruned.csv", env) != 1)
    statuses.append(shell(f"s3-list --versions -R {folder}       # what S3 has left", env))

    print(f"""
{'All of it went well' if not any(statuses) else 'SOMETHING WENT WRONG, see above'}, in {time.monotonic() - started:.0f} s:
  .demo/data            the files, as bucket/key
  .demo/verified.csv    the manifest: every row verified, with what that rests on
  .demo/data/.s3kit     the ledger, open to sqlite3
  .demo/copied.csv      where s3-put has put each file, and on what proof
  .demo/undo.csv        what s3-prune deleted, and where each version lies now

The server still runs at {facts['url']}. To go on:

  . .demo/env
  s3-list -l s3://{BUCKET}/2026/
  s3-list --versions -R s3://{BUCKET}/2026/01/ | head
  s3-manifest --versions -f xml s3://{BUCKET}/2026/01/ | head -3
  s3-manifest s3://{BUCKET}/ --include '*.mp4' | s3-fetch -d /tmp/videos
  s3-verify -d .demo/data .demo/verified.csv
  s3-put --to s3://{COPIES}/pages/ man
  man man/s3-fetch.1
  make demo-stop
""", flush=True)  # noqa: E501
    return int(any(statuses))


if __name__ == "__main__":
    if sys.argv[1:] == ["stop"]:
        print(stop())
    else:
        sys.exit(main())
