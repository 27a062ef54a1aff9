import type { StepTrace } from '../../../client';
import { APP_LABELS, isAppName } from '../../design/apps';
import { history } from '../../store/live';
import { reasonWords } from '../reasons';

interface StepCardProps {
  step: StepTrace;
  /** px from the timeline's left edge. */
  x: number;
  width: number;
}

/** What one step did, for whom and why. */
export function StepCard({ step, x, width }: StepCardProps) {
  const plan = history.planAt(step.endMs);
  const prompts = step.work.filter((work) => work.kind === 'prefill');
  const promptTokens = prompts.reduce((sum, work) => sum + work.tokens, 0);
  const left = Math.max(0, Math.min(width - 296, x < width / 2 ? x + 12 : x - 308));
  return (
    <div className="step-card" style={{ left }}>
      <p className="step-card-head">
        <b>Step {step.number.toLocaleString('en')}</b> {(step.endMs - step.startMs).toFixed(1)} ms
        <span className="muted">
          {' '}
          {step.work.length - prompts.length} decoded
          {promptTokens > 0 && `, ${promptTokens} prompt tokens`}
        </span>
      </p>
      <ul>
        {step.work.map(({ requestId, app, kind, tokens }) => {
          const line = plan.find((entry) => entry.requestId === requestId && entry.chosen);
          return (
            <li key={requestId} data-app={app}>
              <span className="swatch" />
              <span>
                {isAppName(app) ? APP_LABELS[app] : app} {history.span(requestId)?.stage}
                <span className="muted">
                  {' '}
                  {kind === 'decode' ? 'decodes' : `reads ${tokens} tokens`}
                </span>
                {line && <span className="why">{reasonWords(line)}</span>}
              </span>
            </li>
          );
        })}
        {step.preempted.map((id) => (
          <li key={id} className="late">
            {history.span(id)?.stage ?? id} lost its pages
          </li>
        ))}
      </ul>
    </div>
  );
}
