"""The fast level: least squares by cells, errors that predict errors, and shares of symbols that adapt."""
