import '../../dashboard';
import type { DashboardApps } from '../../dashboard';
import { APP_LABELS } from '../design/apps';
import { monitor } from '../store/live';
import { tempo } from '../store/tempo';

/** The page's apps, and what it knows of them that a dashboard does not. */
export const APPS: DashboardApps = {
  chat: { label: APP_LABELS.chat, color: 'var(--chat)' },
  agent: {
    label: APP_LABELS.agent,
    color: 'var(--agent)',
    facts() {
      const { met = 0, judged = 0, finished = 0 } = monitor.ledger.current?.account('agent') ?? {};
      return [
        // Each by the deadline that it began with, whatever that is by now.
        { name: 'runs in time', value: String(met), target: `of ${judged}` },
        { name: 'calls finished', value: String(finished) },
      ];
    },
  },
  summarizer: {
    label: APP_LABELS.summarizer,
    color: 'var(--summarizer)',
    lanes: 8,
    facts() {
      const account = monitor.ledger.current?.account('summarizer');
      const tbt = account?.tbt.p95;
      return [
        { name: 'parts summarized', value: String(account?.finished ?? 0) },
        {
          name: 'TBT, p95',
          value: tbt === undefined ? '–' : String(Math.round(tbt)),
          target: 'ms',
        },
      ];
    },
  },
};

/** Every live request: what it does, when it is due, and why the last plan ran it or did not. */
export function Queue() {
  return <tempo-dashboard className="panel queue" show="queue" tempo={tempo} apps={APPS} />;
}

/** The figures behind the picture. */
export function Numbers() {
  return <tempo-dashboard className="panel numbers" show="numbers" tempo={tempo} apps={APPS} />;
}
