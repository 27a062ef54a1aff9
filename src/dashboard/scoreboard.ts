import type { PolicyName, Snapshot } from '../client';

/** What a policy has done so far. */
export interface Score {
  policy: PolicyName;
  activeMs: number;
  gain: number;
  outputTokens: number;
  byApp: Map<string, { finished: number; met: number }>;
}

/** Keeps the score of each policy while it is in charge, so that a switch can be judged. */
export class Scoreboard {
  readonly scores: Score[] = [];
  #last: Snapshot | undefined;

  add(snapshot: Snapshot): void {
    const last = this.#last;
    this.#last = snapshot;
    if (last === undefined || last.policy !== snapshot.policy) return;
    const grown = snapshot.metrics.total.submitted >= last.metrics.total.submitted;
    if (!grown || snapshot.atMs < last.atMs || snapshot.requests.length === 0) return;
    const score = this.#score(snapshot.policy);
    score.activeMs += snapshot.atMs - last.atMs;
    score.gain += snapshot.metrics.total.gain - last.metrics.total.gain;
    score.outputTokens += snapshot.metrics.total.outputTokens - last.metrics.total.outputTokens;
    for (const [app, now] of Object.entries(snapshot.metrics.byApp)) {
      const before = last.metrics.byApp[app];
      const counts = score.byApp.get(app) ?? { finished: 0, met: 0 };
      counts.finished += now.finished - (before?.finished ?? 0);
      counts.met += now.met - (before?.met ?? 0);
      score.byApp.set(app, counts);
    }
  }

  #score(policy: PolicyName): Score {
    let score = this.scores.find((s) => s.policy === policy);
    if (score === undefined) {
      score = { policy, activeMs: 0, gain: 0, outputTokens: 0, byApp: new Map() };
      this.scores.push(score);
    }
    return score;
  }
}
