"""The destination: names, directories, files, locks, durability, the ledger."""
