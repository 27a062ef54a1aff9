import type { PolicyName } from '../../client';

interface PolicyText {
  /** Whose rule it is. */
  origin: string;
  /** What it does, in one line. */
  line: string;
}

/** Every policy in one line. */
export const POLICY_TEXTS: Record<PolicyName, PolicyText> = {
  tempo: {
    origin: 'this project',
    line: 'Serves what is due and earns most; whoever is ahead of schedule waits.',
  },
  sarathi: {
    origin: 'Sarathi-Serve',
    line: 'Every reply gets a token in every step; prompts come in chunks beside them.',
  },
  fcfs: {
    origin: 'vLLM',
    line: 'New prompts first, whole and in order of arrival; then all decode together.',
  },
  webllm: {
    origin: 'what a page gets today',
    line: 'One request at a time, in order of arrival.',
  },
  edf: {
    origin: 'earliest deadline first',
    line: 'Whatever is due first goes first, even when it cannot be in time any more.',
  },
  sjf: {
    origin: 'shortest job first',
    line: 'The request with the least predicted work goes first; long ones wait.',
  },
  jitserve: {
    origin: 'JITServe',
    line: 'Picks a batch by gain per unit of work and keeps it for a frame of steps.',
  },
  slidebatching: {
    origin: 'ProServe',
    line: 'Who cannot wait for all others first, by gain per unit of work; the rest by deadline.',
  },
  autellix: {
    origin: 'Autellix',
    line: 'The program that was served least so far goes first, in quanta of tokens.',
  },
  vtc: {
    origin: 'virtual token counters',
    line: 'Fair between the apps: whoever was served fewest tokens goes first.',
  },
  bros: {
    origin: 'BROS',
    line: 'Streams before everything else, but only while they are about to be due.',
  },
  hygen: {
    origin: 'HyGen',
    line: 'Streams first; other work is let in while the step stays within their budget.',
  },
  alise: {
    origin: 'ALISE',
    line: 'Shortest predicted time to go first, with ageing so that long ones get a turn.',
  },
  qlm: {
    origin: 'QLM',
    line: 'Groups of like requests, ordered by how long each would wait.',
  },
  'tempo-oracle': {
    origin: 'the yardstick',
    line: 'Tempo with perfect foresight; outside the lab nobody has it, so it predicts too.',
  },
};

/** The ones that tell the story; the others are in a list beside them. */
export const MAIN_POLICIES = ['tempo', 'sarathi', 'fcfs', 'webllm'] as const;

export const OTHER_POLICIES = Object.keys(POLICY_TEXTS).filter(
  (name): name is PolicyName =>
    name in POLICY_TEXTS && !MAIN_POLICIES.some((main) => main === name),
);
