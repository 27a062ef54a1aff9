import type { Explanation, RequestTrace } from '../../client';
import { APP_NAMES, isAppName } from '../design/apps';
import { seconds, signed } from '../design/format';
import { ScrollArea } from '../design/scroll-area';
import { useLive } from '../store/live';
import { reasonWords, stateWords } from './reasons';

/** Every live request: what it does, when it is due, and why the last plan ran it or did not. */
export function Queue() {
  const snapshot = useLive((live) => live.snapshot);
  const requests = [...(snapshot?.requests ?? [])].sort(byAppAndArrival);
  const plan = new Map(snapshot?.plan.map((line) => [line.requestId, line]));
  return (
    <section className="panel queue" aria-labelledby="queue-title">
      <header className="panel-head">
        <h2 id="queue-title">Queue</h2>
        <p className="panel-figure">
          {requests.length} <span className="muted">live</span>
        </p>
        <p className="panel-objective">Filled squares are in the step that runs now</p>
      </header>
      <ScrollArea label="Live requests">
        <table className="queue-table">
          <thead>
            <tr>
              <th scope="col" className="queue-label narrow">
                Request
              </th>
              <th scope="col" className="queue-label">
                Doing
              </th>
              <th scope="col" className="queue-label narrow numeric">
                Due in
              </th>
              <th
                scope="col"
                className="queue-label narrow numeric"
                title="Time to spare after the work still needed"
              >
                Slack
              </th>
            </tr>
          </thead>
          {requests.map((request) => (
            <QueueRow
              key={request.id}
              request={request}
              line={plan.get(request.id)}
              nowMs={snapshot?.atMs ?? 0}
            />
          ))}
        </table>
        {requests.length === 0 && <p className="empty">No request is live.</p>}
      </ScrollArea>
    </section>
  );
}

interface QueueRowProps {
  request: RequestTrace;
  line: Explanation | undefined;
  nowMs: number;
}

function QueueRow({ request, line, nowMs }: QueueRowProps) {
  const leftMs = request.dueMs === undefined ? undefined : request.dueMs - nowMs;
  const slackMs = line?.slackMs;
  return (
    <tbody className={line?.chosen ? 'chosen' : undefined} data-app={request.app}>
      <tr className="queue-facts">
        <td>
          <span className="swatch" /> {request.stage}
        </td>
        <td>{stateWords(request)}</td>
        <td className={leftMs !== undefined && leftMs < 0 ? 'numeric late' : 'numeric'}>
          {leftMs === undefined ? '–' : seconds(leftMs)}
        </td>
        <td className="numeric">
          {slackMs === undefined || !Number.isFinite(slackMs) ? '–' : signed(slackMs)}
        </td>
      </tr>
      <tr className="queue-why">
        <td />
        <td colSpan={3}>{line && reasonWords(line)}</td>
      </tr>
    </tbody>
  );
}

function byAppAndArrival(a: RequestTrace, b: RequestTrace): number {
  const app = ({ app: name }: RequestTrace) => (isAppName(name) ? APP_NAMES.indexOf(name) : -1);
  return app(a) - app(b) || a.arrivalMs - b.arrivalMs;
}
