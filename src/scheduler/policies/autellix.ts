import type { Policy } from '../policy';
import type { Program } from '../program';
import type { Request } from '../request';
import type { PolicyAbout, PolicyEntry } from './entry';
import { serveLowest } from './queue';

export const entry: PolicyEntry = {
  name: 'autellix',
  aliases: ['agentix'],
  make: () => autellix(),
};

export const about: PolicyAbout = {
  origin: 'Autellix (Agentix)',
  line: 'The program that was served least so far goes first, in quanta of tokens.',
  order: 'least served program first',
  goesBy: 'served',
  source: 'Luo et al., NSDI ’26, arXiv 2502.13965',
};

/** Output tokens of a priority level, as the JITServe artifact runs it as a baseline. */
const QUANTUM_TOKENS = 400;
/** Waiting this many times as long as it was served takes a program to the top level. */
const STARVATION_RATIO = 10;

interface Service {
  tokens: number;
  servedMs: number;
  sinceMs: number;
}

/**
 * Autellix: program-level attained service (PLAS). Who has received least service as a program, over all
 * its calls, runs first; service is counted in quanta, and within a level the order is that of arrival; a
 * program that has waited long in proportion to its service goes to the top (Luo et al., "Autellix: An
 * Efficient Serving Engine for LLM Agents as General Programs", arXiv 2502.13965, section 4.2; published
 * at NSDI '26 as "Agentix", a name that is taken, too). A request on its own is a program of one call.
 */
export function autellix(quantumTokens = QUANTUM_TOKENS): Policy {
  const services = new Map<Request | Program, Service>();
  const of = (request: Request) => request.program ?? request;
  return {
    name: 'autellix',
    submitted(request) {
      for (const program of services.keys()) if (program.ended) services.delete(program);
      if (!services.has(of(request))) {
        services.set(of(request), { tokens: 0, servedMs: 0, sinceMs: request.arrivalMs });
      }
    },
    served(request, tokens, stepMs) {
      const service = services.get(of(request));
      if (service === undefined) return;
      // Output counts, as in the artifact: a prompt's last chunk yields one token, too.
      if (tokens === 1) service.tokens++;
      service.servedMs += stepMs;
    },
    plan(view, builder) {
      const rank = (request: Request) => {
        const service = services.get(of(request));
        if (service === undefined) return 0;
        const waitedMs = view.now - service.sinceMs - service.servedMs;
        if (service.servedMs > 0 && waitedMs > STARVATION_RATIO * service.servedMs) return 0;
        return Math.floor(service.tokens / quantumTokens);
      };
      serveLowest(rank, view, builder);
    },
  };
}
