import { describe, expect, it } from 'vitest';
import { closingLine, judged, PASSED, playwrightTally, sum, vitestTally } from './tally';

describe('the tally of a test run', () => {
  it('adds what both runners report to the checks and says so in one line', () => {
    const unit = vitestTally({
      numPassedTests: 7,
      numFailedTests: 1,
      numPendingTests: 1,
      numTodoTests: 1,
      testResults: [],
    });
    const browser = playwrightTally({
      stats: { expected: 3, unexpected: 1, flaky: 1, skipped: 2 },
    });
    expect(closingLine(sum([PASSED, unit, browser]))).toBe('11 passed, 3 failed, 4 skipped');
  });

  it('leaves out the skipped when there are none', () => {
    expect(closingLine(PASSED)).toBe('1 passed, 0 failed');
  });

  it('counts a test file that did not load as a failure', () => {
    const loaded = { status: 'failed', assertionResults: [{ status: 'failed' }] };
    const unloaded = { status: 'failed', assertionResults: [] };
    const counts = { numPassedTests: 1, numFailedTests: 1, numPendingTests: 0, numTodoTests: 0 };
    expect(vitestTally({ ...counts, testResults: [loaded, unloaded] }).failed).toBe(2);
  });

  it('counts a runner that found no tests as a failure', () => {
    expect(judged({ passed: 0, failed: 0, skipped: 3 }, 0).failed).toBe(1);
  });

  it('counts a runner that failed without a failed test as a failure', () => {
    expect(judged({ passed: 5, failed: 0, skipped: 0 }, 1).failed).toBe(1);
    expect(judged({ passed: 5, failed: 2, skipped: 0 }, 1).failed).toBe(2);
    expect(judged({ passed: 5, failed: 0, skipped: 0 }, 0).failed).toBe(0);
  });
});
