import { type KeyboardEvent, type PointerEvent, useEffect, useRef, useState } from 'react';
import { APP_NAMES } from '../../design/apps';
import { useMedia } from '../../design/use-media';
import { history, useLive } from '../../store/live';
import { EngineHead, TrackHead } from '../track-head';
import { AXIS_HEIGHT, ENGINE_HEIGHT, INLINE_HEAD_HEIGHT, TIMELINE_HEIGHT } from './geometry';
import { StepCard } from './step-card';
import { type Selection, TimelineCanvas, ZOOMS, type Zoom } from './timeline-canvas';

/** Who had the engine in every step of the last seconds: one track per app, one lane per request. */
export function Timeline() {
  const canvas = useRef<HTMLCanvasElement>(null);
  const view = useRef<TimelineCanvas>(undefined);
  const [selection, setSelection] = useState<Selection>();
  const [paused, setPaused] = useState(false);
  const [byKeyboard, setByKeyboard] = useState(false);
  const narrow = useMedia('(max-width: 719px)');
  const [pastMs, setPastMs] = useState<Zoom>(narrow ? 4000 : 8000);
  const simulated = useLive(
    (live) => live.state.phase !== 'ready' || live.snapshot?.simulated !== false,
  );

  useEffect(() => {
    if (canvas.current === null) return;
    const timeline = new TimelineCanvas(canvas.current, history, setSelection);
    view.current = timeline;
    return () => timeline.dispose();
  }, []);
  useEffect(() => {
    if (view.current) view.current.pastMs = pastMs;
  }, [pastMs]);
  useEffect(() => {
    if (view.current) view.current.headHeight = narrow ? INLINE_HEAD_HEIGHT : 0;
  }, [narrow]);
  useEffect(() => {
    if (view.current) view.current.paused = paused;
  }, [paused]);

  const zoom = (by: number) =>
    setPastMs((ms) => {
      const at = ZOOMS.indexOf(ms) + by;
      return ZOOMS[Math.min(ZOOMS.length - 1, Math.max(0, at))];
    });
  const onPointerMove = (event: PointerEvent<HTMLCanvasElement>) => {
    setByKeyboard(false);
    view.current?.point(event.nativeEvent.offsetX);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const act: Record<string, (() => void) | undefined> = {
      ArrowLeft: () => view.current?.move(event.shiftKey ? -10 : -1),
      ArrowRight: () => view.current?.move(event.shiftKey ? 10 : 1),
      Escape: () => view.current?.release(),
      ' ': () => setPaused((is) => !is),
      '+': () => zoom(-1),
      '-': () => zoom(1),
    };
    const action = act[event.key];
    if (action === undefined) return;
    event.preventDefault();
    setByKeyboard(true);
    action();
  };

  return (
    <section className="timeline" aria-labelledby="timeline-title">
      <header className="timeline-head">
        <h2 id="timeline-title">Timeline</h2>
        {simulated && <span className="simulated-mark">simulated</span>}
        <Legend />
        <div className="timeline-tools">
          <fieldset className="segments small">
            <legend className="hidden-text">Seconds shown</legend>
            {ZOOMS.map((ms) => (
              <label key={ms}>
                <input
                  type="radio"
                  name="zoom"
                  checked={ms === pastMs}
                  onChange={() => setPastMs(ms)}
                />
                {ms / 1000} s
              </label>
            ))}
          </fieldset>
          <button
            type="button"
            className="button small pause"
            aria-pressed={paused}
            onClick={() => setPaused(!paused)}
          >
            {paused ? 'Go on' : 'Pause'}
          </button>
        </div>
      </header>
      <div
        className="timeline-body"
        style={{
          ['--engine-height' as string]: `${ENGINE_HEIGHT}px`,
          ['--axis-height' as string]: `${AXIS_HEIGHT}px`,
        }}
      >
        <div className="track-heads">
          {APP_NAMES.map((app) => (
            <TrackHead key={app} app={app} />
          ))}
          <EngineHead />
        </div>
        <div className="timeline-view">
          <canvas
            ref={canvas}
            style={{ height: TIMELINE_HEIGHT }}
            tabIndex={0}
            role="img"
            aria-label="Steps of the last seconds: who decoded and who read a prompt. Arrow keys select a step, space pauses, plus and minus zoom."
            onPointerMove={onPointerMove}
            onPointerDown={(event) => {
              // A finger cannot hover: one tap looks closer, the next lets go.
              if (event.pointerType === 'mouse' || selection === undefined) onPointerMove(event);
              else view.current?.release();
            }}
            onPointerLeave={(event) => {
              if (event.pointerType === 'mouse') view.current?.release();
            }}
            onBlur={() => view.current?.release()}
            onKeyDown={onKeyDown}
          />
          <div aria-live={byKeyboard ? 'polite' : 'off'}>
            {selection && (
              <StepCard
                step={selection.step}
                x={selection.x}
                width={canvas.current?.clientWidth ?? 0}
              />
            )}
          </div>
        </div>
      </div>
    </section>
  );
}

function Legend() {
  return (
    <ul className="legend" aria-label="Legend">
      <li>
        <span className="key key-decode" /> decode
      </li>
      <li>
        <span className="key key-prefill" /> prefill
      </li>
      <li>
        <span className="key key-paused" /> paused
      </li>
      <li>
        <span className="key key-waiting" /> waiting
      </li>
      <li>
        <span className="key key-late" /> late
      </li>
    </ul>
  );
}
