"""Sources: convert files, archives and standard input to the batches that the monitor reads. No AWS calls."""
