import type { Percentiles, PolicyName } from '../client';

/** How far back every figure looks, ms. */
export const WINDOW_MS = 30_000;

/** How an app did under one policy, over the last 30 s of it. */
export interface Account {
  /** What is judged: its programs where it runs any, else its requests. Best effort is not. */
  readonly unit: 'request' | 'program';
  readonly judged: number;
  readonly met: number;
  /** Of those judged, 0 to 1; undefined where nothing is. */
  readonly share: number | undefined;
  /** Answers completed, those of programs included. */
  readonly finished: number;
  /** ms */
  readonly ttft: Percentiles;
  readonly tbt: Percentiles;
  readonly ttlt: Percentiles;
}

interface Outcome {
  atMs: number;
  met: boolean | undefined;
}

interface Token {
  atMs: number;
  sinceMs: number;
  first: boolean;
}

/** What an app's requests came to. */
class Entries {
  readonly answers: (Outcome & { tookMs: number })[] = [];
  readonly programs: Outcome[] = [];
  readonly tokens: Token[] = [];
}

/** A policy's turn on one engine: what became of the requests that arrived in it. */
export class Reign {
  readonly policy: PolicyName;
  readonly fromMs: number;
  /** Requests that are late already and have not ended, by app. */
  readonly late = new Map<string, number>();
  #untilMs: number | undefined;
  readonly #apps = new Map<string, Entries>();
  /** When tokens were written while this policy decided, by app. */
  readonly #writtenMs = new Map<string, number[]>();
  readonly #actives: { fromMs: number; untilMs: number }[] = [];
  readonly #accounts = new Map<string, Account>();

  constructor(policy: PolicyName, fromMs: number) {
    this.policy = policy;
    this.fromMs = fromMs;
  }

  /** Another policy took over. */
  end(atMs: number): void {
    this.#untilMs = atMs;
  }

  token(app: string, token: Token): void {
    this.#of(app).tokens.push(token);
  }

  finished(app: string, outcome: Outcome & { tookMs: number }): void {
    this.#of(app).answers.push(outcome);
  }

  ended(app: string, outcome: Outcome): void {
    this.#of(app).programs.push(outcome);
  }

  /** A token was written while this policy decided. */
  wrote(app: string, atMs: number): void {
    const written = this.#writtenMs.get(app) ?? [];
    written.push(atMs);
    this.#writtenMs.set(app, written);
  }

  /** There was work from here to there. */
  active(fromMs: number, untilMs: number): void {
    this.#actives.push({ fromMs: Math.max(fromMs, this.fromMs), untilMs });
  }

  /** What is older than the window goes; of a policy that went, its last stretch stays. */
  forget(nowMs: number): void {
    this.#accounts.clear();
    const limit = (this.#untilMs ?? nowMs) - WINDOW_MS;
    const isOld = ({ atMs }: { atMs: number }) => atMs < limit;
    for (const { answers, programs, tokens } of this.#apps.values()) {
      for (const list of [answers, programs, tokens]) drop(list, isOld);
    }
    for (const written of this.#writtenMs.values()) drop(written, (ms) => ms < limit);
    drop(this.#actives, ({ untilMs }) => untilMs < limit);
  }

  account(app: string): Account {
    let account = this.#accounts.get(app);
    if (account === undefined) {
      account = this.#account(app);
      this.#accounts.set(app, account);
    }
    return account;
  }

  /** Output tokens of an app, or of all, per second in which there was work; undefined until it can be told. */
  tokensPerSecond(app?: string): number | undefined {
    const activeMs = this.#actives.reduce((sum, { fromMs, untilMs }) => sum + untilMs - fromMs, 0);
    if (activeMs < RATE_JUDGED_MS) return undefined;
    let count = 0;
    for (const [name, written] of this.#writtenMs) {
      if (app === undefined || app === name) count += written.length;
    }
    return (count * 1000) / activeMs;
  }

  #of(app: string): Entries {
    let entries = this.#apps.get(app);
    if (entries === undefined) {
      entries = new Entries();
      this.#apps.set(app, entries);
    }
    return entries;
  }

  #account(app: string): Account {
    const { answers, programs, tokens } = this.#apps.get(app) ?? new Entries();
    const unit = programs.length > 0 ? 'program' : 'request';
    const outcomes = [...programs, ...answers].filter(({ met }) => met !== undefined);
    const met = outcomes.filter((outcome) => outcome.met).length;
    const judged = outcomes.length + (this.late.get(app) ?? 0);
    const since = (first: boolean) => tokens.filter((token) => token.first === first);
    return {
      unit,
      judged,
      met,
      share: judged === 0 ? undefined : met / judged,
      finished: answers.length,
      ttft: percentiles(since(true).map(({ sinceMs }) => sinceMs)),
      tbt: percentiles(since(false).map(({ sinceMs }) => sinceMs)),
      ttlt: percentiles(answers.map(({ tookMs }) => tookMs)),
    };
  }
}

/** Over less time than this a rate says nothing, ms. */
const RATE_JUDGED_MS = 2000;

function percentiles(values: readonly number[]): Percentiles {
  const sorted = Float64Array.from(values).sort();
  const at = (share: number) => sorted[Math.ceil(share * sorted.length) - 1];
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99), count: sorted.length };
}

function drop<T>(list: T[], isOld: (item: T) => boolean): void {
  let count = 0;
  while (count < list.length && isOld(list[count])) count++;
  if (count > 0) list.splice(0, count);
}
