import type { Policy, PolicyOptions } from '../policy';
import type { Program } from '../program';
import type { Request } from '../request';
import type { SchedulerView } from '../view';
import type { PolicyAbout, PolicyEntry } from './entry';
import { lowest, serveToCompletion } from './queue';

export const entry: PolicyEntry = { name: 'justitia', make: (options) => justitia(options) };

export const about: PolicyAbout = {
  origin: 'Justitia',
  line: 'Whoever would end first if all shared the memory fairly goes first, with all that it can use.',
  order: 'who would end first under fair shares',
  words: {
    decodes: 'Runs, so it gets a token in every step',
    reads: 'Reads {prompt}: {order}',
    pauses: 'The prompt tokens of this step are spent',
  },
  source: 'Yang et al., arXiv 2510.17015',
};

/** A program, or a request by itself. */
type Agent = Program | Request;

/**
 * Justitia: agents are served one after another, each with all that it can use, in the order in which they
 * would end if all shared the memory fairly. An agent's cost is the memory that it takes over time: for
 * each call with p prompt and d output tokens p · d + d²/2 KV tokens times steps. Virtual time V runs at
 * the memory's size over the number of agents that fair sharing would still be serving; an agent that
 * arrives at V with cost C would end at V + C, which is computed once and never changed, and the calls
 * that wait are taken by it. Calls that run are not preempted (Yang et al., "Justitia: Fair and Efficient
 * Scheduling of Task-parallel LLM Agents with Selective Pampering", arXiv 2510.17015).
 *
 * Published is a small neural network that predicts the agent's cost from its prompt. Here it is the
 * scheduler's: the median length of a call, and for what comes after a program's first stage the mean of
 * what followed in programs like it. Decided here: a program's calls of the first stage, which arrive one
 * by one, add their costs to its end; a request by itself is an agent of one call; weights divide costs; a
 * step is the unit of time.
 */
export function justitia({ weights = {} }: PolicyOptions = {}): Policy {
  /** When each agent would end, in virtual time. */
  const ends = new Map<Agent, number>();
  const fluid = new FairShares();
  const counted = new WeakSet<Request>();
  return {
    name: 'justitia',
    submitted(request, view) {
      if (counted.has(request)) return;
      counted.add(request);
      for (const agent of ends.keys()) if (agent.ended) ends.delete(agent);
      const { program } = request;
      const agent = program ?? request;
      const weight = weights[request.app] ?? 1;
      const before = ends.get(agent);
      if (before !== undefined) {
        // Later stages were foreseen.
        if (program !== undefined && program.stages.length > 1) return;
        const end = before + callCost(request, view) / weight;
        ends.set(agent, end);
        fluid.move(before, end);
        return;
      }
      const after = program === undefined ? 0 : costAfter(program, view);
      const end = fluid.now + (callCost(request, view) + after) / weight;
      ends.set(agent, end);
      fluid.add(end);
    },
    plan(view, builder) {
      const { totalPages, pageSize } = view.capacity;
      fluid.advance(totalPages * pageSize);
      const rank = (request: Request) =>
        ends.get(request.program ?? request) ?? Number.POSITIVE_INFINITY;
      serveToCompletion(lowest([view.waiting], builder.maxBatch, rank), view, builder);
    },
  };
}

/** KV tokens times steps of a call: its prompt for as long as it decodes, and its output as it grows. */
function kvTokenSteps(promptTokens: number, outputTokens: number): number {
  return promptTokens * outputTokens + outputTokens ** 2 / 2;
}

function callCost(request: Request, view: SchedulerView): number {
  const outputTokens = request.generated + view.lengths.remaining(request, 0.5);
  return kvTokenSteps(request.promptTokens, outputTokens);
}

/** Expected cost of what a program does after its current stage: calls of the mean size. */
function costAfter(program: Program, view: SchedulerView): number {
  let cost = 0;
  for (const { weight, calls, promptTokens, outputTokens } of view.graphs.futures(program)) {
    if (calls > 0)
      cost += weight * calls * kvTokenSteps(promptTokens / calls, outputTokens / calls);
  }
  return cost;
}

/** Virtual time of a server that all agents share fairly. */
class FairShares {
  /** Virtual time, in KV tokens times steps that each agent would have received. */
  now = 0;
  /** When the agents end that it would still be serving, soonest first. */
  readonly #ends: number[] = [];

  add(end: number): void {
    this.#ends.splice(this.#place(end), 0, end);
  }

  /** An agent turned out to take longer; one that would have ended is served again. */
  move(before: number, end: number): void {
    const at = this.#place(before);
    if (this.#ends[at] === before) this.#ends.splice(at, 1);
    this.add(end);
  }

  /** One step, in which `tokens` of memory are shared. */
  advance(tokens: number): void {
    let left = tokens;
    while (this.#ends.length > 0) {
      const soonest = (this.#ends[0] - this.now) * this.#ends.length;
      if (soonest > left) {
        this.now += left / this.#ends.length;
        return;
      }
      left -= Math.max(0, soonest);
      this.now = Math.max(this.now, this.#ends[0]);
      this.#ends.shift();
    }
  }

  /** The first place whose end is not sooner. */
  #place(end: number): number {
    let low = 0;
    let high = this.#ends.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#ends[middle] < end) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
