import { DARK, themeVariables } from './theme.ts'

const LIGHT_PAGE =
  'color-scheme:light;--paper:#fcfbf8;--card:#ffffff;--ink:#1d2731;--muted:#56616c;--rule:#e3e0d8;--soft:#f4f2ec;--accent:#0b6477;--contour:#cdbb9f;--figure-paper:#fcfbf8;' +
  '--tone-good:#1a7a4c;--tone-saddle:#b3470a;--tone-slope:#0b6477;--tone-open:#5a6672;--warn:#8a5a00;--warn-soft:#fbf3e0;'

const DARK_PAGE =
  'color-scheme:dark;--paper:#12161a;--card:#181d22;--ink:#e6e9ec;--muted:#9da8b3;--rule:#2b323a;--soft:#1c2228;--accent:#6cc0d0;--contour:#5a5040;' +
  '--tone-good:#5fca94;--tone-saddle:#f2995c;--tone-slope:#6cc0d0;--tone-open:#9da8b3;--warn:#e5b45a;--warn-soft:#2a2418;' +
  themeVariables({ ...DARK, paper: '#12161a' })

/** The whole style of a report. Colors follow the reader's system; print is always dark on white. */
export const REPORT_STYLE: string = `
:root{${LIGHT_PAGE}--serif:'Iowan Old Style','Palatino Linotype',Palatino,'URW Palladio L',P052,Georgia,'Songti SC','Noto Serif CJK SC',serif;
--sans:system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,'Noto Sans','Liberation Sans','PingFang SC','Microsoft YaHei','Noto Sans CJK SC',sans-serif;
--mono:ui-monospace,SFMono-Regular,Menlo,Consolas,'Liberation Mono','DejaVu Sans Mono',monospace}
@media (prefers-color-scheme:dark){:root{${DARK_PAGE}}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;scroll-behavior:smooth}
@media (prefers-reduced-motion:reduce){html{scroll-behavior:auto}}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.58 var(--sans);font-variant-numeric:tabular-nums;overflow-wrap:break-word}
.wrap{max-width:1092px;margin:0 auto;padding:0 28px}
a{color:var(--accent);text-decoration-thickness:1px;text-underline-offset:3px}
a:focus-visible{outline:2px solid var(--accent);outline-offset:3px;border-radius:2px}
.skip{position:absolute;left:-999em}.skip:focus{left:12px;top:12px;z-index:2;background:var(--card);padding:8px 14px}
sup{font-size:.72em;line-height:0;vertical-align:.42em}
sub{font-size:.72em;line-height:0;vertical-align:-.22em}
code{font:.9em var(--mono);background:var(--soft);border-radius:4px;padding:.1em .35em}

header.page{position:relative;overflow:hidden;border-bottom:1px solid var(--rule)}
.motif{position:absolute;inset:0;width:100%;height:100%;fill:none;stroke-linejoin:round;stroke-linecap:round;
-webkit-mask-image:linear-gradient(90deg,rgba(0,0,0,.03) 30%,rgba(0,0,0,.14) 62%,#000 94%);mask-image:linear-gradient(90deg,rgba(0,0,0,.03) 30%,rgba(0,0,0,.14) 62%,#000 94%)}
.motif-contours{stroke:var(--contour);stroke-width:4;opacity:.62}
.motif-river{stroke:var(--accent);stroke-width:10;opacity:.75}
header.page .wrap{position:relative;padding-top:26px;padding-bottom:34px}
.brand{display:flex;align-items:center;gap:10px;font-size:14px;color:var(--muted);margin:0 0 46px}
.brand svg{width:24px;height:24px;fill:none;stroke:var(--accent);stroke-width:2;stroke-linecap:round}
.brand b{font:600 18px/1 var(--serif);color:var(--ink);letter-spacing:.01em}
h1{font:500 clamp(28px,4.6vw,44px)/1.14 var(--serif);letter-spacing:-.012em;margin:0;max-width:18em;text-wrap:balance}
.subtitle{text-wrap:pretty;font-size:17px;color:var(--muted);margin:10px 0 0;max-width:42em}
.date{font-size:14px;color:var(--muted);margin:6px 0 0}

h2{font:500 27px/1.25 var(--serif);letter-spacing:-.008em;margin:0 0 16px}
h3{font:600 15px/1.4 var(--sans);margin:0 0 8px}
main>section,main>nav,main>aside{margin:44px 0}
main>section+section.part{border-top:1px solid var(--rule);padding-top:36px}
p{margin:0 0 14px;max-width:44em}

.verdict{--tone:var(--tone-open);background:var(--card);border:1px solid var(--rule);border-radius:12px;overflow:hidden}
.verdict.good{--tone:var(--tone-good)}.verdict.saddle{--tone:var(--tone-saddle)}.verdict.slope{--tone:var(--tone-slope)}
.verdict-head{display:grid;grid-template-columns:116px 1fr;gap:30px;align-items:center;padding:30px 34px 26px;border-top:4px solid var(--tone)}
.glyph{width:116px;height:92px;fill:none;stroke:var(--tone);stroke-width:2.6;stroke-linecap:round;stroke-linejoin:round}
.glyph .ball{fill:var(--tone);stroke:none}.glyph .faint{opacity:.35;stroke-width:1.8}
.eyebrow{font:600 12.5px/1.4 var(--sans);letter-spacing:.09em;text-transform:uppercase;color:var(--muted);margin:0 0 2px}
:lang(zh-Hans) .eyebrow{letter-spacing:.2em}
.verdict h2{font-size:clamp(28px,3.6vw,38px);line-height:1.15;margin:0;color:var(--tone)}
.meaning{color:var(--muted);margin:4px 0 0}
.summary{font:400 20px/1.5 var(--serif);margin:14px 0 0;max-width:36em}
.verdict-body{padding:4px 34px 30px}
.verdict-body h3{margin-top:24px}
.advice{background:var(--soft);border-radius:8px;padding:16px 20px 6px;margin-top:24px}
.advice h3{margin-top:0}

.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(168px,1fr));gap:1px;background:var(--card);border:1px solid var(--rule);border-radius:12px;overflow:hidden;margin:0}
.part .facts{margin:18px 0 26px}
.facts>div{background:var(--card);padding:16px 20px 15px;display:flex;flex-direction:column;box-shadow:0 0 0 1px var(--rule)}
.facts dt{font-size:13.5px;color:var(--muted);line-height:1.35}
.facts dd{margin:0}
.facts .number{font:500 25px/1.3 var(--serif);font-variant-numeric:lining-nums tabular-nums;white-space:nowrap}
.facts .number.long{font-size:17px;line-height:1.35;white-space:normal;padding:5px 0 4px}
.facts .note{font-size:13px;color:var(--muted);line-height:1.35}

.warnings{border-left:4px solid var(--warn);background:var(--warn-soft);border-radius:0 8px 8px 0;padding:16px 22px}
.warnings h2{font:600 15px/1.4 var(--sans);color:var(--warn);margin:0 0 6px}
.warnings ul{margin:0;padding-left:1.15em}.warnings li{margin:3px 0;max-width:60em}

nav ol{display:flex;flex-wrap:wrap;gap:6px 24px;list-style:none;margin:0;padding:0;font-size:15px}
nav a{text-decoration:none}nav a:hover{text-decoration:underline}

.scroll{overflow-x:auto;-webkit-overflow-scrolling:touch}
table{border-collapse:collapse;min-width:min(100%,560px);font-size:14.5px;line-height:1.45;margin:0 0 18px}
caption{text-align:left;color:var(--muted);font-size:14px;padding:0 0 8px}
th,td{padding:8px 30px 8px 0;text-align:left;vertical-align:baseline;border-bottom:1px solid var(--rule)}
th:last-child,td:last-child{padding-right:0}
thead th{font-weight:600;font-size:13px;color:var(--muted);border-bottom:1px solid var(--muted);white-space:nowrap}
tbody th{font-weight:400}
.right{text-align:right}
td.right{white-space:nowrap}
table.evidence,.pairs table{width:100%;min-width:0}
.evidence td.method{color:var(--muted)}
.evidence .quantity{white-space:nowrap}

.figures{display:grid;grid-template-columns:1fr 1fr;gap:34px 40px;align-items:start;margin:6px 0 22px}
figure{margin:0;min-width:0}
figure svg{display:block;max-width:100%;height:auto}
.narrow{display:none}
.surface-view{display:none}
.figures.single figure{grid-column:1/-1;display:grid;grid-template-columns:minmax(0,max-content) minmax(220px,1fr);gap:36px;align-items:center}
figcaption{font-size:14px;line-height:1.5;color:var(--muted);margin-top:8px}
figcaption b{display:block;color:var(--ink);font-weight:600}
.figures.single figcaption{margin:0}
figcaption dl{display:grid;grid-template-columns:auto 1fr;gap:1px 12px;margin:8px 0 0;font-size:13px;line-height:1.45}
figcaption dt{color:var(--muted)}figcaption dd{margin:0;color:var(--ink)}

pre{font:13.5px/1.55 var(--mono);background:var(--soft);border:1px solid var(--rule);border-radius:8px;padding:14px 18px;overflow-x:auto;margin:0 0 14px;white-space:pre-wrap;overflow-wrap:anywhere}
pre code{background:none;padding:0;font:inherit}
.pairs{display:grid;grid-template-columns:repeat(auto-fill,minmax(290px,1fr));gap:26px 48px}
.pairs table{margin:0}
.pairs tbody th{color:var(--muted);white-space:nowrap}
.pairs td{text-align:right;overflow-wrap:anywhere}
footer{border-top:1px solid var(--rule);margin-top:56px;padding:20px 0 40px;font-size:13.5px;color:var(--muted)}

@media screen and (max-width:820px){
.wrap{padding:0 18px}
.figures,.figures.single figure{grid-template-columns:minmax(0,1fr)}
.figures.single figure{display:block}.figures.single figcaption{margin-top:8px}
th,td{padding-right:16px}
.figures .roomy{display:none}.figures .narrow{display:block}
.motif{-webkit-mask-image:linear-gradient(205deg,#000,transparent 42%);mask-image:linear-gradient(205deg,#000,transparent 42%)}
.verdict-head{grid-template-columns:1fr;gap:12px;padding:22px 20px 18px}
.glyph{width:96px;height:76px}
.verdict-body{padding:0 20px 22px}
.brand{margin-bottom:30px}
main>section,main>nav,main>aside{margin:32px 0}
.summary{font-size:18px}
.evidence thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
.evidence,.evidence tbody,.evidence tr,.evidence th,.evidence td{display:block;padding:0;border:0;text-align:left}
.evidence tr{border-bottom:1px solid var(--rule);padding:10px 0}
.evidence tbody th{font-weight:600;margin-bottom:2px}
.evidence td{display:grid;grid-template-columns:7em 1fr;gap:10px}
.evidence td::before{content:attr(data-label);color:var(--muted)}
.evidence td.blank{display:none}.evidence .quantity{white-space:normal}
}
@media screen{
.turnable .surface-view{display:block}.turnable .roomy,.turnable .narrow,.turnable>svg{display:none!important}
.figures.single .turnable{grid-template-columns:minmax(0,690px) minmax(220px,1fr)}
.surface-view canvas{display:block;width:100%;cursor:grab;touch-action:pan-y;border-radius:6px}
.surface-view canvas:active{cursor:grabbing}
.surface-view canvas:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
.surface-view p{margin:4px 0 0;font-size:13px;line-height:1.45;color:var(--muted);min-height:2.9em;font-variant-numeric:tabular-nums}
}
@media print{
:root{${LIGHT_PAGE}--paper:#fff;--soft:#f6f5f1;--figure-paper:#fff;${printFigureColors()}}
@page{margin:16mm 15mm}
body{font-size:10.5pt;line-height:1.45}
.wrap{max-width:none;padding:0}
nav,.skip{display:none}
header.page .wrap{padding-top:0;padding-bottom:16px}.brand{margin-bottom:24px}
h1{font-size:25pt}h2{font-size:16pt}.verdict h2{font-size:21pt}.summary{font-size:12.5pt}
main>section,main>aside{margin:18px 0}main>section+section.part{padding-top:18px}
h2,h3{break-after:avoid}
figure,.facts,.advice,.warnings,tr,pre,.verdict-head{break-inside:avoid}
.verdict{border-radius:0}
.verdict-head{padding:18px 20px 14px;grid-template-columns:92px 1fr;gap:20px}.glyph{width:92px;height:74px}.verdict-body{padding:0 20px 16px}
.facts{grid-template-columns:repeat(auto-fit,minmax(118px,1fr))}.facts>div{padding:9px 12px}.facts .number{font-size:15pt}
table{font-size:9.5pt}th,td{padding:5px 12px 5px 0}
.figures{gap:18px 22px}.figures.single figure{grid-template-columns:minmax(0,2.6fr) 1fr;gap:18px}
figcaption{font-size:8.8pt}figcaption dl{font-size:8.4pt}
a{color:inherit;text-decoration:none}
*{-webkit-print-color-adjust:exact;print-color-adjust:exact}
}
`

function printFigureColors(): string {
  // `initial` makes var(--figure-…) fall back to the color of a file.
  const names = ['ink', 'muted', 'rule', 'accent', 'missing', ...DARK.series.map((_, i) => `series-${i + 1}`)]
  return names.map((name) => `--figure-${name}:initial;`).join('')
}
