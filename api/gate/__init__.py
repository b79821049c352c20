"""The gate: checks that every request passes before it reaches a route.

``connection`` takes what comes over the wire, and no more of it than it should; ``gate`` looks at
each request: its target, what it says twice, who sends it across sites, how often they come. Both
know nothing of what is behind. Each request costs a few microseconds more
(see docs/decisions/http.md).
"""
