import type { DetailedHTMLProps, HTMLAttributes } from 'react';
import type { TempoDashboard, TempoDashboardProps } from '../dashboard';

/** `<tempo-dashboard>` in JSX. Import `tempo-llm/dashboard` where it is used; React 19 sets its properties. */
export type TempoDashboardAttributes = DetailedHTMLProps<
  HTMLAttributes<TempoDashboard>,
  TempoDashboard
> &
  TempoDashboardProps;

declare module 'react' {
  namespace JSX {
    interface IntrinsicElements {
      'tempo-dashboard': TempoDashboardAttributes;
    }
  }
}
