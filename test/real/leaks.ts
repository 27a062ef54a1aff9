import { loadWebLlmEngine } from '../../src/engine/webllm';
import { gpuBuffers } from '../../src/engine/webllm/internals';
import { WebLlmEngine } from '../../src/engine/webllm/webllm-engine';
import { type Random, type SamplingParams, seededRandom } from '../../src/scheduler';
import type { RealRun } from './entry';
import { keptPipelines } from './kept-pipelines';

const AT_ONCE = 4;
/** What some of the prompts begin with: long enough to be worth sharing. */
const SHARED = Array.from({ length: 80 }, (_, i) => 400 + i);

const SAMPLINGS: Partial<SamplingParams>[] = [
  {},
  { temperature: 1, topP: 0.9 },
  { topLogprobs: 2 },
  { temperature: 0.7, frequencyPenalty: 0.5, repetitionPenalty: 1.1 },
  { grammar: { type: 'ebnf', grammar: 'root ::= [a-z ]+' } },
];

/**
 * Requests that begin, some of them with the same tokens, and are aborted between steps and in the middle
 * of them, at random: the same ones twice over. Throws unless pages, sequences, GPU buffers and their bytes are
 * after the second time what they were after the first, in which the runtime fills its pools. The
 * argument is how many requests each time (default 40).
 */
export default async function leaks(run: RealRun): Promise<unknown> {
  const requests = Number(run.args[0] ?? 40);
  const { webllm, pipelines } = keptPipelines();
  const engine = await loadWebLlmEngine({
    model: run.record.model_id,
    appConfig: { model_list: [run.record] },
    webllm,
    maxSequences: AT_ONCE,
    keepPrefixes: 2,
    kvBudgetBytes: 64 * 2 ** 20,
  });
  if (!(engine instanceof WebLlmEngine)) throw new Error('The model is served one at a time.');
  const held = () => ({ freePages: engine.kv.freePages, ...gpuBuffers(pipelines[0]) });
  const before = held();
  run.log(`before: ${JSON.stringify(before)}`);
  const passes = [];
  for (let pass = 0; pass < 2; pass++) {
    const counts = await new Crowd(engine, seededRandom(7)).serve(requests, (done) => {
      if (done % 10 === 0) run.log(`pass ${pass}: ${done} requests: ${JSON.stringify(held())}`);
    });
    fillUp(engine);
    passes.push({ ...counts, ...held() });
    run.log(`pass ${pass}: ${JSON.stringify(passes[pass])}`);
  }
  const [first, second] = passes;
  if (second.freePages !== before.freePages) throw new Error('Pages leak.');
  if (second.buffers === undefined) throw new Error('GPU buffers cannot be counted.');
  if (second.buffers !== first.buffers || second.bytes !== first.bytes) {
    throw new Error('GPU buffers leak.');
  }
  await engine.dispose();
  return { before, first, second };
}

/** Every sequence that the engine has room for can be had, so none was left behind. */
function fillUp(engine: WebLlmEngine): void {
  const ids = Array.from({ length: engine.capacity.maxSequences }, (_, i) => `full ${i}`);
  const sampling = { temperature: 0, topP: 1, seed: 0 };
  for (const id of ids) engine.add({ id, tokens: [9], promptTokens: 1, sampling });
  for (const id of ids) engine.remove(id);
}

interface Member {
  id: string;
  tokens: number[];
  promptTokens: number;
  /** Known tokens that are not computed. */
  pending: number;
  /** Tokens still to be drawn. */
  left: number;
}

/** Requests at random, the same for the same random numbers. */
class Crowd {
  readonly #engine: WebLlmEngine;
  readonly #random: Random;
  readonly #live: Member[] = [];
  readonly #counts = { requests: 0, steps: 0, shared: 0, aborts: 0, inStep: 0 };

  constructor(engine: WebLlmEngine, random: Random) {
    this.#engine = engine;
    this.#random = random;
  }

  async serve(requests: number, progress: (done: number) => void) {
    const counts = this.#counts;
    while (counts.requests < requests || this.#live.length > 0) {
      while (counts.requests < requests && this.#live.length < AT_ONCE) {
        progress(counts.requests);
        this.#begin(`r${counts.requests++}`);
      }
      await this.#step();
      const { counted, available } = this.#engine.unheldPages;
      if (counted !== available) throw new Error(`${counted} pages counted, ${available} there.`);
    }
    return counts;
  }

  #begin(id: string): void {
    const start = this.#chance(0.4) ? SHARED : [];
    const more = Array.from({ length: 1 + this.#below(4) }, () => 300 + this.#below(50));
    const tokens = [...start, ...more];
    const promptTokens = tokens.length;
    const sampling = {
      temperature: 0,
      topP: 1,
      seed: this.#counts.requests,
      ignoreEos: true,
      ...SAMPLINGS[this.#below(SAMPLINGS.length)],
    };
    const { cachedTokens } = this.#engine.add({ id, tokens, promptTokens, sampling });
    if (cachedTokens > 0) this.#counts.shared++;
    const pending = tokens.length - cachedTokens;
    this.#live.push({ id, tokens, promptTokens, pending, left: 1 + this.#below(4) });
  }

  async #step(): Promise<void> {
    const work = this.#live
      .filter((_, i) => i === 0 || !this.#chance(0.2))
      .map((member) => ({ member, tokens: 1 + this.#below(member.pending) }));
    const step = this.#engine.step({
      work: work.map(({ member, tokens }) => ({ sequenceId: member.id, tokens })),
    });
    if (this.#chance(0.15)) {
      if (this.#chance(0.5)) await new Promise((resolve) => setTimeout(resolve, 1));
      this.#counts.inStep++;
      this.#end(work[this.#below(work.length)].member);
    }
    const { sampled, failed } = await step;
    for (const [id, error] of failed ?? []) throw new Error(`${id} failed: ${error.message}`);
    this.#counts.steps++;
    for (const { member, tokens } of work) {
      if (!this.#live.includes(member)) continue;
      member.pending -= tokens;
      const token = sampled.get(member.id)?.token;
      if ((token === undefined) !== member.pending > 0)
        throw new Error(`A token for ${member.id}?`);
      if (token !== undefined) this.#drawn(member, token);
      if (this.#live.includes(member) && this.#chance(0.1)) {
        this.#counts.aborts++;
        this.#end(member);
      }
    }
  }

  #drawn(member: Member, token: number): void {
    member.tokens.push(token);
    member.pending = 1;
    member.left--;
    if (member.left === 0) this.#end(member);
  }

  #end(member: Member): void {
    this.#engine.remove(member.id);
    this.#live.splice(this.#live.indexOf(member), 1);
  }

  #chance(probability: number): boolean {
    return this.#random() < probability;
  }

  #below(count: number): number {
    return Math.floor(this.#random() * count);
  }
}
