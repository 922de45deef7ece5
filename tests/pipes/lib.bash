# What the scripts beside this file are written in; see tests/test_pipes.py.

# try PIPELINE: show it as a prompt would, then its output, then what it said on stderr (its stages speak at the
# same time, so in order of the text), then the statuses of its stages if one of them is not 0.
try() {
    printf '\n$ %s\n' "$1"
    eval "$1"'; status="${PIPESTATUS[*]}"' 2> .said
    sort .said | sed -E 's/ in [0-9.]+ s$/ in T s/; s/versionId=[0-9a-f]{32}/versionId=V/'
    rm .said
    [[ ${status//[0 ]} ]] && echo "= $status"
    return 0
}

# same WHAT PIPELINE PIPELINE: their output must be equal; what they say on stderr does not matter.
same() {
    if diff <(eval "$2" 2>/dev/null) <(eval "$3" 2>/dev/null) > .differs; then
        echo "same: $1"
    else
        printf 'NOT THE SAME: %s\n< %s\n> %s\n' "$1" "$2" "$3"
        cat .differs
    fi
    rm .differs
}

# rows [COLUMNS]: the rows of a CSV manifest in order of the text, or some of their columns.
rows() { grep -v -e '^#' -e '^bucket,' | cut -d, -f"${1:-1-}" | sort; }

# keys: the keys of a CSV manifest, decoded by somebody else's code, each ended by a NUL.
keys() {
    "$PYTHON" -c 'import csv, sys
from urllib.parse import unquote
for row in csv.reader(line for line in sys.stdin if line[0] != "#"):
    if row[1] != "key":
        print(unquote(row[1]), end="\0")'
}

# untimed: times, and version ids, which no two runs share, made the same.
untimed() { sed -E 's/[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z/TIME/g; s/[0-9a-f]{32}/HEX/g'; }

# figures: what s3-status --json counts of rows, whatever they come from.
figures() {
    "$PYTHON" -c 'import json, sys
found = json.load(sys.stdin)
for name in ("rows", "bytes", "buckets", "states", "proofs", "proven", "unproven", "errors"):
    print(name, found[name])'
}
