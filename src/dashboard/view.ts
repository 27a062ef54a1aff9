import type { Roster } from './apps';
import type { Monitor } from './monitor';
import type { Palette } from './palette';

/** What every part of a dashboard shows, and how. */
export interface View {
  readonly roster: Roster;
  /** Another one when the dashboard is connected to another Tempo. */
  readonly monitor: Monitor;
  readonly palette: Palette;
  /** A CSS font family. */
  readonly font: string;
}

/** One part of a dashboard. Made once; at work between `start` and `stop`. */
export interface Part {
  readonly element: HTMLElement;
  start(): void;
  stop(): void;
  /** Called a few times a second while there is something new. */
  update(): void;
  /** The colours are others now. */
  recolor(): void;
}
