import type { Slo } from '../../client';
import {
  type Arrival,
  type Call,
  type DeviceProfile,
  demandOf,
  drawExponential,
  drawGamma,
  drawLogNormal,
  leastMs,
  passagesOf,
  type Random,
  seededRandom,
} from '../../lab';
import { type AppName, DEFAULT_SLOS } from '../design/apps';

/** A length in tokens: log-normal about its median, cut at `most`. */
interface Length {
  median: number;
  /** Standard deviation of the logarithm. */
  sigma: number;
  most: number;
}

/** What one kind of traffic asks for. */
interface Kind {
  /** How many of the arrivals are of this kind, beside the others' shares. */
  share: number;
  prompt: Length;
  output: Length;
}

export interface Scenario {
  title: string;
  /** What happens in it, and what to look at. */
  line: string;
  /** The dial's place when it is chosen. */
  load: number;
  kinds: Record<AppName, Kind>;
  /** Coefficient of variation of the gaps between arrivals; 1 is a Poisson process. */
  variation: number;
  /** The agent's deadline, as a share of the one that the reader gave it. */
  haste: number;
}

const length = (median: number, sigma: number, most: number): Length => ({ median, sigma, most });

const CHAT: Kind = { share: 5, prompt: length(140, 0.4, 400), output: length(90, 0.5, 256) };
const AGENT: Kind = { share: 1, prompt: length(260, 0.3, 500), output: length(50, 0.4, 160) };
const SUMMARY: Kind = { share: 4, prompt: length(700, 0.4, 1400), output: length(110, 0.3, 240) };

const BASE = { kinds: { chat: CHAT, agent: AGENT, summarizer: SUMMARY }, variation: 1, haste: 1 };

/** Who comes, by the name that stands in the address. */
export const SCENARIOS = {
  calm: {
    ...BASE,
    title: 'Calm',
    line: 'There is room for everybody: the order makes no difference.',
    load: 0.5,
  },
  rush: {
    ...BASE,
    title: 'Rush hour',
    line: 'Visitors come in bursts, and more of them than the engine can serve.',
    load: 1.2,
    kinds: { chat: { ...CHAT, share: 9 }, agent: { ...AGENT, share: 1.5 }, summarizer: SUMMARY },
    variation: 1.4,
  },
  document: {
    ...BASE,
    title: 'A long document lands',
    line: 'Now and then a text of thousands of tokens is to be read while people chat.',
    load: 1.2,
    kinds: {
      chat: { ...CHAT, share: 12 },
      agent: AGENT,
      summarizer: { share: 2, prompt: length(3000, 0.1, 3500), output: length(160, 0.3, 300) },
    },
  },
  agent: {
    ...BASE,
    title: 'An agent near its deadline',
    line: 'The agents have little time for several calls each; the chat could wait a little.',
    load: 1.5,
    kinds: { chat: { ...CHAT, share: 5 }, agent: { ...AGENT, share: 3 }, summarizer: SUMMARY },
    haste: 0.5,
  },
  memory: {
    ...BASE,
    title: 'Memory full',
    line: 'Long contexts fill the places in the GPU’s memory before its time is used up.',
    load: 1.5,
    kinds: {
      chat: { share: 8, prompt: length(260, 0.4, 600), output: length(220, 0.5, 500) },
      agent: AGENT,
      summarizer: { share: 2, prompt: length(2600, 0.2, 3300), output: length(400, 0.3, 600) },
    },
  },
  reasoning: {
    ...BASE,
    title: 'A reasoning model',
    line: 'Answers begin with thoughts: most are short, some go on and on, and nobody knows which.',
    load: 1.5,
    kinds: {
      chat: { share: 6, prompt: length(140, 0.4, 400), output: length(200, 1, 1500) },
      agent: { ...AGENT, output: length(110, 0.9, 600) },
      summarizer: SUMMARY,
    },
  },
} as const satisfies Record<string, Scenario>;

export type ScenarioName = keyof typeof SCENARIOS;

export const SCENARIO_NAMES: readonly ScenarioName[] = [
  'calm',
  'rush',
  'document',
  'agent',
  'memory',
  'reasoning',
];

export function isScenarioName(name: string): name is ScenarioName {
  return Object.hasOwn(SCENARIOS, name);
}

/** An arrival whose time is not fixed yet. */
export interface Draft {
  app: AppName;
  /** Time since the one before, on average 1. */
  gap: number;
  /** Its calls, one after the other; the agent has several. */
  calls: readonly Call[];
  haste: number;
}

/** Calls of an agent's run; each goes on from the one before. */
const AGENT_CALLS = ['plan', 'act', 'answer'];
/** What a tool finds, in tokens, and how long it takes, ms. */
const FOUND_TOKENS = 90;
const TOOL_MS = 200;
/** Tokens of a block of a prompt that the next call begins with, too. */
const BLOCK_TOKENS = 16;
/** Most tokens that an answer may have, over its longest length: nobody is told how long it will be. */
const SPARE_TOKENS = 64;

/** Who waits how long for a token before leaving, ms; and for an agent's answer, in deadlines. */
const PATIENCE_MS = { chat: 8000, summarizer: 30_000 };
const AGENT_PATIENCE = 1.5;

/** A stream of arrivals that never ends: the same for the same scenario and seed. */
export class Traffic {
  readonly #scenario: Scenario;
  readonly #random: Random;
  /** Prompt and answer together are no longer, tokens. */
  readonly #window: number;
  #blocks = 0;

  constructor(name: ScenarioName, seed: number, contextWindow: number) {
    this.#scenario = SCENARIOS[name];
    this.#random = seededRandom(seed);
    this.#window = contextWindow;
  }

  next(): Draft {
    const { variation, haste } = this.#scenario;
    const random = this.#random;
    const gap = variation > 1 ? drawGamma(1 / variation ** 2, random) : drawExponential(random);
    return { ...this.of(this.#app()), gap, haste };
  }

  /** One of this app's, at once. */
  of(app: AppName): Draft {
    const { kinds, haste } = this.#scenario;
    const { prompt, output } = kinds[app];
    const calls =
      app === 'agent'
        ? this.#run(prompt, output)
        : [this.#call(app === 'chat' ? 'reply' : 'summary', this.#draw(prompt), output)];
    return { app, gap: 0, calls, haste };
  }

  #app(): AppName {
    const { chat, agent, summarizer } = this.#scenario.kinds;
    let left = this.#random() * (chat.share + agent.share + summarizer.share);
    left -= chat.share;
    if (left < 0) return 'chat';
    return left < agent.share ? 'agent' : 'summarizer';
  }

  #run(prompt: Length, output: Length): Call[] {
    let promptTokens = this.#draw(prompt);
    const ids: number[] = [];
    return AGENT_CALLS.map((stage, i) => {
      if (i > 0) promptTokens += FOUND_TOKENS;
      while ((ids.length + 1) * BLOCK_TOKENS <= promptTokens) ids.push(this.#blocks++);
      const call = this.#call(stage, promptTokens, output);
      return { ...call, prefix: passagesOf(ids, BLOCK_TOKENS) };
    });
  }

  #call(stage: string, wanted: number, output: Length): Call {
    const half = Math.floor(this.#window / 2);
    const promptTokens = Math.min(wanted, this.#window - Math.min(half, output.most) - 64);
    const room = this.#window - promptTokens - 1;
    const outputTokens = Math.min(this.#draw(output), room);
    return {
      stage,
      promptTokens,
      outputTokens,
      maxTokens: Math.min(output.most + SPARE_TOKENS, room),
    };
  }

  #draw({ median, sigma, most }: Length): number {
    const drawn = Math.round(drawLogNormal(median, sigma, this.#random));
    return Math.min(most, Math.max(8, drawn));
  }
}

/** What the three apps ask for now. */
export type Slos = Record<AppName, Slo>;

/** The draft as an arrival at that time, under these objectives. */
export function arrivalOf(draft: Draft, id: string, atMs: number, slos: Slos): Arrival {
  const { app, calls, haste } = draft;
  if (app === 'agent') {
    const { agent } = slos;
    const ttlt = agent.class === 'deadline' ? agent.ttlt : DEFAULT_SLOS.agent.ttlt;
    const deadlineMs = Math.max(1, Math.round(ttlt * haste));
    const stages = calls.map((call, i) => ({ calls: [call], thinkMs: i === 0 ? 0 : TOOL_MS }));
    const patienceMs = AGENT_PATIENCE * deadlineMs;
    return { kind: 'program', id, app, atMs, deadlineMs, stages, patienceMs };
  }
  const patienceMs = PATIENCE_MS[app];
  return { kind: 'request', id, app, atMs, slo: slos[app], call: calls[0], patienceMs };
}

const SAMPLED = 400;

/**
 * The device's time that one arrival of this scenario takes on average, ms, in full batches and with
 * nothing wasted: at load 1 arrivals are on average so far apart.
 */
export function meanWorkMs(name: ScenarioName, device: DeviceProfile): number {
  const traffic = new Traffic(name, 1, device.contextWindow);
  let ms = 0;
  for (let i = 0; i < SAMPLED; i++) {
    let known = 0;
    for (const call of traffic.next().calls) {
      ms += leastMs(demandOf(call, device, known), device);
      known = call.promptTokens - 1;
    }
  }
  return ms / SAMPLED;
}
