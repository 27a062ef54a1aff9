import 'tempo-llm/worker';
