import { useEffect, useId, useState } from 'react';
import type { Slo } from '../../client';
import type { AppName } from '../design/apps';
import { isComposing } from '../design/composing';
import { errorOf } from '../store/complete';
import { useLive } from '../store/live';

interface NumberFieldProps {
  label: string;
  value: number;
  unit: string;
  /** Throws, or rejects, with a TempoError when the number makes no sense. */
  onCommit(value: number): void | Promise<void>;
  onError(message: string | undefined): void;
}

/** A number to edit within a sentence; taken over on Enter or when it is left. */
function NumberField({ label, value, unit, onCommit, onError }: NumberFieldProps) {
  const [text, setText] = useState(String(value));
  const [invalid, setInvalid] = useState(false);
  useEffect(() => {
    setText(String(value));
    setInvalid(false);
  }, [value]);
  const revert = () => {
    setText(String(value));
    setInvalid(false);
    onError(undefined);
  };
  const commit = async () => {
    // What is left empty stays as it was; a browser also says that of what is no number.
    if (text.trim() === '') return revert();
    try {
      if (Number(text) !== value) await onCommit(Number(text));
      setInvalid(false);
      onError(undefined);
    } catch (thrown) {
      setInvalid(true);
      onError(errorOf(thrown).message);
    }
  };
  return (
    <label className="number-field">
      <span className="hidden-text">{label}</span>
      <input
        className="inline-number"
        type="number"
        inputMode="numeric"
        value={text}
        aria-invalid={invalid}
        onChange={(event) => setText(event.target.value)}
        onBlur={() => void commit()}
        onKeyDown={(event) => {
          if (isComposing(event.nativeEvent)) return;
          if (event.key === 'Enter') void commit();
          if (event.key === 'Escape') revert();
        }}
      />{' '}
      {unit}
    </label>
  );
}

/** The objective of an app, as a sentence whose numbers can be changed while everything runs. */
export function SloControl({ app }: { app: AppName }) {
  const slo = useLive((live) => live.slos[app]);
  const setSlo = useLive((live) => live.setSlo);
  const [error, setError] = useState<string>();
  const errorId = useId();
  const set = (next: Slo) => setSlo(app, next);
  return (
    <div className="slo-control">
      {slo.class === 'latency' && (
        <p>
          First token within{' '}
          <NumberField
            label="Time to first token"
            value={slo.ttft}
            unit="ms"
            onCommit={(ttft) => set({ ...slo, ttft })}
            onError={setError}
          />
          , then one every{' '}
          <NumberField
            label="Time between tokens"
            value={slo.tbt}
            unit="ms"
            onCommit={(tbt) => set({ ...slo, tbt })}
            onError={setError}
          />
        </p>
      )}
      {app === 'agent' && slo.class === 'deadline' && (
        <p>
          Whole answer within{' '}
          <NumberField
            label="Deadline of a run"
            value={slo.ttlt / 1000}
            unit="s"
            onCommit={(seconds) => set({ class: 'deadline', ttlt: seconds * 1000 })}
            onError={setError}
          />
        </p>
      )}
      {app === 'summarizer' && (
        <p>
          <label>
            <span className="hidden-text">Objective of the summarizer</span>
            <select
              className="inline-select"
              value={slo.class}
              onChange={(event) =>
                void set(
                  event.target.value === 'deadline'
                    ? { class: 'deadline', ttlt: 10_000 }
                    : { class: 'best-effort' },
                ).catch((thrown) => setError(errorOf(thrown).message))
              }
            >
              <option value="best-effort">Best effort</option>
              <option value="deadline">Deadline</option>
            </select>
          </label>
          {slo.class === 'deadline' ? (
            <>
              {' '}
              of{' '}
              <NumberField
                label="Deadline of each part"
                value={slo.ttlt / 1000}
                unit="s for each part"
                onCommit={(seconds) => set({ class: 'deadline', ttlt: seconds * 1000 })}
                onError={setError}
              />
            </>
          ) : (
            ', with whatever is left over'
          )}
        </p>
      )}
      {error !== undefined && (
        <p id={errorId} className="error-text" role="alert">
          {error}
        </p>
      )}
    </div>
  );
}
