/** The page's style: one sheet, light and dark, no fonts or files from elsewhere. */
export const STYLE = `
:root { color-scheme: light dark;
  --paper: #fbfaf8; --card: #ffffff; --ink: #1d1d1f; --soft: #6b6b70; --faint: #e7e5e1; --line: #d8d5cf;
  --tempo: #d6402b; --tempo-oracle: #e08a2e; --bound: #8a8a90; --jitserve: #2f6fd0; --qlm: #12875f;
  --edf: #8b4fc4; --sarathi: #0f8aa6; --fcfs: #7a5b3a; --webllm: #3c3c43; --other: #b4b1ab; --fill: #d6402b22; }
@media (prefers-color-scheme: dark) { :root {
  --paper: #141416; --card: #1c1c1f; --ink: #f1f0ee; --soft: #a2a1a6; --faint: #2a2a2e; --line: #3a3a40;
  --tempo: #ff6f59; --tempo-oracle: #f5b04c; --bound: #9c9ca3; --jitserve: #6fa5ff; --qlm: #4fc896;
  --edf: #bd8cf0; --sarathi: #53c3dd; --fcfs: #c69c6d; --webllm: #d4d4da; --other: #5d5d63; --fill: #ff6f5933; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.55 ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { max-width: 1180px; margin: 0 auto; padding: 56px 24px 96px; }
h1 { font-size: clamp(30px, 5vw, 46px); line-height: 1.1; letter-spacing: -.025em; margin: 0 0 12px; font-weight: 650; }
h2 { font-size: 26px; letter-spacing: -.015em; margin: 72px 0 6px; font-weight: 650; }
h3 { font-size: 17px; margin: 36px 0 4px; font-weight: 600; }
p { max-width: 68ch; margin: 0 0 12px; color: var(--soft); }
p strong { color: var(--ink); font-weight: 600; }
code { font: 13px/1.5 ui-monospace, "SF Mono", Menlo, monospace; background: var(--faint); border-radius: 5px; padding: 2px 6px; overflow-wrap: anywhere; }
.heads { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 14px; margin: 32px 0 0; }
.heads div { background: var(--card); border: 1px solid var(--faint); border-radius: 14px; padding: 18px 20px; }
.heads b { display: block; font-size: 32px; letter-spacing: -.02em; font-weight: 650; font-variant-numeric: tabular-nums; }
.heads span { color: var(--soft); font-size: 14px; line-height: 1.4; display: block; }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 500px), 1fr)); gap: 16px; margin-top: 14px; }
figure { margin: 0; background: var(--card); border: 1px solid var(--faint); border-radius: 14px; padding: 16px 16px 10px; min-width: 0; }
figure.wide { grid-column: 1 / -1; }
figcaption { font-size: 14px; font-weight: 600; margin-bottom: 8px; }
svg { width: 100%; height: auto; display: block; font-family: inherit; }
.grid { stroke: var(--faint); } .tick, .axis { fill: var(--soft); font-size: 11px; } .name { font-size: 11px; fill: var(--tone); font-weight: 500; }
.line { fill: none; stroke: var(--tone); stroke-width: 1.8; stroke-linejoin: round; } .series circle { fill: var(--tone); }
.leader { fill: none; stroke: var(--tone); stroke-width: .7; opacity: .55; }
.reach { fill: none; stroke: transparent; stroke-width: 12; }
.tone-tempo .line { stroke-width: 3.2; } .tone-tempo .name { font-weight: 700; }
.tone-bound .line, .tone-tempo-oracle .line { stroke-dasharray: 5 4; }
.series { transition: opacity .15s; } svg:hover .series { opacity: .25; } svg .series:hover { opacity: 1; }
.series:hover .line { stroke-width: 3.2; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 13px; font-variant-numeric: tabular-nums; }
th, td { padding: 5px 10px; text-align: right; white-space: nowrap; border-top: 1px solid var(--faint); }
thead th { border: 0; color: var(--soft); font-weight: 500; } tbody th { text-align: left; font-weight: 500; }
.key { display: inline-block; width: 9px; height: 9px; border-radius: 3px; background: var(--tone); margin-right: 8px; }
.meter { position: relative; min-width: 84px; } .meter i { position: absolute; inset: 4px auto 4px 4px; max-width: calc(100% - 8px); background: var(--fill); border-radius: 4px; }
.meter b { position: relative; font-weight: 500; }
.bar { width: 55%; text-align: left; } .bar i { display: block; height: 12px; border-radius: 4px; background: var(--other); } .bar i.whole { background: var(--tempo); }
.bars th { text-transform: none; }
footer { margin-top: 72px; color: var(--soft); font-size: 14px; }
${['tempo', 'tempo-oracle', 'bound', 'jitserve', 'qlm', 'edf', 'sarathi', 'fcfs', 'webllm', 'other']
  .map((tone) => `.tone-${tone} { --tone: var(--${tone}); }`)
  .join('\n')}
@media (max-width: 560px) { main { padding: 36px 14px 64px; } figure { padding: 12px 8px 8px; } h2 { margin-top: 56px; } }
`;
