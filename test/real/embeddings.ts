import * as webllm from '@mlc-ai/web-llm';
import { createTempo } from '../../src/client';
import { loadWebLlmEmbedder, type WebLlmModule } from '../../src/engine/webllm';
import { TempoServer } from '../../src/server';
import type { RealRun } from './entry';
import { linkLeniently } from './link-leniently';

const TEXTS = [
  'The tide comes in twice a day.',
  'Peat is cut in spring and dried over the summer.',
  'A queue is as fast as its slowest server.',
  'Knead the dough until it springs back, and let it rest under a cloth for an hour.',
  'Two.',
  'Lighthouses were tended by families who lived in them.',
];
/** Of numbers that are about 1. */
const TOLERANCE = 1e-4;

/**
 * An embedding model's library through `app.embeddings`, against `MLCEngine.embeddings`: each text's vector
 * must be the same, scaled to length 1, whatever batch it was in.
 */
export default async function embeddings(run: RealRun): Promise<unknown> {
  if (run.metadata.model_type !== 'bert')
    throw new Error('Take an embedding model\u2019s library.');
  run.log(`Imports made up: ${linkLeniently().join(', ') || 'none so far'}.`);
  const record = { ...run.record, model_type: webllm.ModelType.embedding };
  const appConfig = { model_list: [record] };
  const model = record.model_id;

  const engine = new webllm.MLCEngine({ appConfig, logLevel: 'SILENT' });
  await engine.reload(model);
  const theirs = new Map<string, number[]>();
  for (const text of TEXTS) {
    const { data } = await engine.embeddings.create({ input: text });
    theirs.set(text, data[0].embedding);
  }
  await engine.unload();
  const lengths = [...theirs.values()].map((vector) => Math.hypot(...vector).toFixed(2));
  run.log(`Lengths of MLCEngine's vectors: ${lengths.join(', ')}.`);

  const server = new TempoServer({
    engines: {
      webllm: {
        check: async () => {},
        load: () => Promise.reject(new Error('There is no chat model here.')),
        embeds: async () => true,
        loadEmbedder: (id, config, options) =>
          loadWebLlmEmbedder({
            ...options,
            model: id,
            appConfig: config.appConfig,
            webllm: webllm as unknown as WebLlmModule,
          }),
      },
    },
  });
  const tempo = createTempo({ model, appConfig, host: server });
  const stop = tempo.onState((state) => {
    if (state.phase === 'loading') run.log(`${state.progress.phase}: ${state.progress.text}`);
  });
  await tempo.ready;
  stop();
  run.log(JSON.stringify(tempo.state));
  const app = tempo.app('search');
  const startMs = performance.now();
  const { data, usage } = await app.embeddings.create({ input: [...TEXTS, ...TEXTS] });
  run.log(`${usage.prompt_tokens} tokens in ${Math.round(performance.now() - startMs)} ms.`);
  const alone = await Promise.all(
    TEXTS.map((input) => app.embeddings.create({ input, encoding_format: 'float' })),
  );
  const largest = (a: number[], b: number[]) => Math.max(...a.map((v, i) => Math.abs(v - b[i])));
  const differences = TEXTS.map((text, i) => {
    const expected = theirs.get(text) ?? [];
    const length = Math.hypot(...expected);
    const scaled = expected.map((value) => value / length);
    return {
      toMlcEngine: largest(data[i].embedding, scaled),
      aloneOrTogether: largest(data[i].embedding, alone[i].data[0].embedding),
    };
  });
  const toOthers = Math.min(
    ...TEXTS.slice(1).map((_, i) => largest(data[0].embedding, data[i + 1].embedding)),
  );
  await tempo.dispose();
  run.log(JSON.stringify(differences));
  const worst = Math.max(...differences.flatMap((d) => Object.values(d)));
  run.log(`Largest difference ${worst}; between different texts at least ${toOthers}.`);
  if (!(worst < TOLERANCE)) throw new Error(`Vectors differ by ${worst}.`);
  if (!(toOthers > 100 * TOLERANCE)) throw new Error('All texts have the same vector.');
  return { dimensions: data[0].embedding.length, worst, toOthers };
}
