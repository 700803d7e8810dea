"""How large the documentation is.

    python tools/count.py docs [FILE ...]

Of docs/*.md and README.md, or of the files that are named. Words of prose are those outside code blocks, tables and
comments; decimals are numbers with a decimal point in tables.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def without_code(text: str) -> str:
    """Markdown without fenced blocks and comments."""
    return re.sub(r"^```.*?^```$|<!--.*?-->", "", text, flags=re.M | re.S)


def is_row(line: str) -> bool:
    return line.lstrip().startswith("|")


def words(text: str) -> int:
    """A word has a letter or a digit; a link counts by its text."""
    text = re.sub(r"\]\([^)]*\)", "]", text)
    return sum(any(c.isalnum() for c in word) for word in text.split())


def prose(text: str) -> str:
    return "\n".join(line for line in without_code(text).splitlines() if not is_row(line))


def tables(text: str) -> str:
    return "\n".join(line for line in without_code(text).splitlines() if is_row(line))


def decimals(text: str) -> int:
    return len(re.findall(r"(?<![\w.])\d*\.\d+(?![\w.])", text))


def count_docs(files: list[Path]) -> None:
    rows = []
    for file in files:
        text = file.read_text(encoding="utf-8")
        rows.append((file.name, words(prose(text)), words(tables(text)), decimals(tables(text))))
    rows.append(("sum", *(sum(row[k] for row in rows) for k in (1, 2, 3))))
    print(f"{'':20}{'words of prose':>16}{'words in tables':>17}{'decimals in tables':>20}")
    for name, *numbers in rows:
        print(f"{name:20}{numbers[0]:16,}{numbers[1]:17,}{numbers[2]:20,}")


if __name__ == "__main__":
    if sys.argv[1:2] != ["docs"]:
        sys.exit(__doc__)
    count_docs([Path(name) for name in sys.argv[2:]] or [*sorted((ROOT / "docs").glob("*.md")), ROOT / "README.md"])
