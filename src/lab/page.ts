import { DEVICE_PROFILES, type DeviceProfile } from '../engine/simulated';
import { type Random, seededRandom } from '../scheduler';
import { type ArrivalPattern, arrivalTimes } from './arrivals';
import { drawLogNormal, drawQuantile } from './distribution';
import { CHAT, SUMMARY } from './lengths';
import { type BaseSlo, classAt, type Mix, PAPER_SLO, sloOf } from './objectives';
import { firstTokens, passagesOf } from './passage';
import { atLoad } from './work';
import { type Arrival, type Call, requestCount, type Stage, type Workload } from './workload';

export interface PageOptions {
  /** Requests in all, the members of programs counted one by one. */
  requests: number;
  load: number;
  seed: number;
  /** Shares of chat turns, extractions, agent programs and summaries. */
  mix?: Mix;
  slo?: BaseSlo;
  pattern?: ArrivalPattern;
  profile?: DeviceProfile;
}

/** A page talks most, runs an agent now and then, and summarizes in the background. */
const PAGE_MIX: Mix = [5, 1, 2, 2];

/** Tokens of a block of shared prefix. */
const BLOCK_TOKENS = 32;
/** Tokens of each app's system prompt, which all its calls begin with. */
const SYSTEM_TOKENS = { chat: 160, tool: 320, agent: 640, summarizer: 128 };
/** A conversation longer than this starts anew. */
const LONGEST_PROMPT = 2048;
/** Conversations that go on at once. */
const CONVERSATIONS = 4;

/**
 * A web page with several features on one model: chat turns over a shared history, extractions with a
 * deadline, an agent that calls tools (each call goes on from the one before), and a backlog of
 * articles to summarize. Up to 8 sequences on a browser's device. Turn and summary lengths are cut
 * from the fitted services to what a browser's context holds.
 */
export function pageWorkload(options: PageOptions): Workload {
  const { mix = PAGE_MIX, slo = PAPER_SLO, profile = DEVICE_PROFILES['laptop-gpu'] } = options;
  const random = seededRandom(options.seed);
  const page = new Page(random, slo, Math.min(LONGEST_PROMPT, profile.contextWindow / 2));
  const drafts: Arrival[] = [];
  for (let left = options.requests; left > 0; left -= requestCount(drafts.slice(-1))) {
    drafts.push(page.arrival(drafts.length, classAt(mix, random())));
  }
  const times = arrivalTimes(drafts.length, options.pattern ?? { kind: 'poisson' }, random);
  const arrivals = drafts.map((arrival, i) => ({ ...arrival, atMs: times[i] }));
  return { name: 'page', profile, arrivals: atLoad(arrivals, profile, options.load) };
}

/** Blocks of a text that goes on, so that later prompts share what earlier ones began with. */
class History {
  readonly ids: number[];
  tokens: number;

  constructor(system: readonly number[], tokens: number) {
    this.ids = [...system];
    this.tokens = tokens;
  }

  /** Adds `tokens`; blocks are named once they are full. */
  grow(tokens: number, nextId: () => number): void {
    this.tokens += tokens;
    while (this.ids.length < Math.floor(this.tokens / BLOCK_TOKENS)) this.ids.push(nextId());
  }

  call(stage: string, outputTokens: number, maxTokens: number): Call {
    // The last token is its own, or equal histories would be equal prompts.
    const prefix = firstTokens(passagesOf(this.ids, BLOCK_TOKENS), this.tokens - 1);
    return { stage, promptTokens: this.tokens, outputTokens, maxTokens, prefix };
  }
}

class Page {
  readonly #random: Random;
  readonly #slo: BaseSlo;
  readonly #longest: number;
  readonly #systems = new Map<string, number[]>();
  readonly #conversations: (History | undefined)[] = Array(CONVERSATIONS).fill(undefined);
  #blocks = 0;

  constructor(random: Random, slo: BaseSlo, longest: number) {
    this.#random = random;
    this.#slo = slo;
    this.#longest = longest;
  }

  arrival(index: number, name: ReturnType<typeof classAt>): Arrival {
    const scale = 1 + Math.floor(4 * this.#random());
    const single = { kind: 'request' as const, id: `r${index}`, atMs: 0 };
    switch (name) {
      case 'latency':
        return { ...single, app: 'chat', slo: sloOf(name, this.#slo, scale), call: this.#turn() };
      case 'deadline':
        return {
          ...single,
          app: 'tool',
          slo: sloOf(name, this.#slo, scale),
          call: this.#extraction(),
        };
      case 'best-effort':
        return {
          ...single,
          app: 'summarizer',
          slo: sloOf(name, this.#slo, 1),
          call: this.#summary(),
        };
      case 'program': {
        const stages = this.#agent();
        const deadlineMs = this.#slo.ttlt * scale * stages.length;
        return { kind: 'program', id: `p${index}`, app: 'agent', atMs: 0, deadlineMs, stages };
      }
    }
  }

  /** The next turn of one of the conversations. */
  #turn(): Call {
    const at = Math.floor(this.#random() * CONVERSATIONS);
    const outputTokens = Math.min(512, drawQuantile(CHAT.output, this.#random));
    const asked = this.#around(60);
    let history = this.#conversations[at];
    if (history === undefined || history.tokens + asked > this.#longest) {
      history = this.#begin('chat');
      this.#conversations[at] = history;
    }
    history.grow(asked, this.#nextId);
    const call = history.call('turn', outputTokens, 512);
    history.grow(outputTokens, this.#nextId);
    return call;
  }

  #extraction(): Call {
    const history = this.#begin('tool');
    history.grow(this.#around(250), this.#nextId);
    return history.call('extract', Math.min(256, this.#around(70)), 256);
  }

  #summary(): Call {
    const history = this.#begin('summarizer');
    const article = drawQuantile(SUMMARY.prompt, this.#random);
    history.grow(Math.min(this.#longest, article), this.#nextId);
    return history.call(
      'summarize',
      Math.min(384, drawQuantile(SUMMARY.output, this.#random)),
      384,
    );
  }

  /** Two to six calls, each over all that was said and found before; tools take a moment. */
  #agent(): Stage[] {
    const history = this.#begin('agent');
    history.grow(this.#around(80), this.#nextId);
    const calls = 2 + Math.floor(5 * this.#random());
    return Array.from({ length: calls }, (_, i) => {
      const last = i === calls - 1;
      const outputTokens = Math.min(512, this.#around(last ? 180 : 50));
      const call = history.call(last ? 'answer' : 'act', outputTokens, 512);
      history.grow(outputTokens + this.#around(120), this.#nextId);
      return { calls: [call], thinkMs: i === 0 ? 0 : this.#around(200) };
    });
  }

  #begin(app: keyof typeof SYSTEM_TOKENS): History {
    let system = this.#systems.get(app);
    if (system === undefined) {
      const blocks = SYSTEM_TOKENS[app] / BLOCK_TOKENS;
      system = Array.from({ length: blocks }, this.#nextId);
      this.#systems.set(app, system);
    }
    return new History(system, SYSTEM_TOKENS[app]);
  }

  #around(median: number): number {
    return Math.max(1, Math.round(drawLogNormal(median, 0.5, this.#random)));
  }

  readonly #nextId = () => this.#blocks++;
}
