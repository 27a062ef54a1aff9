import { batchSize, pagesFor } from './executor';
import type { Decision, Reason, Request } from './request';
import type { SchedulerView } from './view';

export interface PlannedWork {
  request: Request;
  /** Known tokens to compute; 1 is a decode. */
  tokens: number;
}

/** What a policy wants in the next step. */
export interface Plan {
  readonly number: number;
  /** When it was made, ms. */
  readonly at: number;
  readonly work: readonly PlannedWork[];
  /** Members of `work` that are to become resident first. */
  readonly admitted: readonly Request[];
  /** Residents whose pages are to be dropped before the step. */
  readonly preempted: readonly Request[];
}

type Numbers = Omit<Decision, 'tokens' | 'reason'>;

/**
 * Puts a plan together, one request at a time, within what the engine can do: batch, sequences,
 * pages, prefill tokens, and which kinds of work may share a step. Every refusal has a reason,
 * which becomes the request's decision; so a policy cannot make an impossible plan, nor an
 * unexplained one.
 */
export class PlanBuilder {
  readonly #view: SchedulerView;
  readonly #number: number;
  readonly #work: PlannedWork[] = [];
  readonly #admitted: Request[] = [];
  readonly #preempted: Request[] = [];
  readonly #cachedTokens: (request: Request) => number;
  #freePages: number;
  #residents: number;
  #prefillLeft: number;
  #decodes = 0;

  /** `cachedTokens`: how many tokens of a request without pages its admission would find computed. */
  constructor(
    view: SchedulerView,
    number: number,
    cachedTokens = (request: Request) => request.cachedTokens,
  ) {
    this.#view = view;
    this.#number = number;
    this.#cachedTokens = cachedTokens;
    this.#freePages = view.kv.freePages;
    this.#residents = view.resident.length;
    this.#prefillLeft = view.capacity.maxPrefillTokens;
  }

  /** Sequences in the plan. */
  get batch(): number {
    return this.#work.length;
  }

  get maxBatch(): number {
    return batchSize(this.#view);
  }

  get decodes(): number {
    return this.#decodes;
  }

  get freePages(): number {
    return this.#freePages;
  }

  /** Sequences that may still become resident. */
  get freeSequences(): number {
    return this.#view.capacity.maxSequences - this.#residents;
  }

  /** Prefill tokens this step may still take. */
  get prefillLeft(): number {
    return this.#prefillLeft;
  }

  get work(): readonly PlannedWork[] {
    return this.#work;
  }

  /** Tokens of the request that are computed, or that its admission would find computed. */
  cachedTokens(request: Request): number {
    return request.resident ? request.computed : this.#cachedTokens(request);
  }

  /** Pages that the request lacks to hold so many of its tokens. */
  pagesFor(request: Request, tokens: number): number {
    return pagesFor(tokens, this.#view.capacity.pageSize) - this.#heldPages(request);
  }

  /** Whether the request is settled in this plan: in the step, or preempted. */
  has(request: Request): boolean {
    const { tokens, reason } = request.decision;
    return request.planNumber === this.#number && (tokens > 0 || reason === 'preempted');
  }

  /**
   * Adds a request's next work: one decode, or as much of its pending prompt as fits (at most
   * `maxTokens`). Returns the tokens taken, 0 when it was refused (the decision says why).
   * `makeRoom`: when pages are short, drop residents that are not in the plan, latest first.
   * A resident makes room unless told otherwise, so that there is always progress.
   */
  add(
    request: Request,
    reason: Reason,
    numbers: Numbers = {},
    options: { maxTokens?: number; makeRoom?: boolean } = {},
  ): number {
    if (this.has(request)) return 0;
    if (request.resident && request.preparing) return this.#refuse(request, 'preparing', numbers);
    const { capabilities } = this.#view;
    if (this.#work.length >= this.maxBatch) return this.#refuse(request, 'batch-full', numbers);
    const decode = request.resident && request.decoding;
    if (!capabilities.mixedSteps && this.#work.length > 0 && decode !== this.#decodes > 0) {
      return this.#refuse(request, 'step-kind', numbers);
    }
    if (!request.resident && this.freeSequences <= 0) {
      return this.#refuse(request, 'sequences-full', numbers);
    }

    const cached = this.cachedTokens(request);
    const pending = request.knownTokens - cached;
    let tokens = 1;
    if (!decode) {
      tokens = Math.min(pending, this.#prefillLeft, options.maxTokens ?? Number.POSITIVE_INFINITY);
      if (!capabilities.continuedPrefill && tokens < pending) tokens = 0;
      if (tokens < 1) return this.#refuse(request, 'prefill-budget', numbers);
    }

    const makeRoom = options.makeRoom ?? request.resident;
    const needed = this.pagesFor(request, cached + tokens);
    if (needed > this.#freePages && makeRoom) this.#makeRoom(request, needed);
    if (needed > this.#freePages) {
      // A shorter chunk may still fit.
      tokens = decode || !capabilities.continuedPrefill ? 0 : this.#room(request) - cached;
      if (tokens < 1) return this.#refuse(request, 'pages-full', numbers);
    }

    this.#freePages -= this.pagesFor(request, cached + tokens);
    if (decode) this.#decodes++;
    else this.#prefillLeft -= tokens;
    if (!request.resident) {
      this.#residents++;
      this.#admitted.push(request);
    }
    this.#work.push({ request, tokens });
    this.#decide(request, tokens, reason, numbers);
    return tokens;
  }

  /** Leaves a request out of this step, and says why. */
  skip(request: Request, reason: Reason, numbers: Numbers = {}): void {
    if (!this.has(request)) this.#refuse(request, reason, numbers);
  }

  /**
   * Drops a resident's pages before the step; it waits again, with its tokens kept. What this engine
   * could not compute again keeps its pages.
   */
  preempt(request: Request, numbers: Numbers = {}): void {
    if (!request.resident || this.has(request) || !this.#recomputable(request)) return;
    this.#preempted.push(request);
    this.#freePages += this.#view.kv.pagesOf(request.id);
    this.#residents--;
    this.#decide(request, 0, 'preempted', numbers);
  }

  build(): Plan {
    return {
      number: this.#number,
      at: this.#view.now,
      work: this.#work,
      admitted: this.#admitted,
      preempted: this.#preempted,
    };
  }

  /** Whether its tokens so far fit into a step, where they cannot be computed in chunks. */
  #recomputable(request: Request): boolean {
    const { capabilities, capacity } = this.#view;
    return capabilities.continuedPrefill || request.knownTokens <= capacity.maxPrefillTokens;
  }

  /** Tokens of the request that its own and the free pages hold. */
  #room(request: Request): number {
    return (this.#heldPages(request) + this.#freePages) * this.#view.capacity.pageSize;
  }

  #heldPages(request: Request): number {
    return request.resident ? pagesFor(request.computed, this.#view.capacity.pageSize) : 0;
  }

  #makeRoom(request: Request, needed: number): void {
    const { resident } = this.#view;
    for (let i = resident.length - 1; i >= 0 && needed > this.#freePages; i--) {
      if (resident[i] !== request) this.preempt(resident[i]);
    }
  }

  #refuse(request: Request, reason: Reason, numbers: Numbers): 0 {
    this.#decide(request, 0, reason, numbers);
    return 0;
  }

  #decide(request: Request, tokens: number, reason: Reason, numbers: Numbers): void {
    const { slackMs, density, remainingTokens } = numbers;
    request.planNumber = this.#number;
    // One shape, field by field: this runs for hundreds of requests a plan.
    request.decision = { tokens, reason, slackMs, density, remainingTokens };
  }
}
