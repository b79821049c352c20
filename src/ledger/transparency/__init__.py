"""Proofs that a history was only ever added to: a Merkle tree over it, and what is signed of it.

Pure: bytes in, bytes out. The formats are others' (RFC 6962, RFC 9162 and C2SP), so that their
tools read ours; what stands in quotation marks is their own word for what the line below it does.
"""
