"""The commands, one module each: the options, then the work."""
