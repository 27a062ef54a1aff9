import { memo } from 'react';
import { type Document, isDone, outcomeOf, type Part, partCounts } from './document';
import { useSummarizer } from './summarizer-store';

interface DocumentViewProps {
  document: Document;
  paused: boolean;
}

/** One document: how far its parts are, and the summary once there is one. */
export const DocumentView = memo(function DocumentView({ document, paused }: DocumentViewProps) {
  const { id, title, own, levels, error } = document;
  const { done, total } = partCounts(document);
  const { restart, remove } = useSummarizer.getState();
  const outcome = outcomeOf(document);
  const active = levels.flat().some((part) => part.state === 'active');
  return (
    <li className="document" data-document={id}>
      <p className="document-head">
        <span className="document-title">{title}</span>
        <span className="muted">{stateWords(document, { done, total, active, paused })}</span>
      </p>
      <div
        className="parts"
        role="progressbar"
        aria-label={`Parts of ${title} summarized`}
        aria-valuemin={0}
        aria-valuemax={total}
        aria-valuenow={done}
      >
        {total > TOLD_APART ? (
          <Shares parts={levels.flat()} total={total} />
        ) : (
          levels.map((parts, level) =>
            parts.map((part, at) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: parts never move
              <span key={`${level}-${at}`} className={`part ${part.state}`} />
            )),
          )
        )}
        {levels.flat().length < total && total <= TOLD_APART && <span className="part waiting" />}
      </div>
      {outcome && (
        <details className="document-summary">
          <summary>Summary</summary>
          <p>{outcome.summary} </p>
        </details>
      )}
      {error && (
        <p className="error-text" role="alert">
          {error.message}{' '}
          <button type="button" className="link" onClick={() => restart(id)}>
            Retry
          </button>
        </p>
      )}
      {own && (
        <button type="button" className="link document-remove" onClick={() => remove(id)}>
          Remove
        </button>
      )}
    </li>
  );
});

/** More parts than this have no room side by side. */
const TOLD_APART = 40;

/** How many of many parts are done, under way and to come, as shares of one bar. */
function Shares({ parts, total }: { parts: readonly Part[]; total: number }) {
  const done = parts.filter((part) => part.state === 'done').length;
  const active = parts.filter((part) => part.state === 'active').length;
  const shares = { done, active, waiting: total - done - active };
  return Object.entries(shares).map(
    ([state, count]) =>
      count > 0 && <span key={state} className={`part ${state}`} style={{ flexGrow: count }} />,
  );
}

interface Progress {
  done: number;
  total: number;
  active: boolean;
  paused: boolean;
}

function stateWords(document: Document, { done, total, active, paused }: Progress): string {
  if (document.error) return 'failed';
  if (isDone(document)) return 'done';
  if (paused) return `paused at ${done} of ${total}`;
  if (active) return document.levels.length > 1 ? 'joining the parts' : `${done} of ${total} parts`;
  return done > 0 ? `${done} of ${total} parts` : 'queued';
}
