import { memo } from 'react';
import { duration } from '../design/format';
import type { ModelStep, Step, ToolStep } from './agent';
import type { Json } from './tools';

/** One line of the step list: what the model said, or what a tool was asked and answered. */
export const StepView = memo(function StepView({ step }: { step: Step }) {
  return step.kind === 'model' ? <ModelLine step={step} /> : <ToolLine step={step} />;
});

const STAGE_WORDS: Record<ModelStep['stage'], string> = { plan: 'Plan', act: 'Model' };

function ModelLine({ step: { stage, text, running, usage } }: { step: ModelStep }) {
  const doing = stage === 'plan' ? 'planning' : 'choosing tools or answering';
  return (
    <li className="step model" aria-busy={running}>
      <p className="step-head">
        <span className="step-name">{STAGE_WORDS[stage]}</span>
        <span className="muted">
          {usage
            ? `${usage.completion_tokens} tokens, ${duration(usage.extra.ttlt_ms)}`
            : running
              ? doing
              : ''}
        </span>
      </p>
      {stage === 'plan' && text !== '' && <p>{text}</p>}
    </li>
  );
}

function ToolLine({ step: { name, args, ok, result, durationMs, running } }: { step: ToolStep }) {
  return (
    <li className={ok === false ? 'step tool refused' : 'step tool'} aria-busy={running}>
      <p className="step-head">
        <code className="step-name">{name}</code>
        <span className="muted">
          {ok === false && 'refused, '}
          {durationMs !== undefined && took(durationMs)}
        </span>
      </p>
      <p className="step-data">
        <code>{argumentsText(args)}</code>
      </p>
      {result !== undefined && (
        <p className="step-data result">
          <code>{resultText(result)}</code>
        </p>
      )}
    </li>
  );
}

/** Tools are quick; below a millisecond the clock of the page has no digits left. */
function took(ms: number): string {
  return ms < 1 ? '< 1 ms' : duration(ms);
}

function argumentsText(args: Json): string {
  if (typeof args !== 'object' || args === null || Array.isArray(args)) return resultText(args);
  const pairs = Object.entries(args);
  if (pairs.length === 0) return 'no arguments';
  return pairs.map(([name, value]) => `${name}: ${resultText(value)}`).join(', ');
}

function resultText(value: Json): string {
  if (typeof value === 'string') return value;
  if (Array.isArray(value) && value.length > 0) return value.map(resultText).join('\n');
  if (typeof value === 'object' && value !== null)
    return Object.values(value).map(resultText).join(', ');
  return JSON.stringify(value);
}
