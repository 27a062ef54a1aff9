import type { EngineCapacity } from '../executor';
import type { Plan } from '../plan';
import type { Policy } from '../policy';
import type { Program } from '../program';
import { Request, type RequestSpec } from '../request';
import { Scheduler } from '../scheduler';

/** For tests: a scheduler and an engine small enough to follow with a pencil. */
export interface TableTopOptions extends Partial<EngineCapacity> {
  /** A step takes 10 ms, and this much for each prompt token … */
  perPrefillTokenMs?: number;
  /** Time for each decode of a step, ms; 0 if not given. */
  perDecodeMs?: number;
}

type Draft = Partial<RequestSpec> & { id: string; outputTokens?: number };

/** Runs a policy by hand: steps last as long as the test says. */
export class TableTop {
  readonly scheduler: Scheduler;
  now = 0;
  /** Tokens that a request's admission finds computed, by its id. */
  readonly cached = new Map<string, number>();
  readonly #outputs = new Map<Request, number>();

  constructor(
    policy: Policy,
    { perPrefillTokenMs = 0, perDecodeMs = 0, ...capacity }: TableTopOptions = {},
  ) {
    const full: EngineCapacity = {
      maxSequences: 16,
      maxBatch: 2,
      totalPages: 1000,
      pageSize: 16,
      contextWindow: 4096,
      maxPrefillTokens: 2048,
      ...capacity,
    };
    const pages = (request: Request | undefined) =>
      Math.ceil((request?.computed ?? 0) / full.pageSize);
    const scheduler: { current?: Scheduler } = {};
    const residents = () => scheduler.current?.resident ?? [];
    this.scheduler = new Scheduler({
      policy,
      engine: {
        capacity: full,
        capabilities: {
          batchedDecode: true,
          continuedPrefill: true,
          mixedSteps: true,
        },
        kv: {
          get freePages() {
            return full.totalPages - residents().reduce((sum, r) => sum + pages(r), 0);
          },
          cachedPages: 0,
          pagesOf: (id) => pages(residents().find((request) => request.id === id)),
          matchPrefix: () => 0,
        },
      },
      costs: { baseMs: 10, perDecodeMs, perContextTokenMs: 0, perPrefillTokenMs },
    });
    scheduler.current = this.scheduler;
  }

  /** Defaults: app `app`, best effort, a prompt of one token, an endless answer. */
  submit({ outputTokens, ...draft }: Draft): Request {
    const spec: RequestSpec = {
      app: 'app',
      slo: { class: 'best-effort' },
      promptTokens: 1,
      maxTokens: 1024,
      ...draft,
    };
    const request = this.scheduler.submit(spec, this.now);
    if (outputTokens !== undefined) this.#outputs.set(request, outputTokens);
    return request;
  }

  program(id: string, deadlineMs: number): Program {
    return this.scheduler.startProgram({ id, app: 'app', deadlineMs }, this.now);
  }

  /** Has the length predictor see `count` answers of `outputTokens` from `app`. */
  teach(app: string, outputTokens: number, count = 200): void {
    for (let i = 0; i < count; i++) {
      const spec = { id: `${app}-${i}`, app, promptTokens: 1, maxTokens: 1024 };
      const request = new Request({ ...spec, slo: { class: 'best-effort' } }, 0, i);
      request.generated = outputTokens;
      this.scheduler.lengths.observe(request);
    }
  }

  /** One step of `durationMs`. Returns what ran: tokens by request id, in the plan's order. */
  step(durationMs = 10): Record<string, number> {
    const cached = (request: Request) => this.cached.get(request.id) ?? request.cachedTokens;
    const plan = this.scheduler.plan(this.now, cached);
    for (const request of plan.admitted) {
      this.scheduler.admitted(request, this.cached.get(request.id) ?? 0);
    }
    this.now += durationMs;
    this.scheduler.stepped(plan, durationMs, this.now);
    this.#sample(plan);
    this.scheduler.takeReleased();
    return Object.fromEntries(plan.work.map(({ request, tokens }) => [request.id, tokens]));
  }

  /** The same step, `count` times. Returns the last. */
  steps(count: number, durationMs = 10): Record<string, number> {
    let ran: Record<string, number> = {};
    for (let i = 0; i < count; i++) ran = this.step(durationMs);
    return ran;
  }

  #sample(plan: Plan): void {
    for (const { request } of plan.work) {
      if (request.pendingTokens > 0) continue;
      this.scheduler.token(request, this.now);
      if (request.generated === this.#outputs.get(request)) {
        this.scheduler.finish(request, 'stop', this.now);
      }
    }
  }
}
