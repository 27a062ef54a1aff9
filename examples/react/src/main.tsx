import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { TempoProvider } from 'tempo-llm/react';
import { Chat } from './chat';
import { Engine } from './engine';

const MODEL = 'Qwen2.5-0.5B-Instruct-q4f16_1-MLC';
const simulated = new URLSearchParams(location.search).get('engine') === 'simulated';

createRoot(document.body).render(
  <StrictMode>
    <TempoProvider options={simulated ? { engine: 'simulated' } : { model: MODEL }}>
      <h1>A chat in React</h1>
      <Engine />
      <Chat />
    </TempoProvider>
  </StrictMode>,
);
