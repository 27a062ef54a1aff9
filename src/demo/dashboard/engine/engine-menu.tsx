import { useEffect, useRef, useState } from 'react';
import type { ServerState } from '../../../client';
import { bytes } from '../../design/format';
import { type EngineChoice, useEngine } from '../../store/engine';
import { useLive } from '../../store/live';
import { findGpu, type Gpu } from './gpu';
import { MODELS, nameOf, SIMULATED_DEVICES } from './models';

/** The button that says what runs, and the dialog to run something else. */
export function EngineMenu() {
  const dialog = useRef<HTMLDialogElement>(null);
  const current = useEngine((engine) => engine.current);
  const state = useLive((live) => live.state);
  const [gpu, setGpu] = useState<Gpu>();
  const open = () => {
    dialog.current?.showModal();
    void findGpu().then(setGpu);
  };
  return (
    <>
      <button type="button" className="button engine-button" aria-haspopup="dialog" onClick={open}>
        <span className={`lamp ${state.phase}`} />
        <span className="engine-name">{nameOf(current)}</span>
      </button>
      <dialog ref={dialog} className="engine-dialog" aria-labelledby="engine-title">
        <EngineForm gpu={gpu} onClose={() => dialog.current?.close()} />
      </dialog>
    </>
  );
}

interface EngineFormProps {
  gpu: Gpu | undefined;
  onClose(): void;
}

function EngineForm({ gpu, onClose }: EngineFormProps) {
  const current = useEngine((engine) => engine.current);
  const loading = useEngine((engine) => engine.loading);
  const { load } = useEngine.getState();
  const state = useLive((live) => live.state);
  const [choice, setChoice] = useState<EngineChoice>(current);
  useEffect(() => setChoice(current), [current]);
  const same = choice.engine === current.engine && choice.model === current.model;
  return (
    <form
      method="dialog"
      onSubmit={(event) => {
        event.preventDefault();
        onClose();
        void load(choice);
      }}
    >
      <div className="dialog-head">
        <h2 id="engine-title">Engine</h2>
        <button type="button" className="button quiet small" onClick={onClose}>
          Close
        </button>
      </div>
      <div className="dialog-scroll">
        <EngineFacts state={state} />
        <fieldset>
          <legend>Simulated</legend>
          <p className="muted">
            Runs anywhere. Time passes as a cost model says, and replies follow a script; the
            scheduler is the real one.
          </p>
          {SIMULATED_DEVICES.map(({ id, name, note }) => (
            <Option
              key={id}
              name={name}
              note={note}
              checked={choice.engine === 'simulated' && choice.model === id}
              onChoose={() => setChoice({ engine: 'simulated', model: id })}
            />
          ))}
        </fieldset>
        <fieldset>
          <legend>On your GPU</legend>
          <GpuLine gpu={gpu} />
          {MODELS.map(({ id, name, vramMb, f16, note }) => (
            <Option
              key={id}
              name={name}
              note={note}
              detail={`${bytes(vramMb * 1e6)} of GPU memory${f16 ? ', needs f16' : ''}`}
              disabled={!gpu?.available || (f16 && !gpu.f16)}
              checked={choice.engine === 'webllm' && choice.model === id}
              onChoose={() => setChoice({ engine: 'webllm', model: id })}
            />
          ))}
        </fieldset>
      </div>
      <div className="dialog-foot">
        <p className="muted">
          {choice.engine === 'webllm'
            ? 'Downloaded once, then kept by the browser. Nothing you type leaves the page.'
            : 'Requests of the engine before end with an error that says so.'}
        </p>
        <button type="submit" className="button primary" disabled={same || loading}>
          {loading ? 'Loading' : same ? 'Running' : 'Load'}
        </button>
      </div>
    </form>
  );
}

function EngineFacts({ state }: { state: ServerState }) {
  if (state.phase !== 'ready') return null;
  const { device, mode, notes, kvBytes } = state.engine;
  return (
    <dl className="engine-facts">
      <dt>Running</dt>
      <dd>{device}</dd>
      <dt>Serving</dt>
      <dd>{mode === 'batched' ? 'Continuous batching' : 'One request at a time'}</dd>
      {kvBytes > 0 && (
        <>
          <dt>KV cache</dt>
          <dd>{bytes(kvBytes)}</dd>
        </>
      )}
      {notes.map((note) => (
        <dd key={note} className="muted">
          {note}
        </dd>
      ))}
    </dl>
  );
}

function GpuLine({ gpu }: { gpu: Gpu | undefined }) {
  if (gpu === undefined) return <p className="muted">Looking for a GPU.</p>;
  if (!gpu.available) return <p>{gpu.why} The simulated engine runs without one.</p>;
  return (
    <p className="muted">
      Found {gpu.name}, {gpu.f16 ? 'with' : 'without'} f16 arithmetic.
    </p>
  );
}

interface OptionProps {
  name: string;
  note: string;
  detail?: string;
  checked: boolean;
  disabled?: boolean;
  onChoose(): void;
}

function Option({ name, note, detail, checked, disabled, onChoose }: OptionProps) {
  return (
    <label className="option">
      <input type="radio" name="engine" checked={checked} disabled={disabled} onChange={onChoose} />
      <span className="option-name">{name}</span>
      <span className="option-note">{note}</span>
      {detail !== undefined && <span className="option-detail">{detail}</span>}
    </label>
  );
}
