import { useEffect, useRef } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { type AppName, isAppName } from '../design/apps';
import { compact } from '../design/format';
import { onPaletteChange, readPalette } from '../design/palette';
import { series, useLive } from '../store/live';
import type { Point } from '../store/series';

interface Line {
  label: string;
  color: AppName | 'ink2';
  value(point: Point): number;
}

interface ChartProps {
  lines: readonly Line[];
  /** What a screen reader says. */
  label: string;
}

const HEIGHT = 112;
const SPAN_S = 60;

/** The last minute of a few counters, redrawn when there is a new point. */
export function Chart({ lines, label }: ChartProps) {
  const holder = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = holder.current;
    if (element === null) return;
    let plot = create(element, lines);
    let drawn = -1;
    const update = () => {
      if (series.version === drawn) return;
      drawn = series.version;
      plot.setData(dataOf(lines));
    };
    const renew = () => {
      plot.destroy();
      plot = create(element, lines);
    };
    const size = new ResizeObserver(() =>
      plot.setSize({ width: element.clientWidth, height: HEIGHT }),
    );
    size.observe(element);
    const stops = [useLive.subscribe(update), onPaletteChange(renew)];
    return () => {
      for (const stop of stops) stop();
      size.disconnect();
      plot.destroy();
    };
  }, [lines]);
  return (
    <div className="chart" ref={holder} role="img" aria-label={label} style={{ height: HEIGHT }} />
  );
}

function dataOf(lines: readonly Line[]): uPlot.AlignedData {
  const { points } = series;
  const last = points.at(-1)?.atMs ?? 0;
  return [
    points.map((point) => (point.atMs - last) / 1000),
    ...lines.map((line) => points.map((point) => line.value(point))),
  ];
}

function create(element: HTMLElement, lines: readonly Line[]): uPlot {
  const palette = readPalette();
  const font = '10px Plex, ui-sans-serif, system-ui, sans-serif';
  const axis: uPlot.Axis = {
    font,
    stroke: palette.ink3,
    ticks: { show: false },
    grid: { stroke: palette.rule, width: 1 },
  };
  return new uPlot(
    {
      width: element.clientWidth,
      height: HEIGHT,
      padding: [8, 14, 0, 0],
      cursor: { show: false },
      legend: { show: false },
      scales: {
        x: { time: false, range: [-SPAN_S, 0] },
        y: { range: (_, min, max) => [Math.min(0, min), Math.max(1, max * 1.08)] },
      },
      axes: [
        {
          ...axis,
          grid: { show: false },
          size: 20,
          gap: 4,
          values: (_, splits) => splits.map((s) => (s === 0 ? 'now' : `−${-s} s`)),
        },
        { ...axis, size: 40, gap: 4, values: (_, splits) => splits.map(compact) },
      ],
      series: [
        {},
        ...lines.map(({ label, color }) => ({
          label,
          stroke: isAppName(color) ? palette.apps[color] : palette[color],
          width: 1.5,
          points: { show: false },
        })),
      ],
    },
    dataOf(lines),
    element,
  );
}
