import { Fragment, useRef } from 'react';
import { SloControl } from '../dashboard/slo-control';
import { ChannelSwitch } from '../design/channel-switch';
import { Panel } from '../design/panel';
import { ScrollArea } from '../design/scroll-area';
import { useStickToEnd } from '../design/use-stick-to-end';
import { useLive } from '../store/live';
import { useSettings } from '../store/settings';
import { type Channel, useChat } from './chat-store';
import { Composer } from './composer';
import { MessageView } from './message-view';

export function ChatPanel() {
  const channel = useChat((chat) => chat.channel);
  const show = useChat((chat) => chat.show);
  return (
    <Panel
      app="chat"
      objective={<SloControl app="chat" />}
      aside={<ChannelSwitch name="chat" channel={channel} onChange={show} />}
    >
      <Conversation channel={channel} />
      <ChatComposer />
    </Panel>
  );
}

function Conversation({ channel }: { channel: Channel }) {
  const messages = useChat((chat) => chat.conversations[channel]);
  const retry = useChat((chat) => chat.retry);
  const demoTraffic = useSettings((settings) => settings.demoTraffic);
  const list = useRef<HTMLElement>(null);
  useStickToEnd(list, messages);
  const unseen = useChat((chat) => chat.unseen[channel]);
  const last = messages.at(-1);
  return (
    <>
      <ScrollArea label="Messages" ref={list}>
        <ol className="messages" aria-label="Conversation">
          {messages.map((message, at) => (
            <Fragment key={message.key}>
              {at === unseen && at > 0 && (
                <li className="unseen">The model no longer sees what is above</li>
              )}
              <MessageView
                message={message}
                onRetry={message === last ? () => void retry(channel) : undefined}
              />
            </Fragment>
          ))}
          {messages.length === 0 && (
            <li className="empty">
              {channel === 'you'
                ? 'Ask something. It is answered beside everything else that runs.'
                : demoTraffic
                  ? 'The visitor is coming.'
                  : 'Demo traffic is off.'}
            </li>
          )}
        </ol>
      </ScrollArea>
      {unseen > 0 && <Full channel={channel} />}
      <LastAnswer channel={channel} />
    </>
  );
}

/** The conversation has outgrown the context window: what is lost, and the way out. */
function Full({ channel }: { channel: Channel }) {
  const clear = useChat((chat) => chat.clear);
  const contextWindow = useLive(({ state }) =>
    state.phase === 'ready' ? state.limits.contextWindow : undefined,
  );
  const size =
    contextWindow === undefined ? '' : ` of ${contextWindow.toLocaleString('en')} tokens`;
  return (
    <p className="chat-full" role="status">
      The oldest messages no longer fit the model’s context{size}.{' '}
      <button type="button" className="link" onClick={() => clear(channel)}>
        New chat
      </button>
    </p>
  );
}

/** Tells a screen reader the reader's own answer once it is whole, rather than word by word. */
function LastAnswer({ channel }: { channel: Channel }) {
  const text = useChat((chat) => {
    const last = chat.conversations.you.at(-1);
    return last?.role === 'assistant' && last.state === 'done' ? last.text : '';
  });
  return (
    <p className="hidden-text" aria-live="polite">
      {channel === 'you' ? text : ''}
    </p>
  );
}

function ChatComposer() {
  const busy = useChat((chat) => {
    const state = chat.conversations.you.at(-1)?.state;
    return state === 'waiting' || state === 'streaming';
  });
  const { send, stop, show } = useChat.getState();
  return (
    <Composer
      label="Message to the chat"
      placeholder="Ask something yourself"
      action="Send"
      busy={busy}
      onSubmit={(text) => {
        show('you');
        void send('you', text);
      }}
      onStop={() => stop('you')}
    />
  );
}
