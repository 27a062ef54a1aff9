import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { Chat } from './chat';
import { Engine } from './engine';

createRoot(document.body).render(
  <StrictMode>
    <h1>The AI SDK’s chat, without a server</h1>
    <Engine />
    <Chat />
  </StrictMode>,
);
