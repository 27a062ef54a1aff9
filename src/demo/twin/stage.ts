import type { ServerState, Snapshot } from '../../client';
import { POLICY_NAMES } from '../../client';
import { StepHistory } from '../../dashboard/step-history';
import { type Arrival, seededRandom } from '../../lab';
import { APP_NAMES } from '../design/apps';
import { monitor, useLive } from '../store/live';
import { useSettings } from '../store/settings';
import { tempo } from '../store/tempo';
import { Device } from './device';
import { Fates } from './fates';
import { useLesson } from './lesson';
import { Prompts } from './prompts';
import type { FromRace, ToRace } from './replay/race';
import { arrivalOf, meanWorkMs, type ScenarioName, Traffic } from './scenarios';
import { SPAN_MS, verdictOf } from './verdict';
import { Visitors } from './visitors';

/** How often the replays are told to go on, and the verdict is given, ms. */
const ADVANCE_MS = 200;
const VERDICT_MS = 500;
/** How often arrivals are fitted to the device's speed, ms. */
const MEASURED_EVERY_MS = 5000;
/** The replays stay so far behind the live engine: what arrives by then is known. */
const BEHIND_MS = 120;
/** What is shown is this far behind, so that both sides have it. */
const SHOWN_BEHIND_MS = 450;
/** Where the replay cannot keep up, the picture waits for it so long, ms. */
const WAITS_MS = 2000;
/** Arrivals that a page could not send for so long are not made up for, ms: it was hidden. */
const MISSED_MS = 1500;
/** Who comes in a burst. */
const BURST = { chat: 8, agent: 1 };
/** Requests whose length the page does not know; see `Race`. */
const UNKNOWN = Number.POSITIVE_INFINITY;

/**
 * The lesson's engine room: sends the arrivals to the live engine and to the replays alike, and compares
 * what becomes of them.
 */
class Stage {
  /** What runs below, as the timeline draws it. */
  readonly twin = new StepHistory();
  readonly device = new Device();
  readonly #live = new Fates((id) => this.#names.get(id));
  readonly #twin = new Fates();
  /** What the engine's ids are called here, and the other way. */
  readonly #names = new Map<string, string>();
  readonly #ids = new Map<string, string>();
  /** Requests of the page's own, and how many tokens each has written. */
  readonly #own = new Map<string, number>();
  readonly #prompts = new Prompts(tempo);
  readonly #visitors = new Visitors(tempo, this.#prompts, (id, arrival, call) => {
    const name = call === undefined ? arrival.id : `${arrival.id}.${call}.0`; // as the replay calls it
    this.#names.set(id, name);
    this.#ids.set(name, id);
  });
  #worker: Worker | undefined;
  #run = 0;
  /** The server's clock less the page's, ms. */
  #offsetMs: number | undefined;
  #startMs = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #traffic: Traffic | undefined;
  #count = 0;
  #nextMs = 0;
  #verdictAt = 0;
  #meanMs = 1;
  #measuredAt = 0;

  start(): void {
    this.#worker = new Worker(new URL('./replay/worker.ts', import.meta.url), {
      type: 'module',
      name: 'replay',
    });
    this.#worker.addEventListener('message', ({ data }: MessageEvent<FromRace>) =>
      this.#hear(data),
    );
    monitor.onSnapshot((snapshot) => this.#take(snapshot));
    tempo.onState((state) => this.#follow(state));
    useLesson.subscribe((lesson, before) => {
      if (lesson.scenario !== before.scenario || lesson.seed !== before.seed) this.#restart();
      if (lesson.b !== before.b) {
        this.twin.clear();
        this.#twin.clear();
        this.#post({ type: 'show', policy: lesson.b });
      }
      if (lesson.bursts !== before.bursts) this.#burst(lesson.bursts);
    });
    useLive.subscribe(({ slos }, before) => {
      for (const app of APP_NAMES) {
        if (slos[app] !== before.slos[app]) this.#post({ type: 'slo', app, slo: slos[app] });
      }
    });
    useSettings.subscribe(({ demoTraffic }, before) => {
      if (demoTraffic !== before.demoTraffic) this.#restart();
    });
    setInterval(() => this.#advance(), ADVANCE_MS);
  }

  /** The latest time that both timelines can show, ms of the server's clock. */
  shownMs(): number {
    const latest = this.#now() - SHOWN_BEHIND_MS;
    return Math.max(Math.min(latest, this.twin.atMs), latest - WAITS_MS);
  }

  /** The engine's id of what arrived under this name. */
  liveId(name: string): string | undefined {
    return this.#ids.get(name);
  }

  /** The name of what the engine knows under this id. */
  nameOf(id: string): string | undefined {
    return this.#names.get(id);
  }

  /** Since when the numbers count, ms: 30 s, but not what arrived under another policy. */
  get sinceMs(): number {
    const { current } = monitor.ledger;
    return Math.max(this.shownMs() - SPAN_MS, this.#startMs, current?.fromMs ?? 0);
  }

  /** What became of the same requests above and below. */
  get fates(): { a: Fates; b: Fates } {
    return { a: this.#live, b: this.#twin };
  }

  #now(): number {
    return performance.now() + (this.#offsetMs ?? 0);
  }

  #post(message: ToRace): void {
    this.#worker?.postMessage(message);
  }

  #follow(state: ServerState): void {
    if (state.phase !== 'ready') {
      clearTimeout(this.#timer);
      return;
    }
    if (this.device.follow(state)) this.#prompts.forget();
    this.#restart();
  }

  /** Everybody leaves, and the same arrivals begin anew. */
  #restart(): void {
    clearTimeout(this.#timer);
    this.#visitors.dismiss();
    this.#run++;
    this.#traffic = undefined;
    for (const known of [this.#names, this.#ids, this.#own]) known.clear();
    this.#live.clear();
    this.#twin.clear();
    this.twin.clear();
    useLesson.setState({ verdict: undefined, standings: [], pinned: undefined });
    if (this.#offsetMs === undefined || tempo.state.phase !== 'ready') return;
    this.#startMs = this.#now();
    this.#post({
      type: 'start',
      run: this.#run,
      startMs: this.#startMs,
      device: this.device.profile,
      shown: useLesson.getState().b,
      others: POLICY_NAMES,
    });
    if (!useSettings.getState().demoTraffic) return;
    const { scenario, seed } = useLesson.getState();
    const { profile } = this.device;
    this.#traffic = new Traffic(scenario, seed, profile.contextWindow);
    this.#measure(scenario);
    this.#count = 0;
    this.#nextMs = this.#startMs;
    this.#schedule();
  }

  /** Waits for the next arrival, and for those after it. */
  #schedule(): void {
    const traffic = this.#traffic;
    if (traffic === undefined) return;
    const draft = traffic.next();
    const { scenario, load } = useLesson.getState();
    if (this.#now() - this.#measuredAt > MEASURED_EVERY_MS) this.#measure(scenario);
    this.#nextMs += (draft.gap * this.#meanMs) / load;
    this.#nextMs = Math.max(this.#nextMs, this.#now() - MISSED_MS);
    const atMs = this.#nextMs;
    const number = this.#count++;
    this.#timer = setTimeout(
      () => {
        this.#arrive(arrivalOf(draft, `r${number}`, atMs, useLive.getState().slos));
        this.#schedule();
      },
      Math.max(0, atMs - this.#now()),
    );
  }

  /** How fast the device is by now: load 1 is what fills it. */
  #measure(scenario: ScenarioName): void {
    this.#meanMs = meanWorkMs(scenario, this.device.profile);
    this.#measuredAt = this.#now();
  }

  #burst(number: number): void {
    if (this.#offsetMs === undefined || tempo.state.phase !== 'ready') return;
    const { scenario, seed } = useLesson.getState();
    const { contextWindow } = this.device.profile;
    const random = seededRandom(seed * 31 + number);
    const traffic = new Traffic(scenario, Math.floor(random() * 2 ** 31), contextWindow);
    const apps = [...Array(BURST.chat).fill('chat'), ...Array(BURST.agent).fill('agent')];
    for (const [i, app] of apps.entries()) {
      const { slos } = useLive.getState();
      this.#arrive(arrivalOf(traffic.of(app), `b${number}-${i}`, this.#now(), slos));
    }
  }

  #arrive(arrival: Arrival): void {
    this.#post({ type: 'arrive', arrival });
    void this.#visitors.send(arrival);
  }

  #take(snapshot: Snapshot): void {
    const offsetMs = snapshot.atMs - performance.now();
    const first = this.#offsetMs === undefined;
    // The least that a snapshot was under way; a page's and a worker's clock may drift apart a little.
    this.#offsetMs = Math.max(offsetMs, (this.#offsetMs ?? offsetMs) - 0.1);
    if (first || this.#startMs > snapshot.atMs + 5000) {
      this.#offsetMs = offsetMs;
      this.#restart();
    }
    this.device.add(snapshot);
    if (this.#visitors.unnamed === 0) this.#replayOwn(snapshot);
    this.#live.add(snapshot);
  }

  /** What the reader asks, and the summarizer, is replayed, too: how long an answer is, once that is known. */
  #replayOwn({ requests, steps }: Snapshot): void {
    const live = new Set<string>();
    for (const request of requests) {
      const { id, app, stage, slo, program, dueMs, arrivalMs, promptTokens, maxTokens } = request;
      live.add(id);
      this.#own.set(id, Math.max(request.generatedTokens, this.#own.get(id) ?? 0));
      if (this.#names.has(id)) continue;
      // A program of the page's own goes on as its answers come: its calls are replayed one by one.
      this.#names.set(id, id);
      this.#ids.set(id, id);
      const left = dueMs === undefined ? 1 : Math.max(1, Math.round(dueMs - arrivalMs));
      const objective = program === undefined ? slo : { class: 'deadline' as const, ttlt: left };
      const call = { stage, promptTokens, maxTokens, outputTokens: UNKNOWN };
      this.#post({
        type: 'arrive',
        arrival: { kind: 'request', id, app, atMs: arrivalMs, slo: objective, call },
      });
    }
    for (const { work } of steps) {
      for (const { requestId, output } of work) {
        if (output !== undefined) this.#own.set(requestId, output.index + 1);
      }
    }
    for (const [id, outputTokens] of this.#own) {
      if (live.has(id)) continue;
      this.#own.delete(id);
      if (this.#names.get(id) === id) this.#post({ type: 'length', id, outputTokens });
    }
  }

  #hear(message: FromRace): void {
    if (message.run !== this.#run) return;
    if (message.type === 'standings') {
      useLesson.setState({ standings: message.standings });
      return;
    }
    const { policy, whole, frames } = message;
    if (policy !== useLesson.getState().b) return;
    if (whole) {
      this.twin.clear();
      this.#twin.clear();
    }
    for (const frame of frames) {
      this.twin.add({ ...frame, policy });
      this.#twin.add(frame);
    }
  }

  #advance(): void {
    if (this.#offsetMs === undefined || tempo.state.phase !== 'ready') return;
    this.#post({
      type: 'advance',
      toMs: this.#now() - BEHIND_MS,
      device: this.device.profile,
      sinceMs: this.sinceMs,
    });
    const now = performance.now();
    if (now - this.#verdictAt < VERDICT_MS) return;
    this.#verdictAt = now;
    const { b } = useLesson.getState();
    useLesson.setState({
      verdict: verdictOf({
        a: { policy: useLive.getState().policy, fates: this.#live },
        b: { policy: b, fates: this.#twin },
        sinceMs: this.sinceMs,
        nowMs: this.shownMs(),
      }),
    });
  }
}

export const stage = new Stage();
