import type { Percentiles } from '../../client';
import { APP_LABELS, APP_NAMES, type AppName } from '../design/apps';
import { compact, ms, percent } from '../design/format';
import { useLive } from '../store/live';
import type { Point } from '../store/series';
import { Chart } from './chart';

/** The figures behind the picture: latencies, what each policy has done so far, and the last minute as charts. */
export function Numbers() {
  return (
    <section className="panel numbers" aria-labelledby="numbers-title">
      <h2 className="hidden-text" id="numbers-title">
        Numbers
      </h2>
      <Latencies />
      <Scores />
      <TokensChart />
      <GainChart />
      <PagesChart />
    </section>
  );
}

function Latencies() {
  const byApp = useLive((live) => live.snapshot?.metrics.byApp);
  return (
    <figure className="figure latencies">
      <figcaption className="figure-head">
        <h3>Latency</h3>
        <span className="muted">ms</span>
      </figcaption>
      <table>
        <thead>
          <tr>
            <th scope="col">
              <span className="hidden-text">App</span>
            </th>
            <th scope="colgroup" className="group" colSpan={3}>
              first token
            </th>
            <th scope="colgroup" className="group" colSpan={3}>
              between tokens
            </th>
          </tr>
          <tr>
            <td />
            {['first', 'between'].flatMap((kind) =>
              ['p50', 'p95', 'p99'].map((p) => (
                <th scope="col" className="numeric" key={kind + p}>
                  {p}
                </th>
              )),
            )}
          </tr>
        </thead>
        <tbody>
          {APP_NAMES.map((app) => (
            <tr key={app} data-app={app}>
              <th scope="row">
                <span className="swatch" /> {APP_LABELS[app]}
              </th>
              <PercentileCells of={byApp?.[app]?.ttft} />
              <PercentileCells of={byApp?.[app]?.tbt} />
            </tr>
          ))}
        </tbody>
      </table>
    </figure>
  );
}

function PercentileCells({ of }: { of: Percentiles | undefined }) {
  return (
    <>
      <td className="numeric">{ms(of?.p50)}</td>
      <td className="numeric">{ms(of?.p95)}</td>
      <td className="numeric">{ms(of?.p99)}</td>
    </>
  );
}

function Scores() {
  const scores = useLive((live) => live.scores);
  const policy = useLive((live) => live.policy);
  return (
    <figure className="figure scores">
      <figcaption className="figure-head">
        <h3>By policy, on this visit</h3>
        <span className="muted">in time</span>
      </figcaption>
      <table>
        <thead>
          <tr>
            <th scope="col">
              <span className="hidden-text">Policy</span>
            </th>
            {APP_NAMES.map((app) => (
              <th scope="col" className="numeric" key={app}>
                {APP_LABELS[app]}
              </th>
            ))}
            <th scope="col" className="numeric">
              Gain/s
            </th>
            <th scope="col" className="numeric">
              Tokens/s
            </th>
          </tr>
        </thead>
        <tbody>
          {scores.map((score) => (
            <tr key={score.policy} className={score.policy === policy ? 'current' : undefined}>
              <th scope="row">{score.policy}</th>
              {APP_NAMES.map((app) => (
                <td className="numeric" key={app}>
                  {percent(share(score.byApp[app]))}
                </td>
              ))}
              <td className="numeric">{perSecond(score.gain, score.activeMs, GAIN_JUDGED_MS)}</td>
              <td className="numeric">
                {perSecond(score.outputTokens, score.activeMs, TOKENS_JUDGED_MS)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </figure>
  );
}

function share({ met, finished }: { met: number; finished: number }): number | undefined {
  return finished === 0 ? undefined : met / finished;
}

/** A program's gain comes all at its end: before a few have ended a rate of gain says nothing. */
const GAIN_JUDGED_MS = 20_000;
const TOKENS_JUDGED_MS = 2000;

function perSecond(count: number, activeMs: number, judgedMs: number): string {
  return activeMs < judgedMs ? '–' : compact((count * 1000) / activeMs);
}

const appLines = (values: (point: Point) => Record<AppName, number>) =>
  APP_NAMES.map((app) => ({
    label: APP_LABELS[app],
    color: app,
    value: (point: Point) => values(point)[app],
  }));

const TOKENS = appLines((point) => point.tokensPerSecond);
const GAIN = appLines((point) => point.gain);
const PAGES = [
  { label: 'KV pages in use', color: 'ink2', value: (point: Point) => point.usedPages },
] as const;

function TokensChart() {
  const value = useLive((live) => live.snapshot?.tokensPerSecond);
  return (
    <figure className="figure">
      <figcaption className="figure-head">
        <h3>Output tokens per second</h3>
        <b>{value === undefined ? '–' : Math.round(value)}</b>
      </figcaption>
      <Chart lines={TOKENS} label="Output tokens per second of each app, over the last minute" />
    </figure>
  );
}

function GainChart() {
  const gain = useLive((live) => live.snapshot?.metrics.total.gain);
  const possible = useLive((live) => live.snapshot?.metrics.total.possibleGain);
  return (
    <figure className="figure">
      <figcaption className="figure-head">
        <h3 title="Weighted tokens that were of use: in time, or discounted for being late">
          Service gain
        </h3>
        <span>
          <b>{gain === undefined ? '–' : compact(gain)}</b>{' '}
          <span className="muted">of {possible === undefined ? '–' : compact(possible)}</span>
        </span>
      </figcaption>
      <Chart lines={GAIN} label="Service gain of each app, accumulated, over the last minute" />
    </figure>
  );
}

function PagesChart() {
  const kv = useLive((live) => live.snapshot?.kv);
  return (
    <figure className="figure">
      <figcaption className="figure-head">
        <h3 title="A page holds the keys and values of 16 tokens">KV pages</h3>
        <span>
          <b>{kv ? kv.totalPages - kv.freePages : '–'}</b>{' '}
          <span className="muted">of {kv?.totalPages ?? '–'}</span>
        </span>
      </figcaption>
      <Chart lines={PAGES} label="KV pages in use, over the last minute" />
    </figure>
  );
}
