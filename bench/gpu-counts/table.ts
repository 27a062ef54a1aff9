import type { CountsBench, CountsRow } from './entry';

/** What a bench of counts found, as text. */
export function countsTable({ rows, forks, model, device }: CountsBench): string {
  const mib = (bytes: number) => (bytes / 2 ** 20).toFixed(1);
  const one = rows.find(({ engine, rows: count }) => engine === 'tempo' && count === 1);
  const line = (row: CountsRow) => {
    const times = one === undefined ? '' : ` (${(row.weightBytes / one.weightBytes).toFixed(2)})`;
    const cells = [
      row.engine === 'tempo' ? 'Tempo' : '`MLCEngine`, in turn',
      row.prompt > 0 ? `${row.rows - row.prompt} + ${row.prompt}` : row.rows,
      Math.round(row.dispatches),
      Math.round(row.submissions),
      Math.round(row.commandBuffers),
      Math.round(row.buffersMade),
      Math.round(row.bindGroupsMade),
      Math.round(row.bytesMapped / 1024),
      row.waitsPerToken.toFixed(2),
      `${mib(row.weightBytes)}${times}`,
      (1000 * row.msPerDispatch).toFixed(0),
    ];
    return `| ${cells.join(' | ')} |`;
  };
  const lines = [
    `${model} on ${device}: what one step asks of the GPU (nothing is computed, so times are the CPU's alone)`,
    '| engine | decodes + prompt tokens | dispatches | submissions | command buffers | buffers made | bind groups made | KiB read back | waits a token | weights read, MiB (times those of 1 row) | µs a dispatch on the CPU |',
    `|${' --- |'.repeat(11)}`,
    ...rows.map(line),
  ];
  if (forks.length === 0) return lines.join('\n');
  return [
    ...lines,
    '',
    '| sequences | tokens shared | K/V read in a step, MiB | if each had its own, MiB | ratio |',
    '| --- | --- | --- | --- | --- |',
    ...forks.map(
      ({ sequences, shared, kvBytes, aloneBytes }) =>
        `| ${sequences} | ${shared} | ${mib(kvBytes)} | ${mib(aloneBytes)} | ${(kvBytes / aloneBytes).toFixed(2)} |`,
    ),
  ].join('\n');
}
