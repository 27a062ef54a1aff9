/**
 * Importing it defines `<tempo-dashboard>`.
 *
 * @module tempo-llm/dashboard
 */
import { defineTempoDashboard } from './define';
import type { TempoDashboard } from './element';

export type { DashboardApp, DashboardApps, DashboardFact } from './apps';
export { defineTempoDashboard } from './define';
export { TempoDashboard, type TempoDashboardProps } from './element';

declare global {
  interface HTMLElementTagNameMap {
    'tempo-dashboard': TempoDashboard;
  }
}

defineTempoDashboard();
