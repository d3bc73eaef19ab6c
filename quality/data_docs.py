"""Data Docs: what the suite found, as static pages under ``settings.data_docs``.

Great Expectations renders the page; everything that a browser would fetch from elsewhere is taken out.
"""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Any

from quality.suites.invoice_candidates import NAME

KEPT_PAGES = 50
_REMOTE = re.compile(
    r"<script\b[^>]*\bsrc=[\"']https?:[^>]*>.*?</script>"
    r"|<link\b[^>]*\bhref=[\"']https?:[^>]*>"
    r"|<img\b[^>]*\bsrc=[\"']https?:[^>]*>"
    r"|<a\b[^>]*\bhref=[\"']https?:[^>]*>.*?</a>",
    re.IGNORECASE | re.DOTALL,
)
_HEAD = """<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<style>
body { font: 15px/1.5 system-ui, sans-serif; max-width: 75rem; margin: 2rem auto; padding: 0 1rem; color: #1c2330; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 1.5rem; }
td, th { border-top: 1px solid #d9dee7; padding: .4rem .6rem; text-align: left; vertical-align: top; }
.fa-check-circle::before { content: "\\2713"; color: #1d7a46; }
.fa-times::before { content: "\\2717"; color: #b3261e; }
.fa-exclamation-triangle::before { content: "!"; color: #b3261e; }
.modal, .btn, .cooltip .top, .cooltip .right, footer, nav, a[data-toggle], button[data-toggle] { display: none; }
ul { columns: 18rem; }
td ul { columns: auto; }
</style>
"""


def write_page(folder: Path, result: Any, run_id: str, name: str = NAME) -> Path:
    """One page for this run, and an index of the newest pages. Returns the page's path."""
    from great_expectations.render.renderer.page_renderer import ValidationResultsPageRenderer
    from great_expectations.render.view import DefaultJinjaPageView

    text = DefaultJinjaPageView().render(ValidationResultsPageRenderer().render(result))
    pages = folder / name
    pages.mkdir(parents=True, exist_ok=True)
    page = pages / f"{run_id}.html"
    page.write_text(offline(text), encoding="utf-8")
    _index(folder)
    return page


def offline(text: str) -> str:
    """The page without anything remote, with a policy that forbids it, and with a plain style."""
    return _REMOTE.sub("", text).replace("<head>", f"<head>\n{_HEAD}", 1)


def _index(folder: Path) -> None:
    """A list of the newest pages of every suite; older ones are removed."""
    body = "\n".join(
        f"<h2>{html.escape(pages.name.replace('_', ' ').capitalize())}</h2>\n<ol>\n{_items(pages)}\n</ol>"
        for pages in sorted(folder.iterdir())
        if pages.is_dir()
    )
    body = f"<h1>Gate</h1>\n<p>Newest run first.</p>\n{body}"
    (folder / "index.html").write_text(
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>Data Docs</title>\n{_HEAD}'
        f"</head>\n<body>\n{body}\n</body>\n</html>\n",
        encoding="utf-8",
    )


def _items(pages: Path) -> str:
    newest = sorted(pages.glob("*.html"), key=lambda page: page.stat().st_mtime_ns, reverse=True)
    for old in newest[KEPT_PAGES:]:
        old.unlink()
    return "\n".join(
        f'<li><a href="{pages.name}/{html.escape(page.name)}">{html.escape(page.stem)}</a></li>'
        for page in newest[:KEPT_PAGES]
    )
