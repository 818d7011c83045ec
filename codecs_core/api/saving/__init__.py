"""From arrays to a file: what is planned, encoded and written."""
