"""The site: README, docs/ and benchmarks/results/ as they lie in the repository, so links work here and on GitHub.

sphinx-build -W -c docs . build/site
"""

from pathlib import Path

project = "giqa"
author = "The giqa maintainers"
extensions = ["myst_parser"]
root_doc = "README"
include_patterns = [
    "README.md",
    "docs/*.md",
    "benchmarks/results/*.md",
    "benchmarks/results/*/*.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "src/giqa/features/*.md",
    "src/giqa/text/*.md",
    "training/README.md",
]
exclude_patterns = [".venv", "build", "dist", "work"]
myst_heading_anchors = 3
highlight_language = "text"
html_theme = "furo"
html_title = "giqa"
html_copy_source = False
html_static_path = ["site.css"]
html_css_files = ["site.css"]
html_theme_options = {"light_css_variables": {"code-font-size": "var(--font-size--small--2)"}}

# Every page of docs/, in the order of a user's questions; Sphinx warns of one that is missing.
SIDEBAR = {
    "Score pictures": [
        "which",
        "numbers",
        "flags",
        "detail",
        "text",
        "accuracy",
        "sources",
        "explain",
        "speed",
        "serve",
        "ray",
    ],
    "Compare generators": ["generators", "metrics"],
    "Ask people": ["collecting", "people", "evaluate", "human", "bench"],
    "Train": ["loop", "learned", "training"],
    "Reference": [
        "faq",
        "libraries",
        "peers",
        "commands",
        "methods",
        "combination",
        "conformance",
        "extend",
        "threats",
        "architecture",
        "/CONTRIBUTING",
        "/CHANGELOG",
        "/benchmarks/results/README",
    ],
}
HIDDEN = "\n\n```{toctree}\n:hidden:\n"


def add_sidebar(app, page, source):
    """Markdown files stay plain; the lists of pages are added as the site is built."""
    if page == "README":
        for caption, pages in SIDEBAR.items():
            names = "\n".join(name.lstrip("/") if name.startswith("/") else f"docs/{name}" for name in pages)
            source[0] += f"{HIDDEN}:caption: {caption}\n\n{names}\n```\n"
    if page == "benchmarks/results/README":
        source[0] += f"{HIDDEN}:glob:\n\n*/*\n```\n"
    if page.startswith(("src/", "training/")):
        source[0] = "---\norphan: true\n---\n\n" + source[0]


def write_index(app, error):
    if app.builder.name == "html":
        Path(app.outdir, "index.html").write_text('<meta http-equiv="refresh" content="0; url=README.html">\n')


def setup(app):
    app.connect("source-read", add_sidebar)
    app.connect("build-finished", write_index)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
