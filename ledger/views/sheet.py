"""The frame and the style that all our pages share: one file, no script, nothing loaded, light and dark, and paper.

Colours are chosen for contrast (AA) on both grounds; what they tell is always also told by a word or a pattern.
"""

from ledger.views.markup import Inside, Markup, el

STYLE = Markup("""
:root{color-scheme:light dark;--ground:#fff;--ink:#16181d;--soft:#565d6b;--line:#d5d9e0;--shade:#f4f5f7;--link:#0b57d0;
--good:#116329;--bad:#b3261e;--warn:#8a4b00}
@media(prefers-color-scheme:dark){:root{--ground:#14161a;--ink:#e9ebef;--soft:#a6adbb;--line:#3a3f4a;--shade:#1e2127;
--link:#8ab4f8;--good:#6fd08c;--bad:#ff9d94;--warn:#f5b95f}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--ground);color:var(--ink);font:1rem/1.55 system-ui,-apple-system,"Segoe UI",sans-serif;
overflow-wrap:anywhere}
main{max-width:47rem;margin:0 auto;padding:2.5rem 1.1rem 4rem}
h1{font-size:1.85rem;line-height:1.2;letter-spacing:-.015em;margin:.2rem 0 .6rem;text-wrap:balance}
h2{font-size:1.15rem;line-height:1.3;margin:2rem 0 .6rem;padding-top:1rem;border-top:1px solid var(--line)}
h3{font-size:1rem;margin:1.2rem 0 .3rem}
p{margin:0 0 .8rem}
a{color:var(--link)}
ul{margin:0;padding:0;list-style:none}
time{white-space:nowrap;font-variant-numeric:tabular-nums}
.kicker{margin:0;color:var(--soft);font-size:.85rem;letter-spacing:.04em;text-transform:uppercase}
.lead{font-size:1.1rem}
.soft{color:var(--soft)}
.good{color:var(--good)}.bad{color:var(--bad)}.warn{color:var(--warn)}
.chip{display:inline-block;padding:.05rem .5rem;border:1.5px solid currentColor;border-radius:1rem;font-size:.85rem;
font-weight:600;white-space:nowrap}
.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(9.5rem,1fr));gap:1px;margin:1.4rem 0;border:1px solid
var(--line);border-radius:.5rem;overflow:hidden}
.facts div{box-shadow:0 0 0 1px var(--line);padding:.8rem .9rem}
.facts dt{color:var(--soft);font-size:.85rem}
.facts dd{margin:.1rem 0 0;font-size:1.25rem;line-height:1.25;font-weight:600;font-variant-numeric:tabular-nums}
.facts small{display:block;font-size:.85rem;font-weight:400;line-height:1.4}
.rows li{padding:.6rem 0;border-bottom:1px solid var(--line)}
.rows li:last-child{border-bottom:0}
.rows b{font-weight:600}
.log{font-size:.9rem}
.log li{display:grid;grid-template-columns:8.2rem 1fr;gap:.1rem .8rem;padding:.3rem 0}
.log time{color:var(--soft)}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{text-align:left;vertical-align:top;padding:.4rem .8rem .4rem 0;border-bottom:1px solid var(--line)}
th{color:var(--soft);font-weight:500;font-size:.85rem}
td.n,th.n{text-align:right;padding-right:.9rem}
.plot{display:block;width:100%;overflow:visible;margin:.4rem 0 .2rem}
.plot text{fill:var(--ink);font-size:13px;paint-order:stroke;stroke:var(--ground);stroke-width:4px}
.plot .faint{fill:var(--soft)}
.plot .rule{stroke:var(--line);stroke-width:1}
.plot .edge{stroke:var(--ink);stroke-width:1.5;fill:none}
.plot .fill{fill:var(--ink)}
.plot .hole{fill:var(--ground);stroke:var(--ink);stroke-width:1.5}
.plot .hatched{fill:url(#hatch);stroke:var(--ink);stroke-width:1.5}
.plot .limit{stroke:var(--ink);stroke-width:1.5;stroke-dasharray:2 4}
.plot .stripe{stroke:var(--ink);stroke-width:2.5}
.banner{display:flex;gap:.7rem;align-items:center;border:1.5px solid currentColor;border-radius:.6rem;
padding:1rem 1.1rem;margin:.8rem 0 1.4rem;font-size:1.45rem}
.sign{font-weight:700}
.pairs li{display:flex;justify-content:space-between;gap:1rem}
.pairs li>span{white-space:nowrap}
details{padding:.5rem 0;border-bottom:1px solid var(--line)}
summary{cursor:pointer}
footer{margin-top:3rem;padding-top:1rem;border-top:1px solid var(--line);color:var(--soft);font-size:.85rem}
@media(max-width:34rem){main{padding-top:1.4rem}h1{font-size:1.5rem}.log li{grid-template-columns:1fr}
table.cards thead{display:none}table.cards tr{display:block;padding:.5rem 0;border-bottom:1px solid var(--line)}
table.cards td{display:flex;justify-content:space-between;gap:1rem;border:0;padding:.1rem 0;text-align:right}
table.cards td::before{content:attr(data-name);flex:none;color:var(--soft);text-align:left}}
@media print{:root{--ground:#fff;--ink:#000;--soft:#444;--line:#bbb;--link:#000;--good:#000;--bad:#000;--warn:#000}
main{max-width:none;padding:0}h2{break-after:avoid}li,tr,svg{break-inside:avoid}}
""")


def page(title: str, *inside: Inside, head: Inside = ()) -> str:
    """A whole document. `title` is its title alone; `head` what else stands there."""
    return "<!doctype html>\n" + el(
        "html",
        el(
            "head",
            el("meta", charset="utf-8"),
            el("title", title),
            el("meta", name="viewport", content="width=device-width,initial-scale=1"),
            head,
            el("style", STYLE),
        ),
        el("body", el("main", *inside)),
        lang="en",
    )


def facts(*pairs: tuple[str, Inside, Inside]) -> Markup:
    """Figures beside each other: name, figure, and a word below it."""
    return el(
        "dl",
        *(
            el("div", el("dt", name), el("dd", figure, el("small", below) if below else ""))
            for name, figure, below in pairs
        ),
        class_="facts",
    )


def section(title: str, *inside: Inside) -> Markup:
    return el("section", el("h2", title), *inside)
