#!/bin/bash
# s3kit under GNU parallel, see s3kit-cluster(7):  LIST=all.csv.zst DIR=/data ./parallel.sh -j 4
# With --sshlogin HOST,HOST it uses other machines, too; LIST and DIR must be reached from all.
: "${LIST:?the manifest of all that is to be fetched}" "${DIR:?a directory}"
export LIST DIR SHARDS=${SHARDS:-16} RATE=${RATE:-200}

shard() {
    s3-filter --shard "auto/$SHARDS" -o "$DIR/shard-$1.csv" "$LIST" &&
        s3-fetch -q --limit-requests "$RATE" -d "$DIR/$1" -o "$DIR/part-$1.csv" "$DIR/shard-$1.csv"
    status=$?
    case $status in
        1|5) return 0 ;;                # done: the rows say of each what became of it
        2) touch "$DIR/wrong" ;;        # never again
    esac
    return $status
}
export -f shard

# Each as often as it takes, three times at most; what is done is not done twice.
for _ in 1 2 3; do
    parallel --env shard --env LIST --env DIR --env SHARDS --env RATE --joblog "$DIR/jobs.log" \
        --resume-failed "$@" shard '{}' ::: $(seq "$SHARDS")
    status=$?
    [ $status = 0 ] || [ -e "$DIR/wrong" ] || continue
    break
done
[ $status = 0 ] && s3-filter --merge --shards "$SHARDS" -o "$DIR/all.csv" "$DIR"/part-*.csv
