import type { Chapter, Point, Series } from './figures';
import { pointAt } from './figures';
import { escapeHtml, percent, short } from './svg';
import { toneOf } from './tones';

const CLASS_NAMES = {
  latency: 'streams',
  deadline: 'deadlines',
  program: 'programs',
  'best-effort': 'best effort',
};

/** Attainment by class at one load: a cell is filled as far as the class was met. */
export function attainmentTable({ series, classes }: Chapter, load: number): string {
  const head = classes.map((name) => `<th>${CLASS_NAMES[name]}</th>`).join('');
  const rows = series.map((one) => {
    const point = pointAt(one, load);
    const cells = classes.map((name) => meter(point?.attainment[name]));
    return `<tr>${nameCell(one)}${cells.join('')}</tr>`;
  });
  return (
    `<figure><figcaption>Load ${load}</figcaption><div class="scroll"><table class="meters">` +
    `<thead><tr><th></th>${head}</tr></thead><tbody>${rows.join('')}</tbody></table></div></figure>`
  );
}

/** The figures themselves, at one load. */
export function figuresTable({ series }: Chapter, load: number): string {
  const columns: [string, (point: Point) => string][] = [
    ['gain', ({ gain }) => short(gain)],
    ['of bound', ({ gain, bound }) => percent(gain / bound, 1)],
    ['tokens/s', ({ tokenGoodput }) => short(tokenGoodput)],
    ['requests/s', ({ requestGoodput }) => requestGoodput.toFixed(2)],
    ['TTFT p95', ({ ttftP95 }) => seconds(ttftP95)],
    ['TBT p95', ({ tbtP95 }) => `${Math.round(tbtP95)} ms`],
    ['QoE', ({ qoe }) => (qoe === undefined ? '' : qoe.toFixed(3))],
    ['preempted', ({ preemptions }) => short(Math.round(preemptions))],
  ];
  const head = columns.map(([name]) => `<th>${name}</th>`).join('');
  const rows = [...series]
    .sort((a, b) => (pointAt(b, load)?.gain ?? 0) - (pointAt(a, load)?.gain ?? 0))
    .map((one) => {
      const point = pointAt(one, load);
      const cells = columns.map(([, of]) => `<td>${point === undefined ? '' : of(point)}</td>`);
      return `<tr>${nameCell(one)}${cells.join('')}</tr>`;
    });
  return (
    `<figure class="wide"><figcaption>Load ${load}</figcaption><div class="scroll"><table class="figures">` +
    `<thead><tr><th></th>${head}</tr></thead><tbody>${rows.join('')}</tbody></table></div></figure>`
  );
}

/** What each part of tempo earns: gain without it, beside the whole. */
export function ablationTable({ series, ablations }: Chapter, load: number): string {
  const whole =
    pointAt(
      series.find(({ policy }) => policy === 'tempo'),
      load,
    )?.gain ?? 0;
  const bars = [
    { name: 'tempo', gain: whole },
    ...ablations.map((one) => ({
      name: one.policy.replace('tempo:', '').replaceAll('-', ' '),
      gain: pointAt(one, load)?.gain ?? 0,
    })),
  ];
  const most = Math.max(...bars.map(({ gain }) => gain), 1);
  const rows = bars.map(
    ({ name, gain }) =>
      `<tr><th>${escapeHtml(name)}</th><td class="bar"><i style="width:${((100 * gain) / most).toFixed(1)}%"` +
      `${name === 'tempo' ? ' class="whole"' : ''}></i></td><td>${short(gain)}</td>` +
      `<td>${name === 'tempo' ? '' : change(gain / whole - 1)}</td></tr>`,
  );
  return (
    `<figure><figcaption>Load ${load}</figcaption><div class="scroll"><table class="bars">` +
    `<tbody>${rows.join('')}</tbody></table></div></figure>`
  );
}

function nameCell({ policy }: Series): string {
  return `<th class="tone-${toneOf(policy)}"><span class="key"></span>${escapeHtml(policy)}</th>`;
}

function meter(share: number | undefined): string {
  if (share === undefined) return '<td></td>';
  return `<td class="meter"><i style="width:${(100 * share).toFixed(1)}%"></i><b>${percent(share)}</b></td>`;
}

function seconds(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

function change(share: number): string {
  return `${share >= 0 ? '+' : '−'}${percent(Math.abs(share), 1)}`;
}
