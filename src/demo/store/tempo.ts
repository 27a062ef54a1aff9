import { createTempo, type Tempo, type TempoApp } from '../../client';
import { type AppName, DEFAULT_SLOS } from '../design/apps';

/** The page's one model, shared by everything on it. It starts simulated, so that it is there at once. */
export const tempo: Tempo = createTempo({
  engine: 'simulated',
  model: 'laptop-gpu',
  policy: 'tempo',
});

export const apps: Record<AppName, TempoApp> = {
  chat: tempo.app('chat', { slo: DEFAULT_SLOS.chat }),
  agent: tempo.app('agent', { slo: DEFAULT_SLOS.agent }),
  summarizer: tempo.app('summarizer', { slo: DEFAULT_SLOS.summarizer }),
};
