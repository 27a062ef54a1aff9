import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { runInNode } from '../test/real/node';
import { aboveCeilings } from './gpu-counts/ceilings';
import type { CountsBench } from './gpu-counts/entry';
import { countsTable } from './gpu-counts/table';
import type { WebLlmBench } from './webllm-entry';
import type { StepParts } from './webllm-steps';

const USAGE = `npm run bench -- webllm --lib FILE [flags]
  --lib FILE            a model library (.wasm); the weights are made up
  --concurrency 1,2,4,8 requests at once
  --tokens N            output tokens a request (64; 6 on a software device)
  --prompt N            prompt tokens a request, about (64; 12 on a software device)
  --json FILE           {"rows": [{"concurrency", "tokensPerSecond", "webllmTokensPerSecond",
                        "ratio", "ttftMs", "step", "grammarStep"}], "device"}; the last two say
                        where a decode step's time goes
  --counts              instead: what a step asks of the GPU, counted (nothing is computed, so that
                        it is the same on every device); --concurrency says which decodes (1,2,3,4,5,8,9,16)
  --library-kernels     with --counts: the library's kernels alone, none of ours
  --json FILE           with --counts: {"rows": [{"engine": "tempo"|"webllm", "mode": "decode"|"mixed", "rows",
                        "dispatches", "submissions", "buffersMade", "waitsPerToken", "weightBytes", …}], "forks"}`;

/** Without flags: the steps of the stairs, and one beyond. */
const COUNTED = [1, 2, 3, 4, 5, 8, 9, 16];
const CHUNKS = [64, 256];
const FORKS = [4, 8].flatMap((sequences) => [512, 2048].map((shared) => ({ sequences, shared })));

/**
 * `npm run bench -- webllm …`: tokens per second of our batches against `MLCEngine`, which serves the
 * same requests one after another, in one process on Dawn's WebGPU; and where a step's time goes.
 */
export async function run(args: string[]): Promise<void> {
  const settings = parse(args);
  if (settings === undefined) {
    console.error(USAGE);
    process.exitCode = 1;
    return;
  }
  const { lib, json, counts, ownKernels, concurrency, ...rest } = settings;
  const inside = (entry: string, given: object) =>
    runInNode({
      library: lib,
      entry: fileURLToPath(new URL(entry, import.meta.url)),
      args: [JSON.stringify(given)],
      log: (line) => console.error(line),
    });
  let bench: CountsBench | WebLlmBench;
  if (counts) {
    const given = { decodes: concurrency ?? COUNTED, chunks: CHUNKS, forks: FORKS, ownKernels };
    bench = (await inside('./gpu-counts/entry.ts', given)) as CountsBench;
    console.log(countsTable(bench));
    const above = aboveCeilings(bench.rows, ownKernels);
    for (const sentence of above) console.error(sentence);
    if (above.length > 0) process.exitCode = 1;
  } else {
    const given = { ...rest, concurrency: concurrency ?? [1, 2, 4, 8] };
    bench = (await inside('./webllm-entry.ts', given)) as WebLlmBench;
    console.log(table(bench));
  }
  if (json !== undefined) {
    writeFileSync(json, `${JSON.stringify(bench, null, 1)}\n`);
    console.error(`Wrote ${json}.`);
  }
  // Dawn's device keeps the process alive.
  process.exit();
}

function parse(args: string[]) {
  const text = { type: 'string' } as const;
  try {
    const { values } = parseArgs({
      args,
      options: {
        ...{ lib: text, concurrency: text, tokens: text, prompt: text, json: text },
        ...{ counts: { type: 'boolean' }, 'library-kernels': { type: 'boolean' } },
      },
      strict: true,
    });
    if (values.lib === undefined) return undefined;
    const concurrency = values.concurrency?.split(',').map(Number);
    const numbers = [
      ...(concurrency ?? []),
      Number(values.tokens ?? 1),
      Number(values.prompt ?? 1),
    ];
    if (!numbers.every((n) => Number.isInteger(n) && n >= 1)) return undefined;
    return {
      lib: resolve(values.lib),
      json: values.json,
      counts: values.counts ?? false,
      ownKernels: values['library-kernels'] !== true,
      concurrency,
      tokens: values.tokens === undefined ? undefined : Number(values.tokens),
      prompt: values.prompt === undefined ? undefined : Number(values.prompt),
    };
  } catch {
    return undefined;
  }
}

function table({ rows, device, model, notes, tokens, promptTokens }: WebLlmBench): string {
  const lines = [
    `${model} on ${device}: ${promptTokens} prompt tokens, ${tokens} output tokens a request`,
    '| at once | tokens/s | MLCEngine, in turn | ratio | first token beside the others, ms |',
    '| --- | --- | --- | --- | --- |',
    ...rows.map(
      (row) =>
        `| ${row.concurrency} | ${row.tokensPerSecond.toFixed(2)} | ${row.webllmTokensPerSecond.toFixed(2)} | ${row.ratio.toFixed(2)} | ${Math.round(row.ttftMs)} |`,
    ),
    ...notes,
  ];
  const parts = rows.flatMap(({ concurrency, step, grammarStep }) => [
    ...(step === undefined ? [] : [partsLine(`${concurrency}`, step)]),
    ...(grammarStep === undefined ? [] : [partsLine(`${concurrency}, grammar`, grammarStep)]),
  ]);
  if (parts.length === 0) return lines.join('\n');
  return [
    ...lines,
    '',
    'A decode step, ms (and share of it):',
    '| at once | step | between steps | commands | prepared while the GPU works | wait | draw | GPU idle, at most |',
    '| --- | --- | --- | --- | --- | --- | --- | --- |',
    ...parts,
  ].join('\n');
}

function partsLine(name: string, step: StepParts): string {
  const { stepMs, betweenMs, issueMs, overlapMs, waitMs, drawMs, idleMs } = step;
  const share = (ms: number) => `${ms.toFixed(2)} (${((100 * ms) / stepMs).toFixed(1)}%)`;
  const cells = [betweenMs, issueMs, overlapMs, waitMs, drawMs, idleMs].map(share);
  return `| ${name} | ${stepMs.toFixed(1)} | ${cells.join(' | ')} |`;
}
