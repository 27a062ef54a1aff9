import { create } from 'zustand';
import type { TempoErrorJson } from '../../client';
import type { Channel } from '../chat/chat-store';
import { errorOf, isAbort } from '../store/complete';
import { agentDeadlineMs, useLive } from '../store/live';
import { runAgent, type Step } from './agent';
import { scenarioFor } from './scenarios';

/** One task on its way to an answer, under one deadline. */
export interface Run {
  task: string;
  deadlineMs: number;
  /** The page's clock, ms. */
  startedAt: number;
  state: 'running' | 'done' | 'stopped' | 'failed';
  steps: readonly Step[];
  answer?: string;
  met?: boolean;
  durationMs?: number;
  error?: TempoErrorJson;
}

interface Agent {
  channel: Channel;
  runs: Partial<Record<Channel, Run>>;
  show(channel: Channel): void;
  /** Resolves when the run has ended, however it did. */
  run(channel: Channel, task: string): Promise<void>;
  stop(channel: Channel): void;
}

const running: Partial<Record<Channel, AbortController>> = {};

export const useAgent = create<Agent>()((set) => {
  const update = (channel: Channel, change: (run: Run) => Run) =>
    set(({ runs }) => {
      const run = runs[channel];
      return run === undefined ? {} : { runs: { ...runs, [channel]: change(run) } };
    });

  return {
    channel: 'demo',
    runs: {},

    show: (channel) => set({ channel }),

    async run(channel, task) {
      running[channel]?.abort();
      const controller = new AbortController();
      running[channel] = controller;
      const startedAt = performance.now();
      const deadlineMs = agentDeadlineMs(useLive.getState().slos);
      set(({ runs }) => ({
        runs: {
          ...runs,
          [channel]: { task, deadlineMs, startedAt, state: 'running', steps: [] },
        },
      }));
      const mine = (change: (run: Run) => Run) =>
        update(channel, (run) => (run.startedAt === startedAt ? change(run) : run));
      try {
        const { answer, report } = await runAgent(task, {
          deadlineMs,
          scenario: scenarioFor(task),
          signal: controller.signal,
          onStep: (step) => mine((run) => ({ ...run, steps: withStep(run.steps, step) })),
        });
        const { met, durationMs } = report;
        mine((run) => ({ ...run, state: 'done', answer, met, durationMs }));
      } catch (thrown) {
        const error = isAbort(thrown) ? undefined : errorOf(thrown);
        const durationMs = performance.now() - startedAt;
        mine((run) => ({ ...run, state: error ? 'failed' : 'stopped', error, durationMs }));
      } finally {
        if (running[channel] === controller) delete running[channel];
      }
    },

    stop(channel) {
      running[channel]?.abort();
    },
  };
});

function withStep(steps: readonly Step[], step: Step): readonly Step[] {
  return steps.some((s) => s.key === step.key)
    ? steps.map((s) => (s.key === step.key ? step : s))
    : [...steps, step];
}
