"""The pairs of a target and a standard proposal, a module each with the same functions: what r = dQ/dP is, and the masses of P and Q.

Every module has, for a target of centre m and scale s:

- ``log_ratio(x, m, s)``: ln r(x); -inf outside the support.
- ``level_set(log_h, drop, m, s, c)``: the interval {r >= h}, for the peak c and drop = ln sup r - ln h.
- ``proposal_mass(a, b)``: P([a, b]) for a < b.
- ``standard_mass(a, b)``: Q([a, b]) for a < b, of the target with m = 0 and s = 1.

r is largest at m, but for Gaussians: their module has ``peak(m, s)`` and ``log_top(m, s)``, where r is largest, and ln sup r.
"""
