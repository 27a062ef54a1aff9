import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { runInNode } from '../test/real/node';
import type { WebLlmBench } from './webllm-entry';

const USAGE = `npm run bench -- webllm --lib FILE [flags]
  --lib FILE            a model library (.wasm); the weights are made up
  --concurrency 1,2,4,8 requests at once
  --tokens N            output tokens a request (64; 6 on a software device)
  --prompt N            prompt tokens a request, about (64; 12 on a software device)
  --json FILE           {"rows": [{"concurrency", "tokensPerSecond", "webllmTokensPerSecond",
                        "ratio", "ttftMs"}], "device"}`;

/**
 * `npm run bench -- webllm …`: tokens per second of our batches against `MLCEngine`, which serves the
 * same requests one after another, in one process on Dawn's WebGPU.
 */
export async function run(args: string[]): Promise<void> {
  const settings = parse(args);
  if (settings === undefined) {
    console.error(USAGE);
    process.exitCode = 1;
    return;
  }
  const { lib, json, ...rest } = settings;
  const bench = (await runInNode({
    library: lib,
    entry: fileURLToPath(new URL('./webllm-entry.ts', import.meta.url)),
    args: [JSON.stringify(rest)],
    log: (line) => console.error(line),
  })) as WebLlmBench;
  console.log(table(bench));
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
      options: { lib: text, concurrency: text, tokens: text, prompt: text, json: text },
      strict: true,
    });
    if (values.lib === undefined) return undefined;
    const concurrency = (values.concurrency ?? '1,2,4,8').split(',').map(Number);
    const counts = [...concurrency, Number(values.tokens ?? 1), Number(values.prompt ?? 1)];
    if (!counts.every((n) => Number.isInteger(n) && n >= 1)) return undefined;
    return {
      lib: resolve(values.lib),
      json: values.json,
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
  return lines.join('\n');
}
