import { TempoError } from '../../src/scheduler';
import type { RequestEvent, Submission } from '../../src/server/server-types';
import type { Random } from './attacks';
import { COSTLY, MISSHAPEN } from './attacks';
import type { World } from './worlds';

/** What may become of a request while loads, losses and aborts go on around it. */
const CODES = new Set([
  ...['aborted', 'disposed', 'not_loaded', 'engine_lost', 'engine_failed', 'queue_full'],
  ...['invalid_request', 'invalid_slo', 'invalid_schema', 'context_length_exceeded'],
  ...[
    'unknown_model',
    'unknown_tool',
    'program_ended',
    'timeout',
    'unsupported',
    'slo_unattainable',
  ],
]);

export interface Outcome {
  id: string;
  text: string;
  /** `done`, or what it failed with. */
  code: string;
  /** Ends that were told. */
  ends: number;
  met: boolean;
  /** From its submission, ms. */
  tookMs: number;
}

/** Everything that went wrong, in sentences, and how much was tried. */
export interface Report {
  requests: number;
  innocents: number;
  done: number;
  faults: Map<string, number>;
  longestMs: number;
  wrong: string[];
}

/** A client of a server, that keeps count. */
export class Caller {
  readonly #world: World;
  readonly #open = new Map<string, { outcome: Outcome; startMs: number; end: () => void }>();
  readonly #ended = new Map<string, Outcome>();
  #ids = 0;

  constructor(world: World) {
    this.#world = world;
    void world.server.listen(this.#listener);
  }

  readonly #listener = (events: RequestEvent[]) => {
    for (const event of events) this.#hear(event);
  };

  /** Hears nothing any more. */
  leave(): void {
    this.#world.server.unlisten(this.#listener);
  }

  get open(): string[] {
    return [...this.#open.keys()];
  }

  get ended(): ReadonlyMap<string, Outcome> {
    return this.#ended;
  }

  /** Resolves when it has ended. */
  async ask(
    app: string,
    params: unknown,
    slo: unknown = { class: 'best-effort' },
  ): Promise<Outcome> {
    const id = `r${this.#ids++}`;
    const outcome: Outcome = { id, text: '', code: '', ends: 0, met: false, tookMs: 0 };
    const startMs = performance.now();
    const ended = new Promise<void>((end) => this.#open.set(id, { outcome, startMs, end }));
    const receipt = await this.#world.server.submit({ id, app, slo, params } as Submission);
    if (!receipt.ok) this.#end(id, receipt.error.code);
    await ended;
    return outcome;
  }

  #hear(event: RequestEvent): void {
    const { outcome } = this.#open.get(event.id) ?? {};
    if (event.type === 'delta' && outcome) outcome.text += event.delta.content ?? '';
    if (event.type === 'done') {
      if (outcome) outcome.met = event.usage.extra.slo_met;
      this.#end(event.id, 'done');
    }
    if (event.type === 'error') this.#end(event.id, event.error.code);
  }

  #end(id: string, code: string): void {
    const before = this.#ended.get(id);
    if (before !== undefined) before.ends++;
    const open = this.#open.get(id);
    if (open === undefined) return;
    open.outcome.code = code;
    open.outcome.ends++;
    open.outcome.tookMs = performance.now() - open.startMs;
    this.#open.delete(id);
    this.#ended.set(id, open.outcome);
    open.end();
  }
}

/** Until the event loop has been round. */
export const turn = () => new Promise((resolve) => setImmediate(resolve));

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Hostile requests, made before anything is timed: making them is not the server's work. */
export function hostile(random: Random): unknown[] {
  const attacks = [...Object.values(COSTLY), ...Object.values(MISSHAPEN)];
  return attacks.map((attack) => attack(random));
}

export interface ChaosOptions {
  world: World;
  random: Random;
  ms: number;
  /** An innocent request, and the text that it is to get. */
  innocents: readonly { params: object; text: string }[];
  attacks: readonly unknown[];
  /** How often something goes wrong: of all that happens, 0 to 0.3. */
  faultShare: number;
  /** A request that takes longer than this has not ended in time, ms. */
  boundMs: number;
}

/** Requests, hostile ones among them, while things go wrong at random; then all is to be as before. */
export async function chaos(options: ChaosOptions): Promise<Report> {
  const { world, random, ms, innocents, attacks, faultShare, boundMs } = options;
  const { server } = world;
  const caller = new Caller(world);
  const names = Object.keys(world.faults);
  const report: Report = {
    requests: 0,
    innocents: 0,
    done: 0,
    faults: new Map(),
    longestMs: 0,
    wrong: [],
  };
  const below = (n: number) => Math.floor(random() * n);
  const running = new Set<Promise<unknown>>();
  const keep = (work: unknown) => {
    const kept: Promise<unknown> = Promise.resolve(work)
      .catch((thrown) => report.wrong.push(`A call rejected: ${TempoError.from(thrown).message}.`))
      .finally(() => running.delete(kept));
    running.add(kept);
  };
  const innocent = async () => {
    const { params, text } = innocents[below(innocents.length)];
    report.innocents++;
    const outcome = await caller.ask('innocent', params, { class: 'deadline', ttlt: 60_000 });
    if (outcome.code === 'done') {
      report.done++;
      if (outcome.text !== text) report.wrong.push(`${outcome.id} got "${outcome.text}".`);
    }
    return outcome;
  };

  await server.load(world.config);
  const endMs = performance.now() + ms;
  while (performance.now() < endMs) {
    const dice = random();
    if (dice < 0.35 && caller.open.length < 40) keep(innocent());
    else if (dice < 0.6 && caller.open.length < 60) {
      keep(caller.ask(`hostile ${below(40)}`, attacks[below(attacks.length)]));
      await turn(); // as messages of a page come: each by itself
    } else if (dice < 0.68) {
      const { open } = caller;
      if (open.length > 0) await server.abort(open[below(open.length)]);
    } else if (dice < 0.68 + faultShare) {
      const name = names[below(names.length)];
      report.faults.set(name, (report.faults.get(name) ?? 0) + 1);
      keep(world.faults[name](random));
    } else await pause(below(5));
  }

  // All is quiet again.
  const settled = Promise.all([...running]);
  await Promise.race([settled, pause(boundMs)]);
  await server.cancelLoad();
  // An unload that is followed by a load may begin it only now.
  let loaded = await server.load(world.config);
  const inTime = performance.now() + boundMs;
  while (!loaded.ok && loaded.error.code === 'load_in_progress' && performance.now() < inTime) {
    await pause(20);
    loaded = await server.load(world.config);
  }
  if (!loaded.ok) report.wrong.push(`It cannot be loaded any more: ${loaded.error.message}`);
  const late = performance.now() + boundMs;
  while (caller.open.length > 0 && performance.now() < late) await pause(20);
  for (const id of caller.open) report.wrong.push(`${id} has not ended.`);
  // A fault that waited for a step has its turn yet, and each comes once.
  let last = await innocent();
  for (let tries = 1; last.code !== 'done' && tries < names.length; tries++)
    last = await innocent();
  if (last.code !== 'done') report.wrong.push(`The last request failed: ${last.code}.`);
  await pause(50);
  for (const { id, code, ends, tookMs } of caller.ended.values()) {
    report.longestMs = Math.max(report.longestMs, tookMs);
    if (ends !== 1) report.wrong.push(`${id} ended ${ends} times.`);
    if (code !== 'done' && !CODES.has(code)) report.wrong.push(`${id} failed with ${code}.`);
    if (tookMs > boundMs) report.wrong.push(`${id} took ${Math.round(tookMs)} ms.`);
  }
  report.requests = caller.ended.size;
  caller.leave();
  for (const [what, count] of Object.entries(world.held())) {
    if (count > 0) report.wrong.push(`${count} ${what} are held.`);
  }
  const live = await new Promise<{ resident: number; waiting: number }>((resolve) => {
    void server.watch((snapshot) => resolve(snapshot.live), 16);
  });
  if (live.resident + live.waiting > 0) report.wrong.push('Requests are live.');
  await server.dispose();
  return report;
}
