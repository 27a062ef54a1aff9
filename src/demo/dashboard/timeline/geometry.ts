import { APP_NAMES, type AppName } from '../../design/apps';
import { LANES } from '../../store/step-history';

/** Sizes of the timeline, px. The page's track heads are laid out by the same numbers. */
export const TRACK_HEIGHTS: Record<AppName, number> = { chat: 76, agent: 76, summarizer: 100 };
export const ENGINE_HEIGHT = 48;
export const AXIS_HEIGHT = 20;
/** On narrow screens a track's head stands above its lanes. */
export const INLINE_HEAD_HEIGHT = 28;

export const ENGINE_TOP = APP_NAMES.reduce((sum, app) => sum + TRACK_HEIGHTS[app], 0);
export const TIMELINE_HEIGHT = ENGINE_TOP + ENGINE_HEIGHT + AXIS_HEIGHT;

const PADDING = 6;

export interface LaneBox {
  top: number;
  height: number;
}

/** The y where an app's track ends, px. */
export function trackBottom(app: AppName): number {
  const upTo = APP_NAMES.slice(0, APP_NAMES.indexOf(app) + 1);
  return upTo.reduce((sum, name) => sum + TRACK_HEIGHTS[name], 0);
}

/** Where an app's lane lies. `headHeight`: what the head takes of the track. */
export function laneBox(app: AppName, lane: number, headHeight: number): LaneBox {
  const track = TRACK_HEIGHTS[app];
  const height = (track - headHeight - 2 * PADDING) / LANES[app];
  return { top: trackBottom(app) - track + headHeight + PADDING + lane * height, height };
}
