# made of the command's parser by tests/support/completions.py

source (status dirname)/__s3kit.fish
complete -c s3-status -s h -l help -d 'show this help and exit'
complete -c s3-status -l version -d 'show the version and exit'
complete -c s3-status -s q -l quiet -d 'say nothing but errors'
complete -c s3-status -s v -l verbose -d 'name every row and what became of it'
complete -c s3-status -l bucket -x -a '(__s3kit_buckets)' -d 'the bucket of rows that name none'
complete -c s3-status -l columns -x -d 'the columns of input that has no header'
complete -c s3-status -l from -x -a 'csv xml keys keys0 inventory batch batch-report migration s3swarm svu transfer-ledger transfer-missing s3xml aws ndjson s5cmd-ls rclone-lsjson rclone-lsf rclone-lsf-csv rclone-check md5sum sha1sum sha224sum sha256sum sha384sum sha512sum b2sum xxhsum s5cmd hashdeep bagit' -d 'the form of the input, where its first bytes do not show it'
complete -c s3-status -s d -l dest -x -a '(__fish_complete_directories)' -d 'the destination of s3-fetch, s3-verify or s3-put whose ledger is read'
complete -c s3-status -l watch -d 'what runs, on the whole screen, until q is pressed'
complete -c s3-status -l reset -d 'forget the runs that have ended'
complete -c s3-status -l yes -d '--reset: do not ask'
complete -c s3-status -l errors -d 'what is wrong by cause, and what to do; into a pipe or -o: those rows'
complete -c s3-status -l json -d 'one JSON object'
complete -c s3-status -l html -r -F -d 'write a page to keep, atomically'
complete -c s3-status -s f -l format -x -a 'csv xml' -d 'the form to write (as the input)'
complete -c s3-status -s o -l output -r -F -d 'write to FILE, atomically (stdout, as -); .gz and .zst compress'
