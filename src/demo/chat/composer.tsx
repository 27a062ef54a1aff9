import { useState } from 'react';
import { isComposing } from '../design/composing';

interface ComposerProps {
  label: string;
  placeholder: string;
  /** What the button does, in a word. */
  action: string;
  busy: boolean;
  onSubmit(text: string): void;
  onStop(): void;
}

/** A line to write in, and one button: it submits, or stops what it began. */
export function Composer(props: ComposerProps) {
  const { label, placeholder, action, busy, onSubmit, onStop } = props;
  const [text, setText] = useState('');
  const submit = () => {
    if (busy || text.trim() === '') return;
    onSubmit(text.trim());
    setText('');
  };
  return (
    <form
      className="composer"
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <textarea
        className="field"
        rows={1}
        aria-label={label}
        placeholder={placeholder}
        value={text}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => {
          if (event.key !== 'Enter' || event.shiftKey || isComposing(event.nativeEvent)) return;
          event.preventDefault();
          submit();
        }}
      />
      {busy ? (
        <button type="button" className="button" onClick={onStop}>
          Stop
        </button>
      ) : (
        <button type="submit" className="button primary" disabled={text.trim() === ''}>
          {action}
        </button>
      )}
    </form>
  );
}
