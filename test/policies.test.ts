import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { forPages, listed, written } from '../scripts/policies';
import { createPolicy, POLICY_NAMES, policyNamed } from '../src/scheduler';
import { POLICIES } from '../src/scheduler/policies';
import { POLICY_LINES, POLICY_ORDERS } from '../src/scheduler/policies/about';

describe('the registry', () => {
  it('is what the client, the dashboard and docs/policies.md know (else run `npm run policies`)', async () => {
    expect(POLICY_NAMES).toEqual(POLICIES.map(({ name }) => name));
    const { lines, orders } = forPages(await listed());
    expect([POLICY_LINES, POLICY_ORDERS]).toEqual([lines, orders]);
    const page = 'docs/policies.md';
    expect(readFileSync(join(import.meta.dirname, '..', page), 'utf8')).toBe(
      (await written())[page],
    );
  });

  it('has no name twice, and makes each policy by each of its names', () => {
    const all = POLICIES.flatMap(({ name, aliases = [] }) => [name, ...aliases]);
    expect(new Set(all).size).toBe(all.length);
    for (const { name, aliases = [] } of POLICIES) {
      for (const one of [name, ...aliases]) expect(createPolicy(one).name).toBe(name);
    }
  });

  it('knows Autellix as Agentix, too, the name under which it was published later', () => {
    expect(policyNamed('agentix')).toBe('autellix');
    expect(policyNamed('agentic')).toBeUndefined();
    expect(policyNamed(['agentix'])).toBeUndefined();
  });
});
