"""Flow records: the table of fields, layouts, the reader, and the payload they come in. No I/O."""
