// Written by `npm run policies` from ./index.ts.
import type { PolicyLine, PolicyOrder } from './entry';
import type { PolicyName } from './names';

/** Whose rule each policy is and what it does, apart from the policies themselves. */
export const POLICY_LINES: Readonly<Record<PolicyName, PolicyLine>> = {
  webllm: {
    origin: 'what a page gets today',
    line: 'One request at a time, in order of arrival.',
  },
  fcfs: {
    origin: 'vLLM',
    line: 'New prompts first, whole and in order of arrival; then all decode together.',
  },
  sarathi: {
    origin: 'Sarathi-Serve',
    line: 'Every reply gets a token in every step; prompts come in chunks beside them.',
  },
  sjf: {
    origin: 'shortest job first',
    line: 'The request with the least predicted work goes first; long ones wait.',
  },
  edf: {
    origin: 'earliest deadline first',
    line: 'Whatever is due first goes first, even when it cannot be in time any more.',
  },
  autellix: {
    origin: 'Autellix (Agentix)',
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
  jitserve: {
    origin: 'JITServe',
    line: 'Picks a batch by gain per unit of work and keeps it for a frame of steps.',
  },
  slidebatching: {
    origin: 'ProServe',
    line: 'Who cannot wait for all others first, by gain per unit of work; the rest by deadline.',
  },
  slosserve: {
    origin: 'SLOs-Serve',
    line: 'Promises those who together are worth most and can all be in time; the others get what they leave.',
  },
  scorpio: {
    origin: 'Scorpio',
    line: 'Prompts by deadline, those that cannot make it last; tokens by credit, which loose answers earn more slowly.',
  },
  niyama: {
    origin: 'Niyama (QoServe)',
    line: 'Least of due time and work to go first; who will be late steps back; prompts fill what slack decodes have.',
  },
  justitia: {
    origin: 'Justitia',
    line: 'Whoever would end first if all shared the memory fairly goes first, with all that it can use.',
  },
  tempo: {
    origin: 'this project',
    line: 'Serves what is due and earns most; whoever is ahead of schedule waits.',
  },
  'tempo-oracle': {
    origin: 'the yardstick',
    line: 'Tempo with perfect foresight; outside the lab nobody has it, so it predicts too.',
  },
};

/** How each policy's decisions are put into words. */
export const POLICY_ORDERS: Readonly<Record<PolicyName, PolicyOrder>> = {
  webllm: {
    order: 'one at a time, in order of arrival',
    words: {
      decodes: 'Has the engine to itself until it ends',
      reads: 'Has the engine to itself until it ends',
      waits: 'Waits until those before it have ended',
      pauses: 'Waits until those before it have ended',
    },
  },
  fcfs: {
    order: 'new prompts first, in order of arrival',
    words: {
      decodes: 'Decodes with all that run: no prompt can begin',
      reads: 'Its {prompt} go before all decoding',
      waits: 'No room for its whole prompt: no overtaking',
      pauses: 'A new prompt has this step to itself',
    },
  },
  sarathi: {
    order: 'running answers first, then prompts by arrival',
    words: {
      decodes: 'Runs, so it gets a token in every step',
      reads: 'Reads {prompt}: {order}',
      pauses: 'The prompt tokens of this step are spent',
    },
  },
  sjf: {
    order: 'shortest predicted answer first',
    goesBy: 'to-go',
  },
  edf: {
    order: 'first due first',
    goesBy: 'due',
  },
  autellix: {
    order: 'least served program first',
    goesBy: 'served',
  },
  vtc: {
    order: 'running answers first, then the least served app',
    words: {
      decodes: 'Runs, so it gets a token in every step',
      reads: 'Reads {prompt}: {order}',
      pauses: 'The prompt tokens of this step are spent',
    },
  },
  bros: {
    order: 'streams first while a token is about to be due',
    goesBy: 'due',
  },
  hygen: {
    order: 'streams first, others in the time they leave',
    words: {
      decodes: 'Runs: {order}',
      reads: 'Reads {prompt}: {order}',
      pauses: 'The prompt tokens of this step are spent',
    },
  },
  alise: {
    order: 'shortest time to go first, less what it waited',
    goesBy: 'to-go',
  },
  qlm: {
    order: 'the group of like requests that is due first',
    goesBy: 'due',
  },
  jitserve: {
    order: 'most gain per ms first, for 50 steps at a time',
  },
  slidebatching: {
    order: 'who cannot wait for all others first',
    goesBy: 'due',
  },
  slosserve: {
    order: 'the promised first, the rest in what they leave',
    goesBy: 'due',
  },
  scorpio: {
    order: 'prompts by deadline, tokens by credit',
    words: {
      decodes: 'Has the credit for a token',
      reads: 'Reads {prompt}: first due first, of those that can be in time',
      waits: 'Would make the tightest answer too slow, or cannot be in time',
      pauses: 'Has no credit for a token: it needs them more slowly',
    },
  },
  niyama: {
    order: 'least of due time and work to go first',
    words: {
      decodes: 'Runs, so it gets a token in every step',
      reads: 'Reads {prompt}: {order}',
      pauses: 'The slack of this step is spent',
    },
  },
  justitia: {
    order: 'who would end first under fair shares',
    words: {
      decodes: 'Runs, so it gets a token in every step',
      reads: 'Reads {prompt}: {order}',
      pauses: 'The prompt tokens of this step are spent',
    },
  },
  tempo: {
    order: 'no slack first, then first due',
    words: {
      decodes: 'Nothing else could run: the oldest goes on',
      reads: 'Nothing else could run: the oldest goes on',
      waits: 'Others were due before it',
      pauses: 'Others were due before it',
      unhurried: 'No place is left over for it',
    },
  },
  'tempo-oracle': {
    order: 'no slack first, then first due',
    words: {
      decodes: 'Nothing else could run: the oldest goes on',
      reads: 'Nothing else could run: the oldest goes on',
      waits: 'Others were due before it',
      pauses: 'Others were due before it',
      unhurried: 'No place is left over for it',
    },
  },
};
