"""s3-filter: rows that come through, and manifests that are whole."""

import pytest

from manifests import read_rows

HEAD = "#s3kit manifest 1\nbucket,key,version_id,is_latest,is_delete_marker,size,state\n"
ROWS = ["b,a,2,true,false,10,verified", "b,a,1,false,false,20,failed", "b,c,1,true,true,,listed",
        "b,d,,,,30,mismatch", "b,e,1,true,false,40,fetched"]
MANIFEST = HEAD + "".join(f"{row}\n" for row in ROWS) + "#end rows=5\n"


def rows_of(done):
    """Return the rows of what was written, which is whole, as keys with versions."""
    assert (done.status, done.err) == (0, "")
    return [f"{row.key}{row.version_id}" for row in read_rows(done.out)]


@pytest.mark.parametrize("options, kept", [
    ([], "a2 a1 c1 d e1"),
    (["--state", "failed,mismatch"], "a1 d"),
    (["--latest"], "a2 c1 d e1"),
    (["--noncurrent"], "a1"),
    (["--markers"], "c1"),
    (["--no-markers", "--min-size", "20", "--exclude", "e"], "a1 d"),
    (["--first", "2"], "a2 a1"),
    (["--skip", "1", "--first", "2", "--no-markers"], "a1 d"),
    (["--state", "pruned"], "")])
def test_selecting(run, options, kept):
    """The order stays; nothing left is a whole manifest, too."""
    assert rows_of(run("s3-filter", *options, input=MANIFEST)) == kept.split()


@pytest.mark.parametrize("words", [["--keys", "keys"], ["-0"]])
def test_a_list_of_keys_beside_a_manifest(run, tmp_path, words):
    """-0 and --keys say what the input is, not what the others are."""
    (tmp_path / "keys").write_text("a\nd\nx%20\n")
    (tmp_path / "other.csv").write_text(MANIFEST)
    done = run("s3-filter", "--bucket", "b", *words, "--minus", "other.csv", cwd=tmp_path,
               input="a\0d\0x%20\0")
    assert rows_of(done) == ["x%20"]


def test_a_cut_input_ends_without_an_end_mark(run):
    """What came whole is written."""
    done = run("s3-filter", "--no-markers", input=MANIFEST.removesuffix("#end rows=5\n"))
    assert (done.status, done.out.splitlines()[-1].split(",")[:3]) == (3, ["b", "e", "1"])
    assert "the input was cut: no end mark after 5 rows" in done.err


def test_a_row_that_makes_no_sense_is_named_and_stays(run):
    """The status says so."""
    done = run("s3-filter", "--state", "verified", input="bucket,key,size\nb,a,six\nb,c,1\n")
    assert done.status == 1 and "line 2: size 'six' is not a number of bytes" in done.err
    assert done.out.splitlines()[2].startswith("b,a,,,,six,") and len(done.out.splitlines()) == 4


def test_several_files_and_forms(run, tmp_path):
    """One after the other, in the form of the first."""
    (tmp_path / "a.csv").write_text(MANIFEST)
    assert run("s3-filter", "-o", tmp_path / "b.xml.gz", "--first", "1", input=MANIFEST).status == 0
    done = run("s3-filter", tmp_path / "b.xml.gz", tmp_path / "a.csv")
    assert done.out.startswith("<manifest") and rows_of(done) == "a2 a2 a1 c1 d e1".split()


@pytest.mark.parametrize("options, says", [
    (["--state", "gone"], "argument --state: 'gone' is not a state (listed, restoring"),
    (["--latest", "--noncurrent"], "argument --noncurrent: not allowed with argument --latest"),
    (["--first", "0"], "argument --first: '0' is not a number of at least 1")])
def test_asked_wrongly(run, options, says):
    done = run("s3-filter", *options, input=MANIFEST)
    assert (done.status, done.out) == (2, "") and done.err.startswith(f"s3-filter: {says}")


# --- shards


@pytest.fixture
def many(tmp_path):
    """Return the path of a manifest of 60 rows, three versions of each of 20 keys."""
    rows = [f"b,k{key},{version},,,1,listed\n" for key in range(20) for version in range(3)]
    (tmp_path / "many.csv").write_text(HEAD + "".join(rows) + "#end rows=60\n")
    return tmp_path / "many.csv"


def test_shards_are_the_whole(run, many):
    """Each says which it is; together they are all rows."""
    whole, parts = rows_of(run("s3-filter", many)), []
    for number in range(1, 4):
        done = run("s3-filter", "--shard", f"{number}/3", many)
        assert done.out.splitlines()[:2] == ["#s3kit manifest 1", f"#shard {number}/3"]
        parts += rows_of(done)
    assert sorted(parts) == sorted(whole) and parts != whole


def test_auto_is_the_shard_of_the_job(run, many):
    """As the scheduler of an array says; where none does, nothing is written."""
    second = run("s3-filter", "--shard", "2/3", many)
    assert run("s3-filter", "--shard", "auto/3", many,
               env={"JOB_COMPLETION_INDEX": "1"}).out == second.out
    assert run("s3-filter", "--shard", "auto/3", many,
               env={"SLURM_ARRAY_TASK_ID": "2", "SLURM_ARRAY_TASK_MIN": "1"}).out == second.out
    done = run("s3-filter", "--shard", "auto/3", many)
    assert (done.status, done.out) == (2, "") and "PARALLEL_SEQ is set: give K/N" in done.err


def test_an_index_counts_from_0(run, many):
    """Beside K/N, which counts from 1."""
    for index in range(3):
        shard = run("s3-filter", "--shard", f"{index + 1}/3", many)
        done = run("s3-filter", "--shard-index", index, "--shards", "3", many)
        assert (done.status, done.out) == (0, shard.out)


@pytest.mark.parametrize("options, says", [
    (["--shard-index", "3", "--shards", "3"],
     "--shard-index is 3, and of 3 shards the last is 2: they are counted from 0"),
    (["--shard-index", "0"], "--shard-index I goes with --shards N"),
    (["--shard-index", "0", "--shards", "2", "--merge"], "and not with --merge"),
    (["--shards", "2"], "--shards N goes with --merge or --shard-index"),
    (["--shards", "0"], "argument --shards: '0' is not a number of shards, from 1 to 999,999"),
    (["--shard-index", "0", "--shard", "1/2"], "not allowed with argument --shard")])
def test_shards_asked_wrongly(run, many, options, says):
    done = run("s3-filter", *options, many)
    assert (done.status, done.out) == (2, "") and says in done.err


def test_merge_wants_all_shards(run, many, tmp_path):
    """One that is missing, cut, or there twice is named, and nothing is written."""
    paths = [str(tmp_path / f"part-{number}.csv") for number in range(1, 5)]
    for number, path in enumerate(paths, 1):
        run("s3-filter", "--shard", f"{number}/4", many, "-o", path)
    merge = ["s3-filter", "--merge", "--shards", "4"]
    done = run(*merge, *paths)
    assert (done.status, done.out) == (0, run("s3-filter", "--merge", many).out)
    for given, says in ((paths[:1], "of the shards, 2/4, 3/4, 4/4 are missing"),
                        (paths[:3], "of the shards, 4/4 is missing"),
                        ([*paths, paths[1]], "part-2.csv) is there twice"),
                        ([*paths, many], "many.csv: this is no shard, not one of 4 (--shards)")):
        done = run(*merge, *given)
        assert (done.status, done.out) == (3, "") and says in done.err
    text = (tmp_path / "part-3.csv").read_text()
    for left, says in ((text[:len(text) // 2], "the input was cut: no end mark after"),
                       ("", "the input is empty, not even a header came")):
        (tmp_path / "part-3.csv").write_text(left)
        done = run(*merge, *paths)
        assert (done.status, done.out) == (3, "") and f"part-3.csv: {says}" in done.err


@pytest.mark.parametrize("command", [
    ["s3-filter"], ["s3-filter", "-f", "xml"], ["s3-manifest"], ["s3-manifest", "-f", "xml"],
    ["s3-fetch", "-n", "-d", "."], ["s3-verify", "--quick", "-d", "."]], ids=" ".join)
def test_every_command_carries_the_mark_along(run, tmp_path, command):
    """In both forms; the rows that come out are of the same shard."""
    text = MANIFEST.replace("\n", "\n#shard 2/4\n", 1).replace("listed", "pruned")
    text = text.replace("failed", "pruned").replace("mismatch", "pruned")
    done = run(*command, input=text.replace("verified", "pruned").replace("fetched", "pruned"),
               cwd=tmp_path)
    assert done.out.splitlines()[:2][-1].startswith("#shard 2/4") or \
        done.out.startswith('<manifest xmlns="urn:s3kit:manifest:1" shard="2/4">')
    if done.out.startswith("<"):
        assert "#shard 2/4" in run("s3-filter", "-f", "csv", input=done.out).out


def test_a_shard_of_another_shard_is_refused(run, many):
    """Empty it would look like a whole one."""
    half = run("s3-filter", "--shard", "1/2", many).out
    done = run("s3-filter", "--shard", "2/4", input=half)
    assert done.status == 3 and "#end" not in done.out
    assert "the input is shard 1/2, and has no rows of shard 2/4" in done.err
    assert "#shard 5/6\n" in run("s3-filter", "--shard", "2/3", input=half).out


def test_shards_in_two_steps(run, many, tmp_path):
    """As s3kit-cluster(7) has it for very many: shard I of 8 is in shard (I - 1) % 2 + 1 of 2."""
    for number in (1, 2):
        run("s3-filter", "--shard", f"{number}/2", many, "-o", tmp_path / f"{number}.csv")
    for number in range(1, 9):
        done = run("s3-filter", "--shard", f"{number}/8", tmp_path / f"{(number - 1) % 2 + 1}.csv")
        at_once = run("s3-filter", "--shard", f"{number}/8", many)
        assert (done.status, done.out) == (0, at_once.out)


@pytest.mark.parametrize("command, mark", [
    (["s3-filter"], "1/4"), (["s3-manifest"], "1/4"), (["s3-filter", "--shard", "1/2"], "1/4")])
def test_some_shards_are_not_the_whole(run, many, tmp_path, command, mark):
    """The head says that it is a part, and people are told what is missing."""
    for number in (1, 2):
        run("s3-filter", "--shard", f"{number}/4", many, "-o", str(tmp_path / f"{number}.csv"))
    done = run(*command, str(tmp_path / "1.csv"), str(tmp_path / "2.csv"))
    assert done.out.splitlines()[1] == f"#shard {mark}"
    assert command == ["s3-manifest"] or "3/4 is not among them" in done.err


# --- expressions


@pytest.mark.parametrize("options, kept", [
    (["--where", "size >= 20 and not key = 'e'"], "a1 d"),
    (["--where", "is_delete_marker = true or version_id is empty"], "c1 d"),
    (["--where", "size > 10", "--where", "state in ('fetched', 'failed')"], "a1 e1"),
    (["--where", "size > 1G"], "")])
def test_where(run, options, kept):
    assert rows_of(run("s3-filter", *options, input=MANIFEST)) == kept.split()


def test_where_knows_the_input_s_own_columns(run, tmp_path):
    """In both forms; a name that is not one is an error, and nothing is written."""
    text = "bucket,key,Owner\nb,a,me\nb,c,you\n"
    assert rows_of(run("s3-filter", "--where", "Owner = 'you'", input=text)) == ["c"]
    xml = run("s3-filter", "-f", "xml", input=text).out
    assert rows_of(run("s3-filter", "--where", "Owner = 'you'", input=xml)) == ["c"]
    done = run("s3-filter", "--where", "owner = 'you'", "-o", tmp_path / "o.csv", input=text)
    assert (done.status, list(tmp_path.iterdir())) == (2, [])
    assert done.err == ("s3-filter: --where: at character 1, 'owner = 'you'': there is no column "
                        "'owner' (a text stands in single quotes)\n")
    done = run("s3-filter", "--where", "owner = 'you'", input=xml)
    assert done.status == 3 and "<end" not in done.out and "no column 'owner'" in done.err


def test_a_wrong_expression_is_asked_wrongly(run):
    done = run("s3-filter", "--where", "size > and key = 'a'", input=MANIFEST)
    assert (done.status, done.out) == (2, "") and done.err.startswith(
        "s3-filter: argument --where: at character 8, 'and key = 'a'': a column or a value is exp")


# --- samples, pieces, other tools


def test_a_sample(run, many):
    """In the order of the input; the seed makes it the same again."""
    whole = rows_of(run("s3-filter", many))
    found = rows_of(run("s3-filter", "--sample", "7", "--seed", "1", many))
    assert len(found) == 7 and found == [row for row in whole if row in found]
    assert found == rows_of(run("s3-filter", "--sample", "7", "--seed", "1", many))
    assert run("s3-filter", "--seed", "1", many).status == 2


@pytest.mark.parametrize("options, sizes", [
    (["--split-rows", "25"], [25, 25, 10]), (["--split-size", "40"], [40, 20]),
    (["--split-rows", "50", "--split-size", "35", "--first", "36"], [35, 1]),
    (["--split-rows", "9", "--state", "failed"], [0])])
def test_pieces_are_whole_manifests(run, many, tmp_path, options, sizes):
    """Numbered from 1, the rows in their order."""
    done = run("s3-filter", *options, "-o", tmp_path / "p-%02d.csv.gz", many)
    assert (done.status, done.out, done.err) == (0, "", "")
    paths = sorted(tmp_path.glob("p-*"))
    assert [path.name for path in paths] == [f"p-{at:02}.csv.gz" for at in range(1, len(sizes) + 1)]
    parts = [read_rows(path) for path in paths]
    assert [len(part) for part in parts] == sizes
    rows = [(row.key, row.version_id) for part in parts for row in part]
    assert rows == [(row.key, row.version_id) for row in read_rows(many)][:len(rows)]


def test_a_cut_input_leaves_the_pieces_that_are_whole(run, many, tmp_path):
    text = many.read_text().removesuffix("#end rows=60\n")
    done = run("s3-filter", "--split-rows", "25", "-o", tmp_path / "p-%d.csv", input=text)
    assert done.status == 3 and sorted(path.name for path in tmp_path.glob("*p-*")) == [
        "p-1.csv", "p-2.csv"]
    again = run("s3-filter", "--split-rows", "25", "-o", tmp_path / "p-%d.csv", many)
    assert again.status == 2 and "/p-1.csv' is there already: remove the pieces" in again.err


@pytest.mark.parametrize("options, says", [
    (["--split-rows", "5"], "--split-rows and --split-size write files: -o names them, like"),
    (["--split-size", "5", "-o", "-"], "--split-rows and --split-size write files: -o names"),
    (["--split-size", "5", "-o", "part.csv"], "-o names the pieces: 'part.csv' has not one %d"),
    (["--split-rows", "0", "-o", "%d"], "argument --split-rows: '0' is not a number of at least"),
    (["--bare", "-f", "xml"], "--bare is CSV"), (["-f", "odt"], "'odt' is not one of csv, xml")])
def test_ways_of_writing_that_cannot_be_meant(run, tmp_path, options, says):
    done = run("s3-filter", *options, input=MANIFEST, cwd=tmp_path)
    assert (done.status, done.out, list(tmp_path.iterdir())) == (2, "", []) and says in done.err


def test_bare_has_a_header_and_rows_alone(run, tmp_path):
    """It can be read again; of a cut input nothing is written, for nobody could tell."""
    done = run("s3-filter", "--bare", input=MANIFEST)
    lines = done.out.splitlines()
    assert lines[0].startswith("bucket,key,version_id,") and len(lines) == 6
    assert rows_of(run("s3-filter", input=done.out)) == "a2 a1 c1 d e1".split()
    xml = run("s3-filter", "-f", "xml", input=MANIFEST).out
    assert run("s3-filter", "--bare", input=xml).out == done.out
    for options in ([], ["-o", tmp_path / "o.csv"]):
        cut = run("s3-filter", "--bare", *options, input=MANIFEST.removesuffix("#end rows=5\n"))
        assert (cut.status, cut.out, list(tmp_path.iterdir())) == (3, "", [])


def test_other_tools_forms(run):
    """As s3-manifest writes them."""
    done = run("s3-filter", "--latest", "--no-markers", "-f", "keys", input=MANIFEST)
    assert (done.status, done.out) == (0, "a\nd\ne\n")


@pytest.mark.parametrize("options, kept", [
    (["--state", "stored"], "k1 k2"), (["--state", "pruned"], "k3"),
    (["--where", "stored_at like 's3://far/%'"], "k1 k3")])
def test_rows_that_are_stored_elsewhere(run, options, kept):
    """They are chosen as others are, also by where they are stored, and keep what says it."""
    lines = ["b,k1,stored,s3://far/k1?versionId=x", "b,k2,stored,s3://near/k2",
             "b,k3,pruned,s3://far/k3", "b,k4,fetched,"]
    text = "#s3kit manifest 1\nbucket,key,state,stored_at\n" + "\n".join(lines) + "\n#end rows=4\n"
    done = run("s3-filter", *options, input=text)
    rows = {row.key: row.extra["stored_at"] for row in read_rows(done.out)}
    assert done.status == 0 and list(rows) == kept.split(), done.err
    assert all(f"b,{key}," in text and rows[key] in text for key in rows) and all(rows.values())
