import { useEffect, useState } from 'react';
import { useLesson } from '../lesson';
import { verdictWords } from '../verdict';

/** A sentence is left standing long enough to be read, ms. */
const SAID_EVERY_MS = 10_000;

/** What the two timelines come to. Its numbers are those that stand beside them. */
export function VerdictLine() {
  const verdict = useLesson((lesson) => lesson.verdict);
  const text =
    verdict === undefined ? 'The same requests run above and below.' : verdictWords(verdict);
  return (
    <div className="verdict">
      <p className="verdict-text">{text}</p>
      <Said text={text} />
    </div>
  );
}

/** For a screen reader, now and then: the numbers change all the time. */
function Said({ text }: { text: string }) {
  const [said, setSaid] = useState('');
  useEffect(() => {
    const timer = setInterval(() => {
      const { verdict } = useLesson.getState();
      if (verdict !== undefined && verdict.judged > 0) setSaid(verdictWords(verdict));
    }, SAID_EVERY_MS);
    return () => clearInterval(timer);
  }, []);
  return (
    <p className="hidden-text" aria-live="polite">
      {said === text ? '' : said}
    </p>
  );
}
