"""Photographs of any size: a learned transform, whose latents have priors that follow from those already decoded."""
