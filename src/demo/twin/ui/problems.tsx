import { useLesson } from '../lesson';

/** What the address asked for and cannot be: everything else of it holds. */
export function Problems() {
  const problems = useLesson((lesson) => lesson.problems);
  const { dismiss } = useLesson.getState();
  if (problems.length === 0) return null;
  return (
    <div className="strip" role="status">
      <p>{problems.join(' ')} The usual is shown in its place.</p>
      <button type="button" className="button quiet small" onClick={dismiss}>
        Dismiss
      </button>
    </div>
  );
}
