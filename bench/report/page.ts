import { type Chapter, type Point, pointAt, type Series } from './figures';
import { type Line, linePlot } from './line-plot';
import { STYLE } from './style';
import { escapeHtml, percent } from './svg';
import { ablationTable, attainmentTable, figuresTable } from './tables';

/** The report as one HTML page, self-contained. `commands` made the figures. */
export function reportPage(chapters: readonly Chapter[], commands: readonly string[]): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Tempo: who wins, and why</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>Who wins, and why</h1>
<p>Every scheduling policy on the same requests, the same simulated engine and the same clock. Service gain counts a prompt token once and an output token eight times, if it came in time; <strong>the bound</strong> is what no schedule can exceed. <strong>tempo-oracle</strong> knows every answer’s length beforehand; <strong>tempo</strong> has to guess.</p>
${chapters.map(chapterHtml).join('\n')}
<footer><p>Made by</p>${commands.map((command) => `<p><code>${escapeHtml(command)}</code></p>`).join('')}</footer>
</main>
</body>
</html>
`;
}

function chapterHtml(chapter: Chapter): string {
  const { workload, requests, seeds, loads } = chapter;
  const busiest = loads[loads.length - 1];
  const shown = loads.length > 2 ? [loads[Math.floor(loads.length / 2)], busiest] : loads;
  const seedText = seeds.length === 1 ? `seed ${seeds[0]}` : `means over seeds ${seeds.join(', ')}`;
  return `
<h2>${escapeHtml(titleOf(workload))}</h2>
<p>${requests.toLocaleString('en')} requests, ${seedText}. Load 1 is the arrival rate whose work just fills the engine at its best throughput.</p>
${headlines(chapter)}
<h3>Gain and goodput against load</h3>
<div class="plots">
${loads.length > 1 ? loadPlots(chapter) : ''}
</div>
<h3>Objectives met, by class</h3>
<div class="plots">${shown.map((load) => attainmentTable(chapter, load)).join('')}</div>
<h3>Gain over time</h3>
<p>Arrivals stop early on at high loads; what follows is what was still worth finishing.</p>
<div class="plots">${shown.map((load) => timeline(chapter, load)).join('')}</div>
${ablations(chapter)}
<h3>The figures</h3>
<div class="plots">${loads.map((load) => figuresTable(chapter, load)).join('')}</div>`;
}

function titleOf(workload: string): string {
  if (workload === 'paper') return 'The paper’s setting';
  return workload === 'page' ? 'A web page' : `Trace: ${workload}`;
}

/** The best ratios to the known rules, and how near the oracle and the bound. */
function headlines({ series, loads }: Chapter): string {
  const of = (policy: string) => series.find((one) => one.policy === policy);
  const tempo = of('tempo');
  if (tempo === undefined) return '';
  const cards: [string, string][] = [];
  for (const rival of ['fcfs', 'jitserve', 'webllm']) {
    const best = bestRatio(tempo, of(rival), loads, (point) => point.gain);
    if (best !== undefined)
      cards.push([`${times(best.ratio)}`, `the gain of ${rival}, at load ${best.load}`]);
  }
  const goodput = bestRatio(tempo, of('fcfs'), loads, (point) => point.tokenGoodput);
  if (goodput !== undefined) {
    cards.push([times(goodput.ratio), `the token goodput of fcfs, at load ${goodput.load}`]);
  }
  const oracle = loads.map((load) =>
    ratioAt(tempo, of('tempo-oracle'), load, (point) => point.gain),
  );
  const known = oracle.filter((ratio) => ratio !== undefined);
  if (known.length > 0)
    cards.push([percent(Math.min(...known), 1), 'of the oracle’s gain, at the least']);
  const full = loads.filter((load) => load <= 1).map((load) => pointAt(tempo, load));
  const ofBound = full
    .filter((point) => point !== undefined)
    .map(({ gain, bound }) => gain / bound);
  if (ofBound.length > 0)
    cards.push([percent(Math.min(...ofBound), 1), 'of the bound at loads up to 1']);
  const html = cards.map(([figure, text]) => `<div><b>${figure}</b><span>${text}</span></div>`);
  return `<div class="heads">${html.join('')}</div>`;
}

function bestRatio(
  one: Series,
  other: Series | undefined,
  loads: readonly number[],
  of: (point: Point) => number,
): { ratio: number; load: number } | undefined {
  let best: { ratio: number; load: number } | undefined;
  for (const load of loads) {
    const ratio = ratioAt(one, other, load, of);
    if (ratio !== undefined && ratio > (best?.ratio ?? 0)) best = { ratio, load };
  }
  return best;
}

function ratioAt(
  one: Series,
  other: Series | undefined,
  load: number,
  of: (point: Point) => number,
): number | undefined {
  const [a, b] = [pointAt(one, load), pointAt(other, load)];
  return a === undefined || b === undefined || of(b) === 0 ? undefined : of(a) / of(b);
}

function times(ratio: number): string {
  return `${ratio >= 20 ? Math.round(ratio) : ratio.toFixed(ratio >= 10 ? 1 : 2)}×`;
}

function loadPlots(chapter: Chapter): string {
  const { loads } = chapter;
  const axis = { xLabel: 'load', xTicks: loads };
  const share = ({ gain, bound }: Point) => gain / bound;
  return [
    linePlot([boundLine(chapter), ...linesOf(chapter, (point) => point.gain)], {
      ...axis,
      title: 'Service gain',
    }),
    linePlot(linesOf(chapter, share), {
      ...axis,
      title: 'Gain as a share of the bound',
      yText: (y) => percent(y),
    }),
    linePlot(
      linesOf(chapter, (point) => point.tokenGoodput),
      {
        ...axis,
        title: 'Token goodput (weighted tokens a second that met their objective)',
      },
    ),
    linePlot(
      linesOf(chapter, (point) => point.requestGoodput),
      {
        ...axis,
        title: 'Request goodput (requests a second that met their objective)',
      },
    ),
  ].join('');
}

function linesOf({ series }: Chapter, of: (point: Point) => number): Line[] {
  return series.map(({ policy, points }) => ({
    policy,
    points: points.map((point) => [point.load, of(point)] as const),
  }));
}

function boundLine({ series }: Chapter): Line {
  const points = series[0].points.map(({ load, bound }) => [load, bound] as const);
  return { policy: 'bound', points };
}

function timeline({ series }: Chapter, load: number): string {
  const lines: Line[] = [];
  let end = 0;
  for (const one of series) {
    const point = pointAt(one, load);
    if (point === undefined || one.policy === 'webllm') continue;
    end = Math.max(end, point.timeline.at(-1)?.atMs ?? 0);
    lines.push({
      policy: one.policy,
      points: point.timeline.map(({ atMs, gain }) => [atMs, gain]),
    });
  }
  const lasting = lines.map(({ policy, points }) => ({
    policy,
    points: [...points, [end, points[points.length - 1]?.[1] ?? 0] as const],
  }));
  return linePlot(lasting, {
    title: `Gain earned so far, load ${load}`,
    xLabel: 'minutes',
    xTicks: [0, 0.25, 0.5, 0.75, 1].map((share) => share * end),
    xText: (ms) => (ms / 60_000).toFixed(1),
    dots: false,
  });
}

function ablations(chapter: Chapter): string {
  if (chapter.ablations.length === 0) return '';
  const loads = chapter.loads.filter((load) => chapter.ablations.some((one) => pointAt(one, load)));
  return `<h3>What each part earns</h3>
<p>tempo with one part switched off.</p>
<div class="plots">${loads.map((load) => ablationTable(chapter, load)).join('')}</div>`;
}
