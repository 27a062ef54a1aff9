import { type DragEvent, useRef, useState } from 'react';
import { SloControl } from '../dashboard/slo-control';
import { Panel } from '../design/panel';
import { ScrollArea } from '../design/scroll-area';
import { AddText } from './add-text';
import { isDone } from './document';
import { DocumentView } from './document-view';
import { useSummarizer } from './summarizer-store';

export function SummarizerPanel() {
  const documents = useSummarizer((summarizer) => summarizer.documents);
  const paused = useSummarizer((summarizer) => summarizer.paused);
  const { setPaused, add } = useSummarizer.getState();
  const [adding, setAdding] = useState(false);
  const [error, setError] = useState<string>();
  const picker = useRef<HTMLInputElement>(null);

  const take = async (files: Iterable<File>) => {
    setError(undefined);
    for (const file of files) {
      try {
        add(file.name, await file.text());
      } catch (thrown) {
        setError(`${file.name}: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
      }
    }
  };
  const drop = {
    onDragOver: (event: DragEvent) => event.preventDefault(),
    onDrop: (event: DragEvent) => {
      event.preventDefault();
      void take(event.dataTransfer.files);
    },
  };

  return (
    <Panel
      app="summarizer"
      objective={<SloControl app="summarizer" />}
      aside={
        <p className="panel-figure">
          {documents.filter(isDone).length}
          <span className="muted"> of {documents.length} done</span>
        </p>
      }
    >
      <ScrollArea label="Documents and their summaries" {...drop}>
        <ul className="documents" aria-label="Documents">
          {documents.map((document) => (
            <DocumentView key={document.id} document={document} paused={paused} />
          ))}
        </ul>
        {documents.length === 0 && <p className="empty">Add a text, or drop a file here.</p>}
      </ScrollArea>
      {error !== undefined && (
        <p className="error-text panel-error" role="alert">
          {error}
        </p>
      )}
      {adding && (
        <AddText
          onAdd={(title, text) => {
            add(title, text);
            setAdding(false);
          }}
          onCancel={() => setAdding(false)}
        />
      )}
      <div className="panel-actions">
        <button type="button" className="button" onClick={() => setPaused(!paused)}>
          {paused ? 'Resume' : 'Pause'}
        </button>
        <button type="button" className="button" onClick={() => setAdding(!adding)}>
          Paste text
        </button>
        <button type="button" className="button" onClick={() => picker.current?.click()}>
          Open file
        </button>
        <input
          ref={picker}
          type="file"
          multiple
          hidden
          aria-label="Text files to summarize"
          accept="text/*,.md,.txt,.csv,.json,.log"
          onChange={(event) => {
            void take(event.target.files ?? []);
            event.target.value = '';
          }}
        />
      </div>
    </Panel>
  );
}
