import { type RefObject, useLayoutEffect, useRef } from 'react';

/** Nearer to the end than this counts as being there, px. */
const NEAR = 24;

/** Keeps a scrolled list at its end as it grows, unless the reader has scrolled away. */
export function useStickToEnd(list: RefObject<HTMLElement | null>, content: unknown): void {
  const atEnd = useRef(true);
  useLayoutEffect(() => {
    const element = list.current;
    if (element === null) return;
    const onScroll = () => {
      atEnd.current = element.scrollHeight - element.scrollTop - element.clientHeight < NEAR;
    };
    element.addEventListener('scroll', onScroll, { passive: true });
    return () => element.removeEventListener('scroll', onScroll);
  }, [list]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: runs whenever the content changes
  useLayoutEffect(() => {
    if (atEnd.current && list.current) list.current.scrollTop = list.current.scrollHeight;
  }, [content]);
}
