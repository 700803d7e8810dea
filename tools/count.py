"""How large the documentation and the code are.

    python tools/count.py docs [FILE ...]
    python tools/count.py code [FOLDER ...]

docs: of docs/*.md and README.md, or of the files that are named. Words of prose are those outside code blocks, tables
and comments; decimals are numbers with a decimal point in tables.
code: of the Python files below each folder of src/giqa, or below the folders that are named: lines of code without
docstrings, blank lines and comments; signatures over 6 parameters (without self and cls; *args and **kwargs count);
functions whose body is over 60 lines without its docstring; calls of hasattr and getattr.
"""

import ast
import io
import re
import sys
import tokenize
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


FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def docstring_lines(node: ast.AST) -> set[int]:
    body = getattr(node, "body", None)
    has = isinstance(node, (ast.Module, ast.ClassDef, *FUNCTIONS)) and ast.get_docstring(node, clean=False) is not None
    return set(range(body[0].lineno, body[0].end_lineno + 1)) if has else set()


def code_lines(text: str) -> int:
    """Lines with code on them: no docstrings, blank lines or comments."""
    silent = {"COMMENT", "NL", "NEWLINE", "INDENT", "DEDENT", "ENDMARKER"}
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if tokenize.tok_name[token.type] not in silent:
            lines |= set(range(token.start[0], token.end[0] + 1))
    return len(lines - set().union(*map(docstring_lines, ast.walk(ast.parse(text)))))


def parameters(function: ast.AST) -> int:
    given = function.args
    named = [x.arg for x in (*given.posonlyargs, *given.args, *given.kwonlyargs) if x.arg not in ("self", "cls")]
    return len(named) + (given.vararg is not None) + (given.kwarg is not None)


def count_code(folders: list[Path]) -> None:
    total = [0, 0, 0, 0]
    print(f"{'':20}{'code lines':>12}{'over 6 parameters':>20}{'over 60 lines':>16}{'hasattr, getattr':>19}")
    for folder in folders:
        row = [0, 0, 0, 0]
        for file in sorted(folder.rglob("*.py")) if folder.is_dir() else [folder]:
            text = file.read_text(encoding="utf-8")
            nodes = list(ast.walk(ast.parse(text)))
            functions = [node for node in nodes if isinstance(node, FUNCTIONS)]
            bodies = [node.end_lineno - node.lineno + 1 - len(docstring_lines(node)) for node in functions]
            calls = [node for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
            row[0] += code_lines(text)
            row[1] += sum(parameters(node) > 6 for node in functions)
            row[2] += sum(lines > 60 for lines in bodies)
            row[3] += sum(node.func.id in ("hasattr", "getattr") for node in calls)
        total = [a + b for a, b in zip(total, row, strict=True)]
        print(f"{folder.name:20}{row[0]:12,}{row[1]:20}{row[2]:16}{row[3]:19}")
    print(f"{'sum':20}{total[0]:12,}{total[1]:20}{total[2]:16}{total[3]:19}")


if __name__ == "__main__":
    what, files = sys.argv[1:2], [Path(name) for name in sys.argv[2:]]
    if what == ["docs"]:
        count_docs(files or [*sorted((ROOT / "docs").glob("*.md")), ROOT / "README.md"])
    elif what == ["code"]:
        count_code(files or [p for p in sorted((ROOT / "src" / "giqa").iterdir()) if p.suffix == ".py" or p.is_dir()])
    else:
        sys.exit(__doc__)
