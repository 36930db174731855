"""Flow records: the table of fields, layouts, the reader, and the subscription payload. No I/O."""
