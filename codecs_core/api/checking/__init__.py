"""Whether files are whole, and what can be saved of those that are not."""
