"""Photographs of any size: lapped cosines on grids, whose places have priors that follow from those already decoded."""
