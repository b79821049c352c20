"""Benchmarks of the ledger, each figure beside its limit measured in the same run.

A figure alone says more of the machine than of the ledger, so each stands beside the most that the
same machine, at the same moment, could do if the ledger cost nothing: a no-op endpoint, raw
inserts, a raw read. The two are measured in turns, and the medians are compared. Clients share the
cores with the server, which both sides of a comparison suffer alike.
"""
