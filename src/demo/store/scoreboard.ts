import type { PolicyName, Snapshot } from '../../client';
import { APP_NAMES, type AppName } from '../design/apps';

/** What a policy has done on this page so far. */
export interface Score {
  policy: PolicyName;
  activeMs: number;
  gain: number;
  outputTokens: number;
  byApp: Record<AppName, { finished: number; met: number }>;
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
    for (const app of APP_NAMES) {
      const now = snapshot.metrics.byApp[app];
      const before = last.metrics.byApp[app];
      score.byApp[app].finished += (now?.finished ?? 0) - (before?.finished ?? 0);
      score.byApp[app].met += (now?.met ?? 0) - (before?.met ?? 0);
    }
  }

  #score(policy: PolicyName): Score {
    let score = this.scores.find((s) => s.policy === policy);
    if (score === undefined) {
      const none = () => ({ finished: 0, met: 0 });
      score = {
        policy,
        activeMs: 0,
        gain: 0,
        outputTokens: 0,
        byApp: { chat: none(), agent: none(), summarizer: none() },
      };
      this.scores.push(score);
    }
    return score;
  }
}
