import { useState } from 'react';
import { isComposing } from '../design/composing';

interface AddTextProps {
  /** Throws an Error that says what is wrong with the text. */
  onAdd(title: string, text: string): void;
  onCancel(): void;
}

export function AddText({ onAdd, onCancel }: AddTextProps) {
  const [text, setText] = useState('');
  const [error, setError] = useState<string>();
  return (
    <form
      className="add-text"
      onSubmit={(event) => {
        event.preventDefault();
        try {
          onAdd(titleOf(text), text);
        } catch (thrown) {
          setError(thrown instanceof Error ? thrown.message : String(thrown));
        }
      }}
    >
      <textarea
        className="field"
        rows={4}
        aria-label="Text to summarize"
        placeholder="Paste a text of any length"
        value={text}
        // biome-ignore lint/a11y/noAutofocus: it opens on request, to be written in
        autoFocus
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === 'Escape' && !isComposing(event.nativeEvent)) onCancel();
        }}
      />
      {error !== undefined && (
        <p className="error-text" role="alert">
          {error}
        </p>
      )}
      <div className="add-text-actions">
        <button type="submit" className="button primary">
          Summarize
        </button>
        <button type="button" className="button quiet" onClick={onCancel}>
          Cancel
        </button>
      </div>
    </form>
  );
}

/** A pasted text's first words stand for it. */
function titleOf(text: string): string {
  const [line = ''] = text.trim().split('\n');
  return line.length <= 48 ? line || 'Untitled' : `${line.slice(0, 47).trimEnd()}…`;
}
