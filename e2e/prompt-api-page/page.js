/** A page as it is written for Chrome's built-in model: it knows of nothing else. */

const find = (id) => document.getElementById(id);

const tools = [
  {
    name: 'getWeather',
    description: 'Get the weather in a location.',
    inputSchema: {
      type: 'object',
      properties: {
        location: { type: 'string', description: 'The city to check for the weather condition.' },
      },
      required: ['location'],
    },
    async execute({ location }) {
      return location === 'Oslo' ? 'rain' : 'sun';
    },
  },
];

const options = {
  expectedInputs: [{ type: 'text', languages: ['en'] }, { type: 'tool-response' }],
  expectedOutputs: [{ type: 'text', languages: ['en'] }, { type: 'tool-call' }],
  tools,
};

if (!('LanguageModel' in self)) throw new Error('This browser has no built-in model.');
const availability = await LanguageModel.availability(options);
find('availability').value = availability;
if (availability === 'unavailable') throw new Error('The built-in model does not run here.');

const session = await LanguageModel.create({
  ...options,
  initialPrompts: [{ role: 'system', content: 'You are a friendly, helpful assistant.' }],
  monitor(m) {
    m.addEventListener('downloadprogress', (e) => {
      find('download').value = e.loaded;
    });
  },
});
showUsage();

let controller = new AbortController();

find('chat').addEventListener('submit', async (event) => {
  event.preventDefault();
  controller = new AbortController();
  const message = new FormData(event.target).get('message');
  find('answer').textContent = '';
  try {
    const stream = session.promptStreaming(message, { signal: controller.signal });
    for await (const chunk of stream) find('answer').append(chunk);
  } catch (error) {
    find('answer').append(` [${error.name}]`);
  }
  showUsage();
});

find('stop').addEventListener('click', () => controller.abort());

find('rate').addEventListener('click', async () => {
  const schema = {
    type: 'object',
    required: ['rating'],
    additionalProperties: false,
    properties: { rating: { type: 'number', minimum: 0, maximum: 5 } },
  };
  const result = await session.prompt('Rate this: the food was delicious.', {
    responseConstraint: schema,
  });
  find('rating').value = JSON.parse(result).rating;
});

find('branch').addEventListener('click', async () => {
  const clone = await session.clone();
  const sheet = await clone.prompt([
    { role: 'user', content: 'Create a toml character sheet for a gnome barbarian' },
    { role: 'assistant', content: '```toml\n', prefix: true },
  ]);
  find('branched').value = sheet;
  clone.destroy();
});

find('finish').addEventListener('click', async () => {
  try {
    await session.prompt('word '.repeat(20_000));
  } catch (error) {
    const isOurs = error instanceof QuotaExceededError && error.requested > error.quota;
    find('error').value = `${error.name} ${isOurs}, then `;
  }
  session.destroy();
  await session.prompt('Still there?').catch((error) => {
    find('error').value += error.name;
  });
});

function showUsage() {
  find('usage').value = `${session.contextUsage} of ${session.contextWindow} tokens`;
}
