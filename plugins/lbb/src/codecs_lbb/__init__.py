"""Local bits-back coding: lossless compression with normalising flows (Ho, Lohn, Abbeel 2019)."""
