import type { HTMLAttributes, Ref } from 'react';

interface ScrollAreaProps extends HTMLAttributes<HTMLElement> {
  /** What is in it, for those who come by keyboard. */
  label: string;
  ref?: Ref<HTMLElement>;
}

/** The part of a panel that scrolls. */
export function ScrollArea({ label, className = '', ...rest }: ScrollAreaProps) {
  return (
    <section
      aria-label={label}
      className={`panel-scroll ${className}`}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must scroll by keyboard too
      tabIndex={0}
      {...rest}
    />
  );
}
