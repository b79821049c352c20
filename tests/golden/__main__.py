"""``python -m tests.golden`` compares what was agreed with the program; ``--accept`` renews it."""

import sys

from tests.golden import FILES, HERE


def main(words: list[str]) -> int:
    """Name each file that is not what the program says now; return how many are left so."""
    if words not in ([], ["--accept"]):
        sys.exit("usage: python -m tests.golden [--accept]")
    left = 0
    for name, now in FILES.items():
        path, text = HERE / name, now()
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        if words:
            path.write_text(text, encoding="utf-8")
        left += not words
        sys.stdout.write(f"{name}: {'written' if words else 'differs'}\n")
    return left


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
