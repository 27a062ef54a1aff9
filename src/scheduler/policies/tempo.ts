import { weightedTokens } from '../gain';
import type { Policy, SchedulerView } from '../policy';
import type { Request } from '../request';

interface Ranked {
  request: Request;
  slackMs: number;
  density: number;
  remainingTokens: number;
}

/**
 * Tempo, first cut: critical requests by slack, then everything else by service-gain density
 * (arXiv 2504.20068, section 4).
 */
export function tempo(): Policy {
  return {
    name: 'tempo',
    plan(view, builder) {
      const ranked = [...view.resident, ...view.waiting].map((request) => rank(request, view));
      const urgentMs =
        4 * view.cost.stepMs({ decodes: 8, contextTokens: 4096, prefillTokens: 256 });
      const critical = ranked.filter((r) => r.slackMs >= 0 && r.slackMs < urgentMs);
      critical.sort((a, b) => a.slackMs - b.slackMs || a.request.order - b.request.order);
      const rest = ranked.filter((r) => !critical.includes(r));
      rest.sort((a, b) => b.density - a.density || a.request.order - b.request.order);
      for (const r of critical) builder.add(r.request, 'critical', r);
      for (const r of rest) builder.add(r.request, 'density', r);
    },
  };
}

function rank(request: Request, view: SchedulerView): Ranked {
  const remainingTokens = view.lengths.remaining(request, 0.5);
  const { baseMs, perDecodeMs, perPrefillTokenMs } = view.cost.costs;
  const prefillMs = request.decoding ? 0 : request.pendingTokens * perPrefillTokenMs;
  const neededMs = prefillMs + remainingTokens * (perDecodeMs + baseMs);
  const gain = weightedTokens(request, request.generated + remainingTokens, view.gain);
  const due =
    request.class === 'latency' ? request.tokenDueMs(request.generated) : request.deadlineMs;
  const untilDue = request.class === 'latency' ? prefillMs + baseMs + perDecodeMs : neededMs;
  return {
    request,
    slackMs: due - view.now - untilDue,
    density: gain / neededMs,
    remainingTokens,
  };
}
