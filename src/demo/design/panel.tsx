import type { ReactNode } from 'react';
import { APP_LABELS, type AppName } from './apps';

interface PanelProps {
  app: AppName;
  /** The app's objective, in a line. */
  objective: ReactNode;
  /** What stands at the right of the title. */
  aside?: ReactNode;
  children: ReactNode;
}

/** One app's part of the page. */
export function Panel({ app, objective, aside, children }: PanelProps) {
  return (
    <section className={`panel ${app}`} data-app={app} aria-labelledby={`${app}-title`}>
      <header className="panel-head">
        <h2 id={`${app}-title`}>
          <span className="swatch" /> {APP_LABELS[app]}
        </h2>
        {aside}
        <div className="panel-objective">{objective}</div>
      </header>
      {children}
    </section>
  );
}
