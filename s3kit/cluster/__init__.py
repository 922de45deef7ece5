"""The rows of a command on the workers of a Dask cluster."""
