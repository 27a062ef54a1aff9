import * as webllm from '@mlc-ai/web-llm';
import { stepEngineContract } from '../../src/engine/testing/contract';
import { loadWebLlmEngine, type WebLlmModule } from '../../src/engine/webllm';
import type { RealRun } from './entry';

/**
 * The `StepEngine` contract on a real model. Arguments: `keep` keeps finished prefixes (else every
 * text is computed cold); anything else is a part of the names of the checks to run.
 */
export default async function contract(run: RealRun): Promise<unknown> {
  const keep = run.args.includes('keep');
  const wanted = run.args.filter((arg) => arg !== 'keep');
  const checks = stepEngineContract({
    load: () =>
      loadWebLlmEngine({
        model: run.record.model_id,
        appConfig: { model_list: [run.record] },
        webllm: webllm as unknown as WebLlmModule,
        maxSequences: 8,
        keepPrefixes: keep ? 8 : 0,
        kvBudgetBytes: 64 * 2 ** 20,
        onProgress: ({ phase, text }) => {
          if (phase === 'self-test' || phase === 'allocate') run.log(text);
        },
      }),
    tokens: 4,
    requests: 10,
  });
  let failed = 0;
  for (const { name, run: check } of checks) {
    const last = name.startsWith('is disposed');
    if (wanted.length > 0 && !last && !wanted.some((part) => name.includes(part))) continue;
    const start = performance.now();
    const outcome = await check().then(
      () => 'ok',
      (error: Error) => error.message,
    );
    if (outcome !== 'ok') failed++;
    run.log(
      `${outcome === 'ok' ? 'ok  ' : 'FAIL'} ${name} (${Math.round(performance.now() - start)} ms)${outcome === 'ok' ? '' : `: ${outcome}`}`,
    );
  }
  if (failed > 0) throw new Error(`${failed} checks failed.`);
  return { checks: checks.length, failed };
}
