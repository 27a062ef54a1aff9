/** What the guides leave to their reader, and what they have imported further up. */
import type { createOpenAI as CreateOpenAI } from '@ai-sdk/openai';
import type { createOpenAICompatible as CreateOpenAICompatible } from '@ai-sdk/openai-compatible';
import type { ChatOpenAI as LangChain } from '@langchain/openai';
import type * as ai from 'ai';
import type Client from 'openai';
import type * as tempoLlm from 'tempo-llm';
import type { createTempoProvider, TempoProviderOptions as Options } from 'tempo-llm/ai-sdk';
import type * as react from 'tempo-llm/react';
import type * as webllm from 'tempo-llm/webllm';
import type * as vite from 'vite';

declare global {
  const createTempo: typeof tempoLlm.createTempo;
  const TempoError: typeof tempoLlm.TempoError;
  const tempo: tempoLlm.Tempo;
  const chat: tempoLlm.TempoApp;
  const completions: tempoLlm.Completions;
  const messages: { role: 'user'; content: string }[];
  const tools: tempoLlm.Tool[] & ai.ToolSet;

  const id: string;
  const model: string;
  const question: string;
  const text: string;
  const questions: string[];
  function ask(question: string): tempoLlm.ChatMessage[];
  function write(parts: tempoLlm.ChatCompletion[]): tempoLlm.ChatMessage[];
  function show(text: string): void;
  function showProgress(fraction: number): void;
  function again(): void;
  function run(name: string, args: unknown): unknown;

  const OpenAI: typeof Client;
  const openai: Client;
  const createOpenAI: typeof CreateOpenAI;
  const createOpenAICompatible: typeof CreateOpenAICompatible;
  const ChatOpenAI: typeof LangChain;
  const generateText: typeof ai.generateText;
  const isStepCount: typeof ai.isStepCount;
  const provider: ReturnType<typeof createTempoProvider>;
  type TempoProviderOptions = Options;

  const useChat: typeof react.useChat;
  const CreateMLCEngine: typeof webllm.CreateMLCEngine;
  const engine: webllm.MLCEngine;
  const defineConfig: typeof vite.defineConfig;
}
