import type { Explanation, StepTrace } from '../../../client';
import { APP_LABELS, APP_NAMES, isAppName } from '../../design/apps';
import { history } from '../../store/live';
import { reasonWords } from '../reasons';

interface StepCardProps {
  step: StepTrace;
  /** px from the timeline's left edge. */
  x: number;
  width: number;
}

const WIDTH = 288;

/** What one step did, for whom and why; and whom it left out. */
export function StepCard({ step, x, width }: StepCardProps) {
  const plan = history.planAt(step.endMs);
  const prompts = step.work.filter((work) => work.kind === 'prefill');
  const promptTokens = prompts.reduce((sum, work) => sum + work.tokens, 0);
  const beside = x < width / 2 ? x + 12 : x - WIDTH - 12;
  return (
    <div
      className="step-card"
      style={{ width: WIDTH, left: Math.max(4, Math.min(width - WIDTH - 4, beside)) }}
    >
      <p className="step-card-head">
        <b>Step {step.number.toLocaleString('en')}</b> {(step.endMs - step.startMs).toFixed(1)} ms
        <br />
        <span className="muted">
          {step.work.length - prompts.length} decoded
          {promptTokens > 0 && `, ${promptTokens} prompt tokens`}
        </span>
      </p>
      <ul>
        {linesOf(step, plan).map(({ key, app, served, text, why }) => (
          <li key={key} data-app={app} className={served ? 'served' : undefined}>
            <span className="swatch" />
            <span>
              {text}
              <span className="why">{why}</span>
            </span>
          </li>
        ))}
        {step.preempted.map((id) => (
          <li key={id} className="late">
            {history.span(id)?.stage ?? id} lost its pages
          </li>
        ))}
      </ul>
    </div>
  );
}

interface Line {
  key: string;
  app: string;
  served: boolean;
  text: string;
  why: string;
}

/** One line for all requests of an app that were treated alike, for the same reason. */
function linesOf(step: StepTrace, plan: readonly Explanation[]): Line[] {
  const groups = new Map<string, { app: string; does: string; why: string; stages: string[] }>();
  const add = (app: string, id: string, does: string, why: string) => {
    const key = `${app} ${does} ${why}`;
    const group = groups.get(key) ?? { app, does, why, stages: [] };
    group.stages.push(history.span(id)?.stage ?? '');
    groups.set(key, group);
  };
  for (const { requestId, app, kind, tokens } of step.work) {
    const line = plan.find((entry) => entry.requestId === requestId && entry.chosen);
    const does = kind === 'decode' ? 'decoded' : `read ${tokens} tokens`;
    add(app, requestId, does, line ? reasonWords(line) : '');
  }
  for (const line of plan) {
    const worked = step.work.some((work) => work.requestId === line.requestId);
    if (!worked && !line.chosen) add(line.app, line.requestId, HELD, reasonWords(line));
  }
  return [...groups]
    .map(([key, { app, does, why, stages }]) => ({
      key,
      app,
      served: does !== HELD,
      text: `${isAppName(app) ? APP_LABELS[app] : app} ${countOf(stages)} ${does}`,
      why,
    }))
    .sort((a, b) => Number(b.served) - Number(a.served) || orderOf(a) - orderOf(b));
}

const HELD = 'not served';

/** `map`, `3 map`, `2 map, 1 reduce`. */
function countOf(stages: readonly string[]): string {
  if (stages.length === 1) return stages[0];
  const names = [...new Set(stages)];
  return names.map((name) => `${stages.filter((s) => s === name).length} ${name}`).join(', ');
}

function orderOf({ app }: Line): number {
  return isAppName(app) ? APP_NAMES.indexOf(app) : -1;
}
