"""README.md and the guides tell the truth: their examples run, and print what they show (see documents.py)."""
from documents import run_document
from program import ROOT


def check_the_readme_prints_what_it_shows(program):
    ran, compared = run_document(program, ROOT / "README.md")
    assert ran >= 5 and compared >= 4, f"only {ran} blocks run, {compared} compared"


def check_the_guides_print_what_they_show(program):
    names = ("docs/sql/statements.md", "docs/formats.md", "docs/operations.md", "docs/errors.md", "docs/http.md",
             "docs/what_if.md", "docs/models.md", "docs/learning.md", "docs/watching.md",
             "examples/fraud/README.md")
    ran, compared = map(sum, zip(*(run_document(program, ROOT / name) for name in names)))
    assert ran >= 15 and compared >= 12, f"only {ran} blocks run, {compared} compared"
