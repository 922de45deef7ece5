# What the completions of all commands of s3kit share.

# Print the buckets that the profile, endpoint and so on of the command line lead to; nothing if S3
# does not name them at once. `__s3kit_buckets s3://` prints addresses. Of s3-relay's two sides it
# is the one whose address is at hand.
function __s3kit_buckets --argument-names before
    set -l word (string replace -r -- '^--[^=]*=' '' (commandline -ct))
    string match -q -- '-*' $word; and return       # an option is meant
    set -l tokens (commandline -opc)
    if test -n "$before"; and not string match -q -- "$before*" $word
        echo $before
        return
    end
    string match -q -- 's3://*/*' $word; and return
    set -l list (string replace -r -- '[^/]*$' s3-list $tokens[1])
    set -l side source
    string match -q -- 's3://*' $tokens; and set side target
    set -l options
    set -l next
    for token in $tokens[2..]
        set token (string replace -r -- "^--$side-" -- $token)
        if test -n "$next"
            set -a options $token
            set next
        else if string match -qr -- '^--(profile|region|endpoint-url|ca-bundle)(=|$)' $token
            set -a options $token
            string match -q -- '*=*' $token; or set next value
        else if contains -- $token --no-sign-request --no-verify-ssl
            set -a options $token
        end
    end
    set -l buckets (timeout -s KILL 2 $list $options </dev/null 2>/dev/null |
        string match -r -- '^[A-Za-z0-9._-]+$')
    if string match -q -- 's3://*' $word
        string replace -r -- '(.*)' 's3://$1/' $buckets
    else
        string join \n -- $buckets
    end
end
