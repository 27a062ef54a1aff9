import { useEffect, useState } from 'react';
import { signed } from '../../../dashboard/format';
import { APP_LABELS, isAppName } from '../../design/apps';
import { duration } from '../../design/format';
import { ScrollArea } from '../../design/scroll-area';
import { monitor } from '../../store/live';
import { useLesson } from '../lesson';
import { type Life, type LifeMoment, lifeOf } from '../life';
import { stage } from '../stage';

const EVERY_MS = 250;

/** One request's life, above and below. */
export function LifeCard({ name }: { name: string }) {
  const lives = useLives(name);
  const { pin } = useLesson.getState();
  const { a, b } = lives;
  const one = a ?? b;
  return (
    <section className="life" aria-labelledby="life-title" data-app={one?.app}>
      <header className="strip-head">
        <h2 id="life-title">
          <span className="swatch" /> {title(one)}
        </h2>
        <button type="button" className="button small" onClick={() => pin(undefined)}>
          Close
        </button>
      </header>
      <ScrollArea label="Its life" className="life-scroll">
        <LifeSide letter="A" life={a} />
        {a !== undefined && <Charts life={a} />}
        <LifeSide letter="B" life={b} />
      </ScrollArea>
      <p className="life-hint muted">
        Drag the line where it is due, or move it with the arrow keys: it is the whole app’s
        objective.
      </p>
    </section>
  );
}

function useLives(name: string): { a: Life | undefined; b: Life | undefined } {
  const read = () => {
    const id = stage.liveId(name);
    return {
      a: id === undefined ? undefined : lifeOf(monitor.history, id),
      b: lifeOf(stage.twin, name),
    };
  };
  const [lives, setLives] = useState(read);
  // biome-ignore lint/correctness/useExhaustiveDependencies: read anew for another request
  useEffect(() => {
    // What the histories forget while it is looked at stays.
    const look = () =>
      setLives((before) => {
        const { a, b } = read();
        return { a: a ?? before.a, b: b ?? before.b };
      });
    setLives(read());
    const timer = setInterval(look, EVERY_MS);
    return () => clearInterval(timer);
  }, [name]);
  return lives;
}

function title(life: Life | undefined): string {
  if (life === undefined) return 'A request';
  const app = isAppName(life.app) ? APP_LABELS[life.app] : life.app;
  return `${app}, ${life.stage}`;
}

function LifeSide({ letter, life }: { letter: 'A' | 'B'; life: Life | undefined }) {
  if (life === undefined) {
    return (
      <p className="life-none muted">
        {letter}: not there {letter === 'B' ? 'yet, or any more' : ''}
      </p>
    );
  }
  const { policy, agoMs, firstTokenMs, endMs, dueMs, idle, lateMs, met, generatedTokens } = life;
  return (
    <dl className="life-facts" data-side={letter.toLowerCase()}>
      <dt className="life-side">{letter}</dt>
      <dd className="life-side">{policy ?? ''}</dd>
      <Fact name="arrived">{duration(agoMs)} ago</Fact>
      {idle.map(({ kind, ms, because }) => (
        <Fact key={kind} name={kind}>
          {duration(ms)}
          {because !== '' && <span className="why">{because}</span>}
        </Fact>
      ))}
      <Fact name="first token">
        {firstTokenMs === undefined ? 'not yet' : `after ${duration(firstTokenMs)}`}
      </Fact>
      {dueMs !== undefined && <Fact name="due">{`after ${duration(dueMs)}`}</Fact>}
      <Fact name={endMs === undefined ? 'so far' : 'ended'}>
        {endMs === undefined
          ? `${generatedTokens} tokens`
          : `after ${duration(endMs)}, ${generatedTokens} tokens`}
        {lateMs > 0 && <span className="missed">, late for {duration(lateMs)}</span>}
        {met === true && ', in time'}
      </Fact>
    </dl>
  );
}

function Fact({ name, children }: { name: string; children: React.ReactNode }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </>
  );
}

const WIDTH = 200;
const HEIGHT = 44;

/** Its predicted length, its slack and its pages, over its life under A. */
function Charts({ life: { moments, endMs } }: { life: Life }) {
  if (moments.length < 2) return null;
  const last = moments[moments.length - 1];
  return (
    <div className="life-charts">
      <Spark
        label="answer, tokens"
        value={
          endMs === undefined && last.expectedTokens !== undefined
            ? `${last.generatedTokens} of about ${last.expectedTokens}`
            : String(last.generatedTokens)
        }
        moments={moments}
        lines={[(m) => m.expectedTokens, (m) => m.generatedTokens]}
      />
      <Spark
        label="slack"
        value={last.slackMs === undefined ? '–' : signed(last.slackMs)}
        moments={moments}
        lines={[(m) => m.slackMs]}
      />
      <Spark
        label="KV pages"
        value={String(last.pages)}
        moments={moments}
        lines={[(m) => m.pages]}
      />
    </div>
  );
}

interface SparkProps {
  label: string;
  value: string;
  moments: readonly LifeMoment[];
  lines: readonly ((moment: LifeMoment) => number | undefined)[];
}

function Spark({ label, value, moments, lines }: SparkProps) {
  const values = moments.flatMap((m) => lines.map((line) => line(m)).filter(isNumber));
  const [low, high] = [Math.min(0, ...values), Math.max(1, ...values)];
  const endMs = Math.max(1, moments[moments.length - 1].atMs);
  const y = (v: number) => HEIGHT - 1 - ((v - low) / (high - low)) * (HEIGHT - 2);
  const path = (line: SparkProps['lines'][number]) =>
    moments
      .flatMap((m) => {
        const v = line(m);
        return isNumber(v) ? [`${((m.atMs / endMs) * WIDTH).toFixed(1)},${y(v).toFixed(1)}`] : [];
      })
      .join(' ');
  return (
    <figure className="spark">
      <figcaption>
        <span className="muted">{label}</span> <b>{value}</b>
      </figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
        <line x1="0" x2={WIDTH} y1={y(0)} y2={y(0)} className="spark-zero" />
        {lines.map((line, i) => (
          <polyline key={line.toString()} points={path(line)} className={`spark-line line-${i}`} />
        ))}
      </svg>
    </figure>
  );
}

function isNumber(value: number | undefined): value is number {
  return value !== undefined && Number.isFinite(value);
}
