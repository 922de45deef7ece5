"""Each command as a subprocess; a package, so that its modules may be called like those beside it.
"""
