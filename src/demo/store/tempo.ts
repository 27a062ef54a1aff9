import { createTempo, type Tempo, type TempoApp } from '../../client';
import type { AppName } from '../design/apps';
import { useSettings } from './settings';

const { device, policy, slos } = useSettings.getState();

/** The page's one model, shared by everything on it. It starts simulated, so that it is there at once. */
export const tempo: Tempo = createTempo({
  engine: 'simulated',
  model: device,
  policy,
});

export const apps: Record<AppName, TempoApp> = {
  chat: tempo.app('chat', { slo: slos.chat }),
  agent: tempo.app('agent', { slo: slos.agent }),
  summarizer: tempo.app('summarizer', { slo: slos.summarizer }),
};
