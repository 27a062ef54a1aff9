import { memo } from 'react';
import { duration, roughly } from '../design/format';
import { ModelMarkdown } from '../design/markdown';
import type { Message } from './chat-store';

interface MessageViewProps {
  message: Message;
  /** Given for the last answer, when it can be asked for again. */
  onRetry?: () => void;
}

export const MessageView = memo(function MessageView({ message, onRetry }: MessageViewProps) {
  const { role, text, state, error } = message;
  if (role === 'user') {
    return (
      <li className="message user">
        <span className="hidden-text">Question: </span>
        {text}
      </li>
    );
  }
  return (
    <li className="message assistant" aria-busy={state === 'waiting' || state === 'streaming'}>
      <span className="hidden-text">Answer: </span>
      {state === 'waiting' && <p className="muted">{waitWords(message)}</p>}
      {text !== '' && <ModelMarkdown>{text}</ModelMarkdown>}
      {error && (
        <p className="error-text" role="alert">
          {error.message}
        </p>
      )}
      <p className="message-foot">
        {state === 'stopped' && <span>stopped</span>} <Usage message={message} />{' '}
        {onRetry && (state === 'failed' || state === 'stopped') && (
          <button type="button" className="link" onClick={onRetry}>
            Retry
          </button>
        )}
      </p>
    </li>
  );
});

function waitWords({ estimatedWaitMs }: Message): string {
  return estimatedWaitMs !== undefined && estimatedWaitMs >= 500
    ? `Queued, about ${roughly(estimatedWaitMs)}`
    : 'Queued';
}

function Usage({ message: { usage } }: { message: Message }) {
  if (usage === undefined) return null;
  const { ttft_ms, tbt_ms, slo_met } = usage.extra;
  return (
    <>
      <span title="Time to first token">first {duration(ttft_ms)}</span>{' '}
      <span title="Mean time between tokens">then {Math.round(tbt_ms)} ms</span>{' '}
      <span className={slo_met ? 'met' : 'missed'}>{slo_met ? 'in time' : 'late'}</span>
    </>
  );
}
