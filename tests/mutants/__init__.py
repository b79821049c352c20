"""Whether the tests notice when the code that reckons money is wrong.

``python -m tests.mutants`` makes a hundred small changes to the modules that say what happens to
money, one at a time, in a copy of the tree, and runs the tests on each. A change that no test
notices is printed as a diff: either a test is missing, or the change makes no difference, which
``explained.toml`` then says and why.

Which hundred they are follows from a seed and from what each change is, not from where it stands:
moving a file or editing another line leaves the sample as it was.
"""
