"""Nothing of a student's becomes HTML or script where a graded notebook is shown, and ordinary text stays as it was."""

from __future__ import annotations

import base64
import copy
import json
import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import nbformat
import pytest

pytest.importorskip("nbgrader")

from nbconvert.exporters import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_raw_cell
from nbgrader.server_extensions.formgrader import handlers
from traitlets.config import Config

from cnncourse.grading.escaping import safe_markdown, safe_text
from cnncourse.grading.nodes import node
from cnncourse.grading.safe import MAX_MARKDOWN, safe_cell, safe_notebook, safe_outputs

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"0" * 60).decode()
JPEG = base64.b64encode(b"\xff\xd8\xff" + b"0" * 60).decode()
SVG = '<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script>alert(1)</script></svg>'
Page = tuple[list[tuple[str, dict[str, str | None]]], str]

TAGS = [
    "<script>alert(1)</script>",
    "<SCRIPT SRC=//x.org/a.js></SCRIPT>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<script\n>alert(1)</script\n>",
    "text <script>alert(1)</script> text",
    "<img src=x onerror=alert(1)>",
    "<img/src=x/onerror=alert(1)//",
    "<img src=`x`onerror=alert(1)>",
    '<img src="x" alt="`<script>alert(1)</script>`">',
    "<svg onload=alert(1)>",
    "<svg><animate onbegin=alert(1) attributeName=x dur=1s>",
    "<svg><script>alert&#40;1)</script></svg>",
    "<math><mi xlink:href='javascript:alert(1)'>x</mi></math>",
    "<iframe src=javascript:alert(1)></iframe>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<object data=javascript:alert(1)></object>",
    "<embed src=javascript:alert(1)>",
    "<form action=javascript:alert(1)><button>go</button></form>",
    "<style>body{display:none}</style>",
    "<link rel=stylesheet href=//x.org/a.css>",
    "<meta http-equiv=refresh content='0;url=javascript:alert(1)'>",
    "<base href=//x.org/>",
    "<details open ontoggle=alert(1)>x</details>",
    "<div style='position:fixed;inset:0' onclick=alert(1)>all of the page</div>",
    "<input autofocus onfocus=alert(1)>",
    "<textarea></textarea><script>alert(1)</script>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<template><script>alert(1)</script></template>",
    "</div></div></div><h1>Score: 100 / 100</h1>",
    "</pre></code><script>alert(1)</script>",
    "<!-- <script>alert(1)</script> -->",
    "<!--><script>alert(1)</script>-->",
    "<!-- unclosed <script>alert(1)</script>",
    "<!DOCTYPE html><script>alert(1)</script>",
    "<![CDATA[<script>alert(1)</script>]]>",
    "<?php echo '<script>alert(1)</script>' ?>",
    "<x:script xmlns:x='http://www.w3.org/1999/xhtml'>alert(1)</x:script>",
    "<\x00script>alert(1)</script>",
    "<scr\x00ipt>alert(1)</scr\x00ipt>",
    "<a\x0conclick=alert(1)>x</a>",
    "<https://onclick=alert(1)//>",
    "<https://x.org/' onclick='alert(1)>",
    "> <script>alert(1)</script>",
    "- item\n\n  <script>alert(1)</script>",
    "| a |\n|---|\n| <script>alert(1)</script> |",
    "| <img src=x onerror=alert(1)> |\n|---|\n| b |",
    "Term\n: <script>alert(1)</script>",
    "# <img src=x onerror=alert(1)>",
    "<img src=x onerror=alert(1)>\n===",
    "[^1]\n\n[^1]: <script>alert(1)</script>",
    "**<script>alert(1)</script>**",
    "~~<script>alert(1)</script>~~",
    "[<script>alert(1)</script>](https://x.org)",
    "![<script>alert(1)</script>](a.png)",
    "\\<script>alert(1)</script>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;script&#62;alert(1)&#60;/script&#62;",
    "&amp;lt;script&amp;gt;alert(1)",
    "```\nunclosed\n<script>alert(1)</script>",
    "```\n```\n<script>alert(1)</script>\n```",
    "~~~\n```\n~~~\n<script>alert(1)</script>\n```",
    "``<script>alert(1)</script>`",
    "`a\n\n<script>alert(1)</script>\n\nb`",
    "```mermaid\n<img src=x onerror=alert(1)>\n```",
    "```\xa0MERMAID\n<script>alert(1)</script>\n```",
    "~~~mermaid\ngraph TD\nclick A href \"javascript:alert(1)\"\n~~~",
    "```html\"><script>alert(1)</script>\nx\n```",
    "    </code></pre><script>alert(1)</script>",
    "$<script>alert(1)</script>$",
    "$$ </p><script>alert(1)</script> $$",
    "\\begin{a}<script>alert(1)</script>\\end{a}",
    "\\\\(<img src=x onerror=alert(1)>\\\\)",
    "$ a $<script>alert(1)</script>$ b $",
]  # fmt: skip
LINKS = [
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x]( javascript:alert(1) )",
    "[x](\njavascript:alert(1))",
    "[x](<javascript:alert(1)>)",
    "[x](<java\tscript:alert(1)>)",
    "[x](<\x01javascript:alert(1)>)",
    "[x](java\x00script:alert(1))",
    "[x](javascript&colon;alert(1))",
    "[x](javascript&#58;alert(1))",
    "[x](javascript&#x3a;alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](&#x6A&#x61;vascript:alert(1))",
    "[x](&amp;#106;avascript:alert(1))",
    "[x](&amp;amp;#106;avascript:alert(1))",
    "[x](&#38;#106;avascript:alert(1))",
    "[x](java&Tab;script:alert(1))",
    "[x](java&NewLine;script:alert(1))",
    "[x](&Tab;javascript:alert(1))",
    "[x](javascript\\:alert(1))",
    "[x](\\javascript:alert(1))",
    "[x](vbscript:msgbox(1))",
    "[x](data:text/html,<script>alert(1)</script>)",
    "[x](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)",
    "[x](file:///etc/passwd)",
    "[x](blob:https://x.org/1)",
    '[x](https://x.org "a" onclick="alert(1)")',
    "[x](https://x.org/\"onmouseover=\"alert(1))",
    "[x](https://x.org 'a\" onclick=\"alert(1)')",
    "[x][y]\n\n[y]: javascript:alert(1)",
    "[x][y]\n\n[y]:\n  javascript:alert(1)",
    "[x][y]\n\n[y]: <javascript:alert(1)> 'title'",
    "> [x][y]\n>\n> [y]:\n> javascript:alert(1)",
    "[y]\n\n[y]: &#106;avascript:alert(1)",
    "<javascript:alert(1)>",
    "<vbscript:x>",
    "<data:text/html,<script>alert(1)</script>>",
    "![x](javascript:alert(1))",
    "![x](data:image/svg+xml;base64,PHN2Zy8+)",
    "![x](https://x.org/seen.png)",
    "![x](//x.org/seen.png)",
    "![x](/logout)",
    "![x](../../logout)",
    "![x][y]\n\n[y]: https://x.org/seen.png",
    "![a [b](https://x.org/1.png)](https://x.org/2.png)",
    '![x](a.png" onerror="alert(1))',
    "![x\" onerror=\"alert(1)](a.png)",
    "![x](attachment:missing.png)",
    "![x](attachment:../../secret)",
    "[![x](javascript:alert(1))](javascript:alert(2))",
    "[`x`](javascript:alert(1))",
    "# [x](javascript:alert(1))",
    "| [x](javascript:alert(1)) |\n|---|\n| b |",
]  # fmt: skip
FORMULAS = [
    "$\\href{javascript:alert(1)}{x}$",
    "$$\\href{data:text/html,x}{x}$$",
    "\\\\(\\href{javascript:alert(1)}{x}\\\\)",
    "\\begin{align}\\href{javascript:alert(1)}{x}\\end{align}",
    "\\\\href{javascript:alert(1)}{x} $",
    "&#92;href{javascript:alert(1)}{x}",
    "&bsol;href{x}{y}",
    "$\\class{btn}{x} \\cssId{score}{y} \\style{position:fixed;top:0}{z}$",
    "$\\unicode[x;position:fixed]{65}$",
    "$\\require{html}\\data{a=b}{x} \\htmlData{a=b}{x}$",
    "$\\def\\a{\\href}\\a{javascript:alert(1)}{x}$",
    "$\\let\\a\\href\\a{javascript:alert(1)}{x}$",
]
PAYLOADS = [*TAGS, *LINKS, *FORMULAS]

ESSAY = r"""# My answer

Padding keeps the size: with $p = (k-1)/2$ and $H_{out}=\lfloor (H+2p-k)/s\rfloor+1$ it holds if $k<n$, $a<b>c$.
In text: a<b, 3 < 4, x <y and 5 > 3; R&D, AT&amp;T, &lt;tag&gt;, caf&eacute;, 5&nbsp;px, &#39;quoted&#39;.

$$\sum_{i<n} x_i \le \frac{1}{2} \quad \text{where } i<k$$

\begin{align} a&<b \\ c & = d \end{align}

1. one
2. two `x <y>` and ``a ` b <c>``
   - nested *em* **strong** ~~del~~

```python
if a <b and c> d:
    print("<b>", x[i]:y, "javascript: no")  # data: 5
```

    indented <code>

| kernel | size |
|:-------|-----:|
| 3x3    | $O(n)<2$ |

> See [the paper](https://arxiv.org/abs/1603.07285 "a guide"), <https://example.org/a?b=c&d=e#f>, https://example.com/x.
> [pytorch][1], [mail](mailto:me@uni.edu), [above](#My-answer), [file](fig/a.png), note: it [2]: works

[1]: https://pytorch.org/docs/stable/generated/torch.nn.Conv2d.html

- [ ] to do
- [x] done

Term
: definition: the data: 5 images

![picture](attachment:my%20picture.png) ![beside the notebook](figure.png)

Setext
------
"""


class Reader(HTMLParser):
    """The tags of a page with their attributes, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def handle_comment(self, data: str) -> None:
        self.tags.append(("comment", {}))

    def handle_pi(self, data: str) -> None:
        self.tags.append(("instruction", {}))


HARMFUL = {
    "script", "iframe", "object", "embed", "form", "style", "link", "meta", "base", "svg", "math", "button",
    "textarea", "select", "frame", "frameset", "applet", "video", "audio", "source", "template", "noscript",
    "details", "dialog", "comment", "instruction", "title", "body", "html", "head",
}  # fmt: skip
SPACES = re.compile(r"[\s\x00-\x1f\u200b]+")


def harm(html: str) -> Counter[str]:
    """What in a page runs, loads, or covers something."""
    found: Counter[str] = Counter()
    for tag, attrs in Reader(html).tags:
        if tag in HARMFUL or (tag == "input" and attrs.get("type") != "checkbox"):
            found[tag] += 1
        for name, value in attrs.items():
            if name.startswith("on") or name in ("srcdoc", "action", "formaction", "background"):
                found[f"{tag} {name}"] += 1
            if name == "style" and not re.fullmatch(r"text-align:\w+", value or ""):
                found[f"style {value}"] += 1
            if name in ("href", "src", "data", "poster", "xlink:href"):
                address = re.sub(r"[\t\n\r]", "", (value or "").strip("".join(map(chr, range(33)))))
                scheme = re.match(r"[A-Za-z][A-Za-z0-9+.-]*(?=:)", address)
                far = tag == "img" and (scheme or address.startswith("/") or ".." in address)
                known = scheme is None or scheme[0].lower() in ("http", "https", "mailto")
                if (far or not known) and not re.match(r"data:image/(png|jpeg|gif);base64,", address):
                    found[f"{tag} {name} {address[:40]}"] += 1
    return found


def set_as_html(text: str, attachments: dict[str, Any] | None = None) -> str:
    return MarkdownWithMath(renderer=IPythonRenderer(escape=False, attachments=attachments or {})).render(
        text
    )


def page(notebook: nbformat.NotebookNode, template: str) -> str:
    """A notebook as nbconvert, nbgrader's feedback or formgrader shows it."""
    config = Config()
    config.HTMLExporter.template_name = template
    if template in ("feedback", "formgrade"):
        config.HTMLExporter.extra_template_basedirs = [handlers.template_path]
        static = Path(handlers.static_path) / "node_modules" / "bootstrap" / "dist" / "css"
        config.HTMLExporter.extra_template_paths = [str(static)]
    about = {
        "notebook": "lab",
        "student": "s",
        "assignment": "a",
        "score": 0,
        "max_score": 1,
        "late_penalty": 0,
    }
    resources = {"nbgrader": about, "base_url": "", "index": 0, "total": 1, "notebook_id": "lab"}
    html, _ = HTMLExporter(config=config).from_notebook_node(notebook, resources)
    return str(html)


def marks(name: str, **roles: Any) -> dict[str, Any]:
    plain = {"schema_version": 3, "grade": False, "locked": False, "solution": False, "task": False}
    return {"nbgrader": plain | {"grade_id": name, "points": 1, "score": 0, "comment": None} | roles}


def released() -> nbformat.NotebookNode:
    lab = "<details><summary>Hint</summary>\n\nLook at $p$.\n\n</details>"
    question = new_markdown_cell(
        "YOUR ANSWER HERE", id="question", metadata=marks("question", grade=True, solution=True)
    )
    return new_notebook(
        cells=[new_markdown_cell(lab, id="task", metadata=marks("task", locked=True)), question]
    )


def essays(texts: list[str], kind: Any = new_markdown_cell) -> nbformat.NotebookNode:
    """A lab whose question is answered with the first text and which has a cell for each of the others."""
    notebook = released()
    notebook.cells[1].source = texts[0]
    notebook.cells += [kind(text, id=f"added-by-student-{i}") for i, text in enumerate(texts[1:])]
    safe_notebook(notebook, released())
    return notebook


@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_text_is_inert_and_still_says_what_it_said(payload):
    html = set_as_html(safe_markdown(payload))
    assert not harm(html)
    assert "mermaid" not in str(Reader(html).tags).lower()
    assert not re.search(r"\\(href|class|cssId|style|unicode|require|data|htmlData)(?![A-Za-z])", html)
    said = re.sub(r"[^a-z]", "", "".join(Reader(html).texts).lower())
    for word in ("alert", "unclosed"):
        if payload.startswith(("<", "text", "```\nunclosed", "# <")) and word in payload:
            assert word in said, "shown, not dropped"


@pytest.mark.parametrize(
    "wrap", ["> {}", "- {}", "1. a\n\n   {}", "{}\n{}", "a `b {} c", "$x$ {} $y$", "{}\n\n```", "[{}](a)"]
)
def test_a_text_is_inert_wherever_it_stands(wrap):
    for payload in PAYLOADS:
        text = wrap.replace("{}", payload)
        assert not harm(set_as_html(safe_markdown(text))), text


def test_the_corpus_is_harmful_if_nothing_is_done():
    harmful = sum(bool(harm(_as_it_is(payload))) for payload in PAYLOADS)
    assert len(PAYLOADS) >= 60 and harmful > 60


def _as_it_is(payload: str) -> str:
    try:
        return set_as_html(payload)
    except Exception:
        return "<script>"  # a page that cannot be made is harm as well


@pytest.mark.parametrize("template", ["lab", "feedback", "formgrade"])
def test_no_page_holds_anything_that_the_same_page_with_ordinary_text_does_not(template):
    pages = [page(essays(texts), template) for texts in (["text"] * len(PAYLOADS), PAYLOADS)]
    ordinary, other = map(harm, pages)
    assert other == ordinary
    assert ordinary["details"] == 1, "the course's own HTML stays"


def test_raw_cells_become_text():
    notebook = essays(["text", *TAGS], new_raw_cell)
    notebook.cells.append(
        new_raw_cell(
            "<script>alert(1)</script>", metadata={"raw_mimetype": "text/html", "format": "text/html"}
        )
    )
    safe_notebook(notebook, released())
    assert {cell.cell_type for cell in notebook.cells} == {"markdown"}
    nbformat.validate(notebook)
    assert harm(page(notebook, "lab")) == harm(page(essays(["text"] * (len(TAGS) + 1)), "lab"))
    assert "alert(1)" in notebook.cells[-1].source and notebook.cells[-1].metadata == {}


def test_the_courses_own_cells_stay_as_they_are():
    notebook = released()
    safe_notebook(notebook, released())
    assert notebook == released()
    assert "<details>" in notebook.cells[0].source


def test_a_changed_copy_of_a_released_cell_is_treated():
    notebook = released()
    notebook.cells[0].source += "<script>alert(1)</script>"
    notebook.cells[1]["attachments"] = {"a.png": {"image/svg+xml": SVG}}
    safe_notebook(notebook, released())
    assert "<script>" not in notebook.cells[0].source
    assert "attachments" not in notebook.cells[1]


def test_an_ordinary_essay_reads_as_before():
    attachments = {"my picture.png": {"image/png": PNG}}
    cell = new_markdown_cell(ESSAY, attachments=copy.deepcopy(attachments))
    safe_cell(cell)
    before = set_as_html(ESSAY.replace("my%20picture", "p"), {"p.png": attachments["my picture.png"]})
    after = set_as_html(cell.source, cell.attachments)
    assert Reader(after).tags == Reader(before).tags
    said = [SPACES.sub("", "".join(Reader(html).texts)) for html in (before, after)]
    assert said[0] == said[1]
    assert ESSAY.count("`") == cell.source.count("`")
    assert 'print("<b>", x[i]:y, "javascript: no")  # data: 5' in cell.source, "code is as it was"
    assert "\u200b" not in "".join(re.findall(r"\$[^$]*\$", cell.source)), "MathJax would draw it"


@pytest.mark.parametrize(
    "text",
    ["", "plain", "# Notebook", "**bold** and `x < y`", "$\\alpha$ & $\\beta$", "a\n\n- b\n- c", "[x](https://x.org/a_(b))", "3 < 5"],
)  # fmt: skip
def test_harmless_text_is_not_touched(text):
    assert safe_markdown(text) == text


def test_a_far_image_becomes_a_link():
    html = set_as_html(safe_markdown("![my drawing](https://x.org/a.png)"))
    assert [tag for tag, _ in Reader(html).tags] == ["p", "a"]
    assert "my drawing" in html


def test_no_heading_takes_the_place_of_a_field_of_formgrader():
    headings = [
        "# question",
        "question\n===",
        "> # question-comment",
        "# question_extra_credit",
        "# Question",
    ]
    html = page(essays(headings), "formgrade")
    assert re.findall(r'<h1[^>]* id="(\w+)', html) == ["Question"]


def test_long_and_slow_texts_are_shown_as_they_are():
    for text in ("word " * 20_000, "\\\\[ " * 2000, "\\begin{a}" * 1000, "<b>" * 1_000_000):
        shown = safe_markdown(text)
        assert shown.startswith("```") and len(shown) < 250_000
        assert not harm(set_as_html(shown))


def test_a_thousand_long_essays_are_not_set_one_by_one():
    notebook = essays(["a word " * 1000] * (2 + MAX_MARKDOWN // 7000))
    kinds = Counter(cell.source.startswith("```text") for cell in notebook.cells)
    assert kinds[True] >= 1 and kinds[False] >= 10


def test_a_text_that_looks_like_a_fence_stays_inside_its_fence():
    text = "`````\n```\n<script>alert(1)</script>\n``````\n"
    html = set_as_html(essays(["", text], new_raw_cell).cells[-1].source)
    assert [tag for tag, _ in Reader(html).tags if tag not in ("span", "div")] == ["pre"]


def test_lone_surrogates_and_control_characters_go():
    shown = safe_markdown("a\ud800b\x00c\x1b[31md\x1b]8;;javascript:alert(1)\x07e\r\nf\rg")
    shown.encode()
    assert shown == "a?bcde\nf\ng"


def test_only_images_are_attached():
    given = {
        "a b.png": {"image/png": PNG},
        "c.jpg": {"image/jpeg": JPEG[:40] + "\n" + JPEG[40:], "image/svg+xml": SVG},
        "d.svg": {"image/svg+xml": base64.b64encode(SVG.encode()).decode()},
        'e.png" onerror="alert(1)': {"image/png": '"><script>alert(1)</script>'},
        "f.png": {"image/png": base64.b64encode(b"<script>").decode()},
        "g.html": {"text/html": "<script>alert(1)</script>"},
        "h.gif": "no bundle",
    }
    text = "".join(f"![x](attachment:{name.replace(' ', '%20')})\n" for name in given)
    cell = new_markdown_cell(text)
    cell["attachments"] = node(**given)
    safe_cell(cell)
    assert cell.attachments == {"image-1.png": {"image/png": PNG}, "image-2.jpeg": {"image/jpeg": JPEG}}
    html = set_as_html(cell.source, cell.attachments)
    assert not harm(html)
    assert html.count("data:image/") == 2


def test_images_that_are_too_large_are_not_attached():
    large = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(5_000_000)).decode()
    cell = new_markdown_cell("![x](attachment:a.png)", attachments={"a.png": {"image/png": large}})
    safe_cell(cell)
    assert "attachments" not in cell
    assert not harm(set_as_html(cell.source))


@pytest.mark.parametrize(
    "name", ["a`b", "<script>", "a\nb", "x" * 500, "$\\href{a}{b}$", "\ud800", "a\u202eb"]
)
def test_a_name_can_stand_in_a_note(name):
    html = set_as_html(f"The file `{safe_text(name)}` was graded.")
    html.encode()
    assert [tag for tag, _ in Reader(html).tags] == ["p", "code"]
    assert len(safe_text(name)) <= 80


# --- what a kernel sends ---------------------------------------------------------------------------------


def display(**data: Any) -> dict[str, Any]:
    return {
        "output_type": "display_data",
        "metadata": {},
        "data": {k.replace("_", "/"): v for k, v in data.items()},
    }


def stream(text: Any, name: str = "stdout") -> dict[str, Any]:
    return {"output_type": "stream", "name": name, "text": text}


OUTPUTS = [
    stream("<script>alert(1)</script>\x1b[31m<b>\x1b]8;;javascript:alert(1)\x07x\x1b]8;;\x07"),
    stream("</pre><script>alert(1)</script>", "stderr"),
    display(text_html="<script>alert(1)</script>", text_plain="<script>alert(1)</script>"),
    display(text_html="<script>alert(1)</script>"),
    display(text_markdown="<script>alert(1)</script>"),
    display(text_latex="<script>alert(1)</script>"),
    display(**{"image/svg+xml": SVG}),
    display(**{"application/javascript": "alert(1)"}),
    display(**{"application/vnd.jupyter.widget-view+json": {"model_id": "x"}}),
    display(**{"text/vnd.mermaid": "<script>alert(1)</script>"}),
    display(image_png='"><script>alert(1)</script>'),
    display(image_png=base64.b64encode(b"<script>").decode()),
    {**display(image_png=PNG), "metadata": {"image/png": {"width": "1 onerror=alert(1)", "height": 3, "alt": '"><script>'}}},
    {**display(image_jpeg=JPEG), "metadata": {"filenames": {"image/jpeg": "javascript:alert(1)"}}},
    {"output_type": "execute_result", "execution_count": "<script>", "data": {"text/plain": "1"}, "metadata": {}},
    {"output_type": "error", "ename": "<script>", "evalue": "<script>", "traceback": ["\x1b[31m<script>alert(1)</script>"]},
    {"output_type": "error", "ename": ["<"], "evalue": {}, "traceback": "<script>"},
    *({"output_type": kind} for kind in ("stream", "error", "display_data", "execute_result", "update_display_data", ["x"], None)),
    {}, None, [], "text", 5, {"data": {}}, stream(None), stream({"a": 1}), stream("\ud800"), display(text_plain=["a", 5]),
]  # fmt: skip


def code_cells(outputs: list[Any]) -> nbformat.NotebookNode:
    return new_notebook(
        cells=[new_code_cell("1", outputs=outputs, id=f"c{i}") for i, outputs in enumerate([outputs])]
    )


@pytest.mark.parametrize("template", ["lab", "feedback"])
def test_outputs_run_nothing(template):
    shown = code_cells(safe_outputs(OUTPUTS))
    nbformat.validate(shown)
    json.dumps(shown).encode()
    found = harm(page(shown, template))
    found.subtract(harm(page(code_cells([]), template)))
    assert not +Counter({what: n for what, n in found.items() if what != "style "})


def test_outputs_hold_only_what_is_meant_to_be_shown():
    kinds = {kind for output in safe_outputs(OUTPUTS) for kind in output.get("data", {})}
    assert kinds == {"text/plain", "image/png", "image/jpeg"}
    names = {output.name for output in safe_outputs(OUTPUTS) if output.output_type == "stream"}
    assert names == {"stdout"}
    assert "\x1b" not in json.dumps(safe_outputs(OUTPUTS))
    assert "left out" in safe_outputs(OUTPUTS)[-1].text


def test_ordinary_outputs_stay():
    error = {
        "output_type": "error",
        "ename": "ValueError",
        "evalue": "no",
        "traceback": ["Traceback", "ValueError: no"],
    }
    result = {
        "output_type": "execute_result",
        "execution_count": 3,
        "data": {"text/plain": "array([1])"},
        "metadata": {},
    }
    picture = {
        **display(image_png=PNG + "\n", text_plain="<Figure>"),
        "metadata": {"image/png": {"width": 300, "height": 200}},
    }
    shown = safe_outputs([stream("a\n"), stream("b\n", "stderr"), picture, result, error])
    assert shown[0] == stream("a\nb\n")
    assert shown[1].data == {"image/png": PNG, "text/plain": "<Figure>"}
    assert shown[1].metadata == picture["metadata"]
    assert shown[2:] == [result, error]


def test_a_progress_bar_shows_its_last_state():
    (shown,) = safe_outputs([stream("\r 10%"), stream("\r 50%"), stream("\r100%\ndone\r\nend")])
    assert shown.text == "100%\ndone\nend"


def test_floods_are_cut():
    shown = safe_outputs([stream("line\n" * 400_000)])
    assert len(shown) == 1 and shown[0].text.count("\n") <= 1001 and "399,001 lines left out" in shown[0].text
    (shown,) = safe_outputs([stream("x" * 5_000_000)])
    assert len(shown.text) < 250_000 and "characters left out" in shown.text
    shown = safe_outputs([display(text_plain="x")] * 5000)
    assert len(shown) == 101 and "4900 outputs" in shown[-1].text
    picture = display(image_png=base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(1_000_000)).decode())
    shown = safe_outputs([picture] * 3)
    assert [output.output_type for output in shown] == ["display_data", "stream"]
    assert len(safe_outputs([stream("a")] * 300_000)[0].text) > 200_000


def test_an_error_stays_an_error_behind_any_flood():
    error = {"output_type": "error", "ename": "E" * 9999, "evalue": "v" * 10**6, "traceback": ["t\n" * 10**6]}
    shown = safe_outputs([display(text_plain="x" * 100_000)] * 300 + [error] * 10)
    errors = [output for output in shown if output.output_type == "error"]
    assert errors and len(json.dumps(errors[0])) < 50_000
    assert len(json.dumps(shown)) < 2_200_000
