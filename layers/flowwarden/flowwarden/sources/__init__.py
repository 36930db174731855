"""Sources: files, archives and standard input become the batches that the monitor reads. Reads files only."""
