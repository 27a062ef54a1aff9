import type { Explanation, StepTrace } from '../../client';
import { h, tint } from '../dom';
import { reasonWords } from '../reasons';
import type { StepHistory } from '../step-history';
import type { View } from '../view';
import type { Selection } from './timeline-canvas';

const WIDTH = 288;

/** What one step did, for whom and why; and whom it left out. `width`: the timeline's, px. */
export function stepCard(
  { step, history, x }: Selection,
  width: number,
  view: Pick<View, 'roster'>,
): HTMLElement {
  const prompts = step.work.filter((work) => work.kind === 'prefill');
  const promptTokens = prompts.reduce((sum, work) => sum + work.tokens, 0);
  const decoded = `${step.work.length - prompts.length} decoded`;
  const facts = promptTokens > 0 ? `${decoded}, ${promptTokens} prompt tokens` : decoded;
  const card = h(
    'div',
    { class: 'step-card', part: 'step-card' },
    h(
      'p',
      { class: 'step-card-head' },
      h('b', {}, `Step ${step.number.toLocaleString('en')}`),
      ` ${(step.endMs - step.startMs).toFixed(1)} ms`,
      h('br'),
      h('span', { class: 'muted' }, facts),
    ),
    h(
      'ul',
      {},
      ...linesOf(step, history, view).map(({ app, served, text, why }) => {
        const line = h(
          'li',
          { class: served ? 'served' : undefined, 'data-app': app },
          h('span', { class: 'swatch' }),
          h('span', {}, text, h('span', { class: 'why' }, why)),
        );
        tint(line, view.roster.of(app).color);
        return line;
      }),
      ...step.preempted.map((id) =>
        h('li', { class: 'late' }, `${stageOf(id, history)} lost its pages`),
      ),
    ),
  );
  const beside = x < width / 2 ? x + 12 : x - WIDTH - 12;
  card.style.width = `${WIDTH}px`;
  card.style.left = `${Math.max(4, Math.min(width - WIDTH - 4, beside))}px`;
  return card;
}

interface Line {
  app: string;
  served: boolean;
  text: string;
  why: string;
}

const HELD = 'not served';

/** One line for all requests of an app that were treated alike, for the same reason. */
function linesOf(step: StepTrace, history: StepHistory, view: Pick<View, 'roster'>): Line[] {
  const { policy, plan } = history.planAt(step.endMs);
  const groups = new Map<string, { app: string; does: string; why: string; stages: string[] }>();
  const add = (app: string, id: string, does: string, why: string) => {
    const key = `${app} ${does} ${why}`;
    const group = groups.get(key) ?? { app, does, why, stages: [] };
    group.stages.push(stageOf(id, history));
    groups.set(key, group);
  };
  // Without the numbers of each, so that those who fared alike share a line.
  const wordsOf = ({ requestId, app, chosen, tokens, reason }: Explanation) =>
    reasonWords({ policy, line: { requestId, app, chosen, tokens, reason } });
  for (const { requestId, app, kind, tokens } of step.work) {
    const line = plan.find((entry) => entry.requestId === requestId && entry.chosen);
    const does = kind === 'decode' ? 'decoded' : `read ${tokens} tokens`;
    add(app, requestId, does, line ? wordsOf(line) : '');
  }
  for (const line of plan) {
    const worked = step.work.some((work) => work.requestId === line.requestId);
    if (!worked && !line.chosen) add(line.app, line.requestId, HELD, wordsOf(line));
  }
  const { roster } = view;
  return [...groups.values()]
    .map(({ app, does, why, stages }) => ({
      app,
      served: does !== HELD,
      text: `${roster.of(app).label} ${countOf(stages)} ${does}`,
      why,
    }))
    .sort(
      (a, b) =>
        Number(b.served) - Number(a.served) || roster.indexOf(a.app) - roster.indexOf(b.app),
    );
}

function stageOf(id: string, history: StepHistory): string {
  return history.span(id)?.stage ?? id;
}

/** `map`, `3 map`, `2 map, 1 reduce`. */
function countOf(stages: readonly string[]): string {
  if (stages.length === 1) return stages[0];
  const names = [...new Set(stages)];
  return names.map((name) => `${stages.filter((s) => s === name).length} ${name}`).join(', ');
}
