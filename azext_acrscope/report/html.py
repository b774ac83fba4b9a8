"""A report as one HTML file that loads nothing and runs nothing: no scripts, no fonts, no images from elsewhere.

The tree is built and written by the standard library, so that text stays text whatever a subscription is called; a
content security policy in the file says the same to the browser. Colours follow the reader's light or dark setting,
and every colour stands beside words or numbers. On paper, heads of tables repeat and rows stay whole.
"""

from xml.etree.ElementTree import Element, SubElement, tostring  # writes only; nothing is parsed

from azext_acrscope.base.text import replace_invalid
from azext_acrscope.report.blocks import BAD, DOUBT, GOOD, ReportDocument, Section, StatusBar, Table, TableCell
from azext_acrscope.report.sanitize import split_code_spans

_BAR_WIDTH, _BAR_HEIGHT = 200, 14
_CONTENT_SECURITY_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"

_STYLE = """
:root { color-scheme: light dark; --page: #ffffff; --panel: #f5f6f8; --ink: #1c2128; --soft: #57606a; --line: #d4d9e0;
  --good: #0f6b4f; --bad: #a8410f; --doubt: #5a5f9e; --link: #0550ae; }
@media (prefers-color-scheme: dark) {
  :root { --page: #0f1318; --panel: #181d24; --ink: #e5eaf0; --soft: #a2adb9; --line: #333b45;
    --good: #4fc79a; --bad: #f0935c; --doubt: #a9aef0; --link: #77b1ff; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
main, header, footer { max-width: 82rem; margin: 0 auto; padding: 0 1.5rem; }
header { padding-top: 2rem; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0; }
h2 { font-size: 1.2rem; margin: 2.2rem 0 .5rem; }
p { margin: .4rem 0; max-width: 60rem; }
a { color: var(--link); }
code { font-family: ui-monospace, "Cascadia Mono", Consolas, monospace; font-size: .92em; }
.subtitle { color: var(--soft); font-size: 1.05rem; }
.headline { font-size: 1.15rem; font-weight: 600; margin: 1.2rem 0 .8rem; }
.figures { display: flex; flex-wrap: wrap; gap: .7rem; margin: 0; padding: 0; list-style: none; }
.figures li { background: var(--panel); border: 1px solid var(--line); border-radius: .5rem; padding: .6rem 1rem;
  min-width: 8rem; }
.figures b { display: block; font-size: 1.6rem; line-height: 1.2; font-variant-numeric: tabular-nums; }
.facts { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1.2rem; margin: 1.2rem 0 0;
  font-size: .93rem; }
.facts dt { color: var(--soft); }
.facts dd { margin: 0; overflow-wrap: anywhere; }
.warning { border: 1px solid var(--bad); border-left-width: .4rem; border-radius: .3rem; padding: .2rem 1.2rem .8rem;
  margin-top: 1.5rem; }
.warning h2 { margin-top: .6rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
caption { text-align: left; color: var(--soft); padding: .2rem 0; }
th, td { text-align: left; vertical-align: top; padding: .4rem .7rem .4rem 0; border-bottom: 1px solid var(--line);
  overflow-wrap: break-word; }
thead th { border-bottom: 2px solid var(--line); }
tbody th { font-weight: 600; min-width: 9rem; }
tbody th small { font-weight: 400; }
small { display: block; color: var(--soft); font-size: .85em; overflow-wrap: anywhere; }
.good { color: var(--good); } .bad { color: var(--bad); } .doubt { color: var(--doubt); }
.good, .bad, .doubt { font-weight: 600; }
svg { display: block; margin-top: .25rem; }
svg .good { fill: var(--good); } svg .bad { fill: var(--bad); } svg .doubt { fill: var(--doubt); }
svg .none { fill: none; stroke: var(--line); }
.legend { display: flex; flex-wrap: wrap; gap: .2rem 1.4rem; margin: .3rem 0; padding: 0; list-style: none;
  font-size: .9rem; }
.legend svg { display: inline-block; margin: 0 .4rem 0 0; vertical-align: -1px; }
.signing { display: none; }
footer { color: var(--soft); font-size: .88rem; margin-top: 2.5rem; padding-bottom: 2rem; }
@media print {
  @page { margin: 12mm; }
  :root { color-scheme: light; --page: #ffffff; --panel: #ffffff; --ink: #000000; --soft: #444a52; --line: #b5bcc6;
    --good: #0f6b4f; --bad: #a8410f; --doubt: #5a5f9e; --link: #000000; }
  body { font-size: 9.5pt; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  main, header, footer { max-width: none; padding: 0; }
  .scroll { overflow: visible; }
  table { font-size: 8pt; }
  th, td { padding-right: 4pt; }
  tbody th { min-width: 0; }
  thead { display: table-header-group; }
  tr, .figures li, .warning li { break-inside: avoid; }
  h2, section > p, caption, thead { break-after: avoid; }
  a { text-decoration: none; }
  .signing { display: block; break-inside: avoid; margin-top: 12mm; }
  .signing span { display: inline-block; width: 30%; margin: 10mm 3% 0 0; border-top: 1px solid #000;
    padding-top: 1mm; }
}
"""

_LEGEND_ENTRIES = ((GOOD, "enforced (`disabled`)"), (BAD, "not enforced (`enabled`)"), (DOUBT, "unknown"))


def render_html(document: ReportDocument) -> str:
    """Return the report as one HTML document."""
    root = Element("html", {"lang": "en"})
    head = SubElement(root, "head")
    SubElement(head, "meta", {"charset": "utf-8"})
    SubElement(head, "meta", {"http-equiv": "Content-Security-Policy", "content": _CONTENT_SECURITY_POLICY})
    SubElement(head, "meta", {"name": "viewport", "content": "width=device-width, initial-scale=1"})
    SubElement(head, "meta", {"name": "color-scheme", "content": "light dark"})
    SubElement(head, "meta", {"name": "referrer", "content": "no-referrer"})
    SubElement(head, "meta", {"name": "generator", "content": "az acr scope report"})
    _add_element(head, "title", f"{document.title}: {document.subtitle}")
    SubElement(head, "style").text = _STYLE
    body = SubElement(root, "body")
    _add_header(SubElement(body, "header"), document)
    main = SubElement(body, "main")
    for number, section in enumerate(document.sections, 1):
        _add_section(main, section, f"s{number}")
    _add_signature_lines(main)
    footer = SubElement(body, "footer")
    for text in document.closing:
        _add_prose(SubElement(footer, "p"), text)
    return "<!DOCTYPE html>\n" + tostring(root, encoding="unicode", method="html") + "\n"


def _add_header(header: Element, document: ReportDocument) -> None:
    _add_element(header, "h1", document.title)
    _add_element(header, "p", document.subtitle, "subtitle")
    _add_element(header, "p", document.headline, "headline")
    figures = SubElement(header, "ul", {"class": "figures"})
    for each in document.figures:
        item = SubElement(figures, "li")
        _add_element(item, "b", str(each.number), each.tone)
        _append_text(item, f" {each.text}")
    facts = SubElement(header, "dl", {"class": "facts"})
    for name, value in document.facts:
        _add_element(facts, "dt", name)
        _add_element(facts, "dd", value)


def _add_section(main: Element, section: Section, name: str) -> None:
    made = SubElement(main, "section", {"aria-labelledby": name})
    if section.warning:
        made.set("class", "warning")
    _add_element(made, "h2", section.title).set("id", name)
    if section.text:
        _add_prose(SubElement(made, "p"), section.text)
    if section.items:
        items = SubElement(made, "ul")
        for each in section.items:
            _add_element(items, "li", each)
    if section.table:
        if any(isinstance(cell, StatusBar) for row in section.table.rows for cell in row):
            _add_legend(made)
        _add_table(made, section.table, f"{name}t")


def _add_table(parent: Element, table: Table, name: str) -> None:
    # What can be scrolled must be reachable by keyboard, and then be called something.
    around = SubElement(parent, "div", {"class": "scroll", "role": "region", "aria-labelledby": name, "tabindex": "0"})
    made = SubElement(around, "table")
    _add_element(made, "caption", table.caption).set("id", name)
    head = SubElement(SubElement(made, "thead"), "tr")
    for column in table.columns:
        _add_element(head, "th", column).set("scope", "col")
    body = SubElement(made, "tbody")
    for row in table.rows:
        line = SubElement(body, "tr")
        for place, cell in enumerate(row):
            _fill_cell(SubElement(line, "td") if place else SubElement(line, "th", {"scope": "row"}), cell)


def _fill_cell(made: Element, cell: TableCell | StatusBar) -> None:
    if isinstance(cell, StatusBar):
        _add_bar(made, cell)
        return
    if cell.href:
        _add_element(made, "a", cell.text).set("href", replace_invalid(cell.href))
    elif cell.tone:
        _add_element(made, "span", cell.text, cell.tone)
    elif cell.prose:
        _add_prose(made, cell.text)
    else:
        made.text = replace_invalid(cell.text)
    if cell.note and cell.prose:
        _add_prose(SubElement(made, "small"), cell.note)
    elif cell.note:
        _add_element(made, "small", cell.note)


# --- bars ----------------------------------------------------------------------------------------------------------


def _add_bar(parent: Element, status_bar: StatusBar) -> None:
    numbers = status_bar.statuses
    said = f"{numbers.enforced} enforced, {numbers.open} not enforced, {numbers.unknown} unknown"
    drawing = _add_drawing(parent, _BAR_WIDTH, said)
    shares = ((GOOD, numbers.enforced), (BAD, numbers.open), (DOUBT, numbers.unknown))
    left = 0.0
    for tone, number in shares:
        if number:
            width = _BAR_WIDTH * number / numbers.all
            _add_rectangle(drawing, left, width, tone)
            left += width
    if not numbers.all:
        _add_rectangle(drawing, 0.5, _BAR_WIDTH - 1, "none")
    _add_element(parent, "small", status_bar.label)


def _add_drawing(parent: Element, width: int, said: str) -> Element:
    size = {"width": str(width), "height": str(_BAR_HEIGHT), "viewBox": f"0 0 {width} {_BAR_HEIGHT}"}
    drawing = SubElement(parent, "svg", {"role": "img", "aria-label": said, **size})
    _add_element(drawing, "title", said)
    return drawing


def _add_rectangle(drawing: Element, left: float, width: float, kind: str) -> None:
    place = {"x": f"{left:.2f}", "y": "0.5", "width": f"{width:.2f}", "height": str(_BAR_HEIGHT - 1)}
    SubElement(drawing, "rect", {**place, "class": kind})


def _add_legend(parent: Element) -> None:
    items = SubElement(parent, "ul", {"class": "legend"})
    for tone, text in _LEGEND_ENTRIES:
        item = SubElement(items, "li")
        size = {"width": "12", "height": "12", "viewBox": "0 0 12 12", "aria-hidden": "true"}
        SubElement(SubElement(item, "svg", size), "rect", {"width": "12", "height": "12", "class": tone})
        _add_prose(SubElement(item, "span"), text)


def _add_signature_lines(main: Element) -> None:
    """Lines to sign on, on paper only."""
    made = SubElement(main, "div", {"class": "signing", "aria-hidden": "true"})
    for text in ("Name", "Date", "Signature"):
        _add_element(made, "span", text)


# --- text ----------------------------------------------------------------------------------------------------------


def _add_element(parent: Element, tag: str, text: str, kind: str = "") -> Element:
    made = SubElement(parent, tag, {"class": kind} if kind else {})
    made.text = replace_invalid(text)
    return made


def _append_text(parent: Element, text: str) -> None:
    list(parent)[-1].tail = replace_invalid(text)


def _add_prose(made: Element, text: str) -> None:
    """Of our own sentences: words between backquotes are code."""
    for piece, is_code in split_code_spans(text):
        if is_code:
            _add_element(made, "code", piece)
        elif len(made):
            _append_text(made, piece)
        else:
            made.text = replace_invalid(piece)
