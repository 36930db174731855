"""Flow records: the table of fields, log formats, the reader, and the subscription payload. No I/O."""
