"""The stylesheet of everything shown in an output: JupyterLab's own variables first, neutral values elsewhere.

An output carries only the sections that it uses: it is sent again with each piece of a streamed answer.
"""

from __future__ import annotations

import re
from typing import Final

ROOT: Final = "tetrate-answer"
# The page's MathJax must leave our text alone: dollars are money here, and formulas are MathML already.
# Said in the element itself: a notebook that isn't trusted (a colleague's) is shown without stylesheets.
# "break-word" and not "anywhere": a table of the second kind breaks its words before it scrolls.
BOUNDED: Final = 'style="overflow-wrap:break-word;overflow-x:auto"'
ROOT_CLASSES: Final = f"{ROOT} mathjax_ignore tex2jax_ignore"

# No prefers-color-scheme: a light page on a dark system would get pale text. A dark front end is known by its own mark
# (VS Code's body class, Colab's theme attribute, JupyterLab's); all that isn't text is grey with alpha, right on both.
# Colours of code are drawn a quarter towards the text's: JupyterLab's own ones alone have a contrast of 3.5 in places.
_ALWAYS: Final = """
.tetrate-answer{--t-quiet:var(--jp-ui-font-color2,color-mix(in srgb,currentColor 65%,transparent));
--t-line:var(--jp-border-color2,rgba(128,128,128,.35));--t-soft:var(--jp-cell-editor-background,rgba(128,128,128,.1));
--t-mono:var(--jp-code-font-family,ui-monospace,SFMono-Regular,Menlo,Consolas,monospace);
max-width:100%;min-width:0;overflow-wrap:break-word}
.tetrate-body{max-width:52em}
.tetrate-body>:first-child{margin-top:0}
.tetrate-body>:last-child{margin-bottom:0}
.tetrate-body p,.tetrate-body ul,.tetrate-body ol{margin:0 0 .75em}
"""
_SECTIONS: Final = {  # what must occur in the HTML -> the rules for it
    "<a ": """
.tetrate-answer a:any-link{color:var(--jp-content-link-color,var(--vscode-textLink-foreground,LinkText));
text-decoration:underline}
""",
    "<li": """
.tetrate-body li>p{margin-bottom:.4em}
.tetrate-body li>ul,.tetrate-body li>ol{margin:.15em 0 .3em}
.tetrate-body li{margin:.15em 0}
""",
    "<h": """
.tetrate-body h3,.tetrate-body h4,.tetrate-body h5,.tetrate-body h6{margin:1.2em 0 .5em;font-weight:600;line-height:1.3}
.tetrate-body h3{font-size:1.3em}
.tetrate-body h4{font-size:1.15em}
.tetrate-body h5,.tetrate-body h6{font-size:1em}
.tetrate-body hr{border:0;border-top:1px solid var(--t-line);margin:1.2em 0}
""",
    "<blockquote": """
.tetrate-body blockquote{margin:0 0 .75em;padding:.1em 1em;border:0;
border-inline-start:3px solid var(--t-line);color:var(--t-quiet)}
.tetrate-body blockquote>:last-child{margin-bottom:0}
.tetrate-body blockquote blockquote blockquote blockquote blockquote{margin:0;padding:0;border:0}
""",
    "tetrate-raw": """
.tetrate-raw{white-space:pre-wrap}
""",
    "<code": """
.tetrate-answer :not(pre)>code{font-family:var(--t-mono);font-size:.92em;padding:.1em .35em;border-radius:3px;
background:var(--t-code,rgba(128,128,128,.15));overflow-wrap:anywhere}
""",
    "tetrate-code": """
.tetrate-answer{--t-k:var(--jp-mirror-editor-keyword-color,#7b3fa0);--t-s:var(--jp-mirror-editor-string-color,#a5322c);
--t-n:var(--jp-mirror-editor-number-color,#0b6e3f);--t-c:var(--jp-mirror-editor-comment-color,#5f6b6b);
--t-f:var(--jp-mirror-editor-def-color,#1a56c4)}
.vscode-dark .tetrate-answer,html[theme=dark] .tetrate-answer{
--t-k:#c792ea;--t-s:#e9967a;--t-n:#8fd19e;--t-c:#9aa5a5;--t-f:#82aaff}
.tetrate-answer .tetrate-code{margin:0 0 .9em;border:1px solid var(--t-line);border-radius:3px;
background:var(--t-soft);overflow-x:auto}
.tetrate-answer .tetrate-code pre,.tetrate-answer .tetrate-code pre code{margin:0;background:none;white-space:pre;
font-family:var(--t-mono);font-size:var(--jp-code-font-size,.92em);line-height:var(--jp-code-line-height,1.4)}
.tetrate-answer .tetrate-code pre{padding:.6em .8em;width:max-content;min-width:100%;box-sizing:border-box;border:0}
.tetrate-answer .tetrate-code pre code{padding:0}
.tetrate-answer .tetrate-code span{color:color-mix(in srgb,var(--t,currentColor) 75%,currentColor)}
.tetrate-code :is(.k,.kc,.kd,.kn,.kp,.kr,.kt,.ow,.nt){--t:var(--t-k)}
.tetrate-code :is(.s,.s1,.s2,.sa,.sb,.sc,.sd,.se,.sh,.si,.sx,.sr,.ss,.dl,.na){--t:var(--t-s)}
.tetrate-code :is(.m,.mb,.mf,.mh,.mi,.mo,.il){--t:var(--t-n)}
.tetrate-code :is(.c,.c1,.ch,.cm,.cp,.cpf,.cs){--t:var(--t-c);font-style:italic}
.tetrate-code :is(.nf,.fm,.nc,.nd,.gh,.gu){--t:var(--t-f)}
.tetrate-code .gd{--t:var(--jp-error-color1,#c5221f)}
.tetrate-code .gi{--t:var(--jp-success-color1,#188038)}
""",
    "tetrate-scroll": """
.tetrate-answer .tetrate-scroll{overflow-x:auto;margin:0 0 .9em}
.tetrate-answer .tetrate-scroll table{margin:0;border-collapse:collapse;table-layout:auto;font-size:inherit}
.tetrate-answer .tetrate-scroll :is(th,td){text-align:start;vertical-align:top;padding:.35em 1.1em .35em 0;
border:0;border-bottom:1px solid var(--t-line);max-width:36em;line-height:1.4}
.tetrate-answer .tetrate-scroll :is(th,td):last-child{padding-inline-end:.3em}
.tetrate-answer .tetrate-scroll :is(th,td),.tetrate-answer .tetrate-scroll :is(th,td) *{overflow-wrap:break-word}
.tetrate-answer .tetrate-scroll [align=right]{text-align:right}
.tetrate-answer .tetrate-scroll [align=center]{text-align:center}
.tetrate-answer .tetrate-scroll th{font-weight:600;vertical-align:bottom}
.tetrate-answer .tetrate-scroll tr{background:none}
@supports (animation-timeline:scroll()){
.tetrate-answer .tetrate-scroll{animation:tetrate-more linear both;animation-timeline:scroll(self inline)}
@keyframes tetrate-more{0%,2%{mask-image:linear-gradient(to right,#000 calc(100% - 2.5em),#0003)}
4%,96%{mask-image:linear-gradient(to right,#0003,#000 2.5em calc(100% - 2.5em),#0003)}
98%,100%{mask-image:linear-gradient(to right,#0003,#000 2.5em)}}
}
""",
    "tetrate-facts": """
.tetrate-facts .tetrate-scroll{margin:0}
.tetrate-facts .tetrate-scroll :is(th,td){white-space:nowrap;font-variant-numeric:tabular-nums}
.tetrate-facts .tetrate-scroll th{color:var(--t-quiet);font-weight:500}
.tetrate-facts .tetrate-scroll .tetrate-wide{white-space:normal;min-width:18em}
.tetrate-facts .tetrate-scroll td.tetrate-id{font-family:var(--t-mono);font-size:.92em}
.tetrate-answer .tetrate-caption{color:var(--t-quiet);margin:0 0 .5em}
""",
    "tetrate-compare": """
.tetrate-compare details>summary{cursor:pointer;margin:.6em 0 .4em}
.tetrate-compare .tetrate-won{margin:.6em 0}
.tetrate-grid{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,21em),1fr));gap:1.2em 1.6em;
margin:.8em 0 1.2em;align-items:start}
.tetrate-grid .tetrate-body{overflow-x:auto}
.tetrate-grid section{min-width:0;padding-top:.5em;border-top:1px solid var(--t-line)}
.tetrate-grid h4{margin:0 0 .6em;font:600 .92em var(--t-mono);overflow-wrap:anywhere}
.tetrate-grid :is(.tetrate-same,.tetrate-repeats){color:var(--t-quiet);font-weight:400;font-size:.92em}
.tetrate-grid .tetrate-repeats{margin:.8em 0 .3em}
.tetrate-bars{border-collapse:collapse;margin:0 0 1em;max-width:62em;font-size:.92em;font-variant-numeric:tabular-nums}
.tetrate-answer .tetrate-bars tr:nth-child(n){background:none}
.tetrate-bars td{padding:.1em .9em .1em 0;border:0;overflow-wrap:break-word}
.tetrate-bars td>span{forced-color-adjust:none}
.tetrate-compare ins{text-decoration:underline;background:var(--t-soft)}
""",
    "tetrate-usage": """
.tetrate-usage{width:100%;container:tetrate-usage/inline-size}
.tetrate-usage .tetrate-spent{display:block;font-size:1.35em;font-weight:600;
color:var(--jp-ui-font-color0,currentColor)}
@container tetrate-usage (max-width:460px){
.tetrate-usage .tetrate-scroll .tetrate-minor{display:none}
.tetrate-usage .tetrate-scroll td:first-child{width:100%;max-width:0;overflow:hidden;text-overflow:ellipsis}
.tetrate-usage .tetrate-scroll td:last-child{white-space:normal;min-width:5em}
.tetrate-usage .tetrate-scroll table{width:100%}
.tetrate-usage .tetrate-scroll :is(th,td){padding-inline-end:.7em}}
.tetrate-usage .tetrate-days{border-collapse:collapse;table-layout:auto;margin:0 0 1em;max-width:52em;font-size:.92em;
font-variant-numeric:tabular-nums}
.tetrate-answer .tetrate-days tr:nth-child(n){background:none}
.tetrate-days td{padding:.1em .9em .1em 0;border:0}
.tetrate-days td:nth-child(2){width:100%!important}
.tetrate-days td:last-child{padding-inline-end:.3em}
.tetrate-usage span[style*=background]{forced-color-adjust:none}
""",
    "tetrate-maths": """
.tetrate-answer .tetrate-maths[hidden]{display:inline}
.tetrate-answer .tetrate-maths.tetrate-display[hidden]{display:block;overflow-x:auto;overflow-y:hidden;padding:.2em 0}
.tetrate-answer .tetrate-tex{display:none}
.tetrate-answer math{font-size:1.08em}
""",
    "tetrate-reasoning": """
.tetrate-reasoning{margin:0 0 .8em;color:var(--t-quiet)}
.tetrate-reasoning summary{cursor:pointer;font-size:.92em}
.tetrate-reasoning .tetrate-body{margin:.5em 0 0;padding-inline-start:1em;
border-inline-start:2px solid var(--t-line);font-size:.95em}
""",
    "tetrate-notice": """
.tetrate-answer .tetrate-notice{display:inline-block;margin:.6em .4em 0 0;padding:.1em .8em;border-radius:1em;
border:1px solid transparent;background:#d99a1c33;font-size:.92em}
.tetrate-notice .tetrate-sent{max-height:20em;margin:.4em 0;overflow:auto;white-space:pre-wrap;overflow-wrap:anywhere;
font-family:var(--t-mono);font-size:.92em}
""",
    "tetrate-failed": """
.tetrate-answer p.tetrate-failed{display:block;margin:.6em 0 0;padding:.5em .8em;border-radius:6px;
border:1px solid #c5221f80;background:#c5221f0f}
""",
    "tetrate-chip": """
.tetrate-answer .tetrate-chip{margin-inline-start:.4em;padding:.1em .55em;border-radius:1em;white-space:nowrap;
border:1px solid transparent;background:rgba(128,128,128,.14);color:var(--jp-ui-font-color1,currentColor);
font-size:.92em}
""",
    "tetrate-footer": """
.tetrate-answer .tetrate-footer{margin:.8em 0 0;color:var(--t-quiet);font-size:.85em;font-variant-numeric:tabular-nums}
""",
}


def _small(sheet: str) -> str:
    return re.sub(r"\s*\n\s*", "", sheet)


_SMALL_ALWAYS: Final = _small(_ALWAYS)
_SMALL_SECTIONS: Final = {mark: _small(sheet) for mark, sheet in _SECTIONS.items()}


def styled(html: str) -> str:
    """Return our HTML with the style element that it needs before it."""
    used = "".join(sheet for mark, sheet in _SMALL_SECTIONS.items() if mark in html)
    return f"<style>{_SMALL_ALWAYS}{used}</style>{html}"


def stylesheet() -> str:
    """Return all of it, for a page that is told of more than one answer."""
    return _SMALL_ALWAYS + "".join(_SMALL_SECTIONS.values())
