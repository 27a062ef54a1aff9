import type { SimulatedReply } from '../../client';

interface Exchange {
  question: string;
  /** Words that tell this question when a reader asks it in their own. */
  about: RegExp;
  answer: string;
}

/** What the simulated engine says in the chat: it explains the page it is on. */
const EXCHANGES: readonly Exchange[] = [
  {
    question: 'What am I looking at?',
    about: /looking at|what is this|this page|about tempo/i,
    answer: `Three features of one page share **one language model**:

- this **chat**, which must feel quick,
- an **agent** that calls tools and has a deadline,
- a **summarizer** in the background that is in no hurry.

The timeline above shows who has the GPU at every step. Each column of it is one forward pass of the model, and each forward pass serves several requests at once.`,
  },
  {
    question: 'Why not just run one request after the other?',
    about: /one (request )?after|serial|queue|first come/i,
    answer: `Because then everybody waits for the slowest. A summary of a long text takes seconds, and a chat message that arrives behind it waits all that time for its first word.

Reading the model's weights dominates the cost of a step, and that price is the same for one sequence or for eight. So a step that serves **eight** requests takes little longer than a step that serves one.`,
  },
  {
    question: 'What is an SLO, then?',
    about: /slo|objective|ttft|tbt|deadline/i,
    answer: `A *service-level objective*: what a request needs in order to be of use.

1. Chat wants its **first token** soon, and then tokens at least as fast as you read.
2. The agent wants its **whole answer** before a deadline; half an answer is worth nothing.
3. The summarizer wants what is **left over**.

You can change each of them in the line under the panel's title, while everything runs.`,
  },
  {
    question: 'Who decides what runs next?',
    about: /decide|scheduler|schedul|who runs|policy/i,
    answer: `A scheduler, before every single step. It asks of each request:

- how many tokens are probably still to come,
- when the next one is due, and so how much **slack** is left,
- how much it earns per millisecond of GPU time.

A chat reply that is ahead of your reading speed can pause for a few steps, and nobody notices. The queue says in plain words why each request runs or waits.`,
  },
  {
    question: 'How can I see that it matters?',
    about: /matter|difference|compare|see that|prove/i,
    answer: `Switch the policy above to \`webllm\`. That is how pages run models today: one request at a time, in order of arrival.

Watch the percentages beside the timeline. Within a few seconds this chat will be late, because it queues behind the summarizer. Then switch back to \`tempo\` and watch them recover.`,
  },
  {
    question: 'Is this a real model?',
    about: /real|simulat|model|webgpu|gpu/i,
    answer: `Not at the moment. This engine is **simulated**: time passes as a documented cost model says, and what I say comes from a script. The scheduler that makes the decisions is the real one.

With WebGPU you can load a real model from the engine menu at the top. It is downloaded once, kept by the browser, and nothing you type leaves this page.`,
  },
];

/** The scripted visitor's questions, in order. */
export const QUESTIONS: readonly string[] = EXCHANGES.map((exchange) => exchange.question);

/** The script's answer to a question; to one it does not know, it says so. */
export function replyTo(question: string): SimulatedReply {
  const known =
    EXCHANGES.find((exchange) => exchange.question === question) ??
    EXCHANGES.find((exchange) => exchange.about.test(question));
  return { content: known?.answer ?? unknown(question) };
}

function unknown(question: string): string {
  const quoted = question.trim().replace(/\s+/g, ' ').slice(0, 120);
  return `You asked: “${quoted}”

The engine is simulated, and its script has no answer to that. Your message was still a real request: it was queued, its prompt was prefilled, and every token of this reply was scheduled beside the agent and the summarizer.

Ask me **what this page shows**, **what an SLO is** or **who decides what runs next**. Or load a real model from the engine menu, and ask me anything.`;
}
