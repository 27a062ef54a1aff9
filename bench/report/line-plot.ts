import { escapeHtml, Scale, short, spread, ticksTo } from './svg';
import { toneOf } from './tones';

export interface Line {
  policy: string;
  /** x and y, x ascending. */
  points: readonly (readonly [number, number])[];
}

export interface LinePlotOptions {
  title: string;
  xLabel: string;
  /** Marks on the x axis. */
  xTicks: readonly number[];
  xText?: (x: number) => string;
  yText?: (y: number) => string;
  /** Points are marked, with their value on hover. */
  dots?: boolean;
}

const WIDTH = 560;
const HEIGHT = 340;
const LEFT = 52;
const RIGHT = 104;
const TOP = 14;
const BOTTOM = 40;

/** A plot of lines, each named at its right end. */
export function linePlot(lines: readonly Line[], options: LinePlotOptions): string {
  const { title, xLabel, xTicks, xText = String, yText = short, dots = true } = options;
  const ys = lines.flatMap((line) => line.points.map(([, y]) => y));
  const yTicks = ticksTo(Math.max(0, ...ys));
  const x = new Scale([xTicks[0], xTicks[xTicks.length - 1]], [LEFT, WIDTH - RIGHT]);
  const y = new Scale([0, yTicks[yTicks.length - 1]], [HEIGHT - BOTTOM, TOP]);
  const labels = spread(
    lines.map(({ points }) => y.at(points[points.length - 1]?.[1] ?? 0)),
    12.5,
    TOP + 2,
    HEIGHT - BOTTOM,
  );

  const grid = yTicks.map(
    (tick) =>
      `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y.at(tick)}" y2="${y.at(tick)}"/>` +
      `<text class="tick" x="${LEFT - 8}" y="${y.at(tick) + 4}" text-anchor="end">${yText(tick)}</text>`,
  );
  const marks = xTicks.map(
    (tick) =>
      `<text class="tick" x="${x.at(tick)}" y="${HEIGHT - BOTTOM + 18}" text-anchor="middle">${xText(tick)}</text>`,
  );
  const drawn = lines.map(({ policy, points }, i) => {
    const path = points.map(([px, py], at) => `${at === 0 ? 'M' : 'L'}${x.at(px)} ${y.at(py)}`);
    const circles = dots
      ? points.map(
          ([px, py]) =>
            `<circle cx="${x.at(px)}" cy="${y.at(py)}" r="3"><title>${escapeHtml(policy)}, ${xLabel} ${xText(px)}: ${yText(py)}</title></circle>`,
        )
      : [];
    const [endX, endY] = points[points.length - 1] ?? [0, 0];
    const leader = `M${x.at(endX) + 4} ${y.at(endY)}L${WIDTH - RIGHT + 12} ${labels[i]}`;
    return (
      `<g class="series tone-${toneOf(policy)}"><path class="reach" d="${path.join('')}"/>` +
      `<path class="line" d="${path.join('')}"/>${circles.join('')}<path class="leader" d="${leader}"/>` +
      `<text class="name" x="${WIDTH - RIGHT + 15}" y="${labels[i] + 3.5}">${escapeHtml(policy)}</text></g>`
    );
  });
  // What matters most is drawn last, on top.
  const order = drawn
    .map((_, i) => i)
    .sort((a, b) => weight(lines[a].policy) - weight(lines[b].policy));
  return (
    `<figure><figcaption>${escapeHtml(title)}</figcaption>` +
    `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escapeHtml(title)}">` +
    `${grid.join('')}${marks.join('')}` +
    `<text class="axis" x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 6}" text-anchor="middle">${xLabel}</text>` +
    `${order.map((i) => drawn[i]).join('')}</svg></figure>`
  );
}

function weight(policy: string): number {
  return ['tempo', 'tempo-oracle', 'bound'].indexOf(policy) >= 0
    ? 2
    : toneOf(policy) === 'other'
      ? 0
      : 1;
}
