"""What every command shares: options, streams, signals, exit status."""
