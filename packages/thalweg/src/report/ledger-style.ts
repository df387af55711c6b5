const LIGHT = '--tone-vacuous:#7a5195;--alarm:#b3261e;--alarm-soft:#fdecea;'
const DARK = '--tone-vacuous:#c9a0e0;--alarm:#ff8a80;--alarm-soft:#35191a;'

/** What the ledger adds to the style of reports. */
export const LEDGER_STYLE: string = `
:root{${LIGHT}}
@media (prefers-color-scheme:dark){:root{${DARK}}}
@media print{:root{${LIGHT}}}
.badge{display:inline-flex;align-items:center;gap:7px;font:600 13px/1.3 var(--sans);color:var(--tone);border:1.5px solid var(--tone);border-radius:999px;padding:3px 11px 3px 8px;white-space:nowrap}
.badge svg{width:14px;height:14px;fill:none;stroke:currentColor;stroke-width:2.2;stroke-linecap:round;stroke-linejoin:round;flex:none}
.badge .solid{fill:currentColor;stroke:none}
.holds{--tone:var(--tone-good)}.holds-with-conditions{--tone:var(--tone-slope)}.false{--tone:var(--tone-saddle)}
.vacuous{--tone:var(--tone-vacuous)}.not-decided,.not-run{--tone:var(--tone-open)}.failed{--tone:var(--alarm)}
.differs{color:var(--alarm);font-weight:600}

.alarm{border:2px solid var(--alarm);border-left-width:10px;background:var(--alarm-soft);border-radius:8px;padding:18px 24px}
.alarm h2{color:var(--alarm);font-size:22px;margin:0 0 8px}
.alarm ul{margin:0;padding-left:1.15em}.alarm li{margin:3px 0}
.alarm a{color:var(--alarm)}
.calm{color:var(--tone-good);font-weight:600}

.legend{display:grid;grid-template-columns:repeat(auto-fill,minmax(270px,1fr));gap:10px 26px;margin:0 0 26px;padding:0;list-style:none;font-size:14px;color:var(--muted)}
.legend li{display:flex;gap:10px;align-items:center}
table.overview{width:100%}
.overview td,.overview tbody th{vertical-align:top}
.overview tbody th{white-space:nowrap;font-weight:600}
.overview tr.topic th{font:500 18px/1.3 var(--serif);padding-top:24px;white-space:normal}
.overview tr.topic:first-child th{padding-top:8px}

.claim{border:1px solid var(--rule);border-radius:12px;background:var(--card);margin:0 0 30px;overflow:hidden;border-top:4px solid var(--tone)}
.claim.alarming{border:2px solid var(--alarm);border-top-width:6px}
.claim-head{padding:20px 28px 4px}
.claim-line{display:flex;flex-wrap:wrap;gap:8px 14px;align-items:center;margin:0 0 10px}
.claim-line h3{font:600 15px/1.3 var(--mono);margin:0}
.claim-line .time{margin-left:auto;font-size:13px;color:var(--muted)}
.statement{font:400 20px/1.45 var(--serif);margin:0 0 8px;max-width:40em;text-wrap:pretty}
.cite{font-size:14px;color:var(--muted);margin:0 0 12px}
.claim-body{padding:6px 28px 24px}
.claim-body .summary{font:400 16px/1.55 var(--sans);margin:0 0 14px;max-width:none}
.claim-body dl.about{display:grid;grid-template-columns:max-content 1fr;gap:4px 18px;margin:0 0 18px;font-size:14.5px}
.claim-body dl.about dt{color:var(--muted)}.claim-body dl.about dd{margin:0;max-width:56em}
.claim-body .figures{margin:0 0 14px}
.claim-body figcaption b+*{margin-top:4px}
.claim .evidence td:last-child{white-space:nowrap}
.measurement-off th,.measurement-off td{background:var(--alarm-soft)}
.mark{font-weight:600;color:var(--tone-good)}.measurement-off .mark{color:var(--alarm)}

@media screen and (max-width:820px){
.claim-head{padding:16px 18px 2px}.claim-body{padding:4px 18px 18px}
.statement{font-size:18px}
.claim-body dl.about{display:block}.claim-body dl.about dd{margin:0 0 8px}
.overview,.overview tbody,.overview tr,.overview th,.overview td{display:block;padding:0;border:0}
.overview thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
.overview tr{border-bottom:1px solid var(--rule);padding:12px 0}
.overview td{margin:3px 0}
.overview{min-width:0}
}
@media print{.claim{break-inside:avoid-page}.claim-head,.claim-body{padding-left:16px;padding-right:16px}}
`
