import { useRef } from 'react';
import { SloControl } from '../dashboard/slo-control';
import { ChannelSwitch } from '../design/channel-switch';
import { Panel } from '../design/panel';
import { ScrollArea } from '../design/scroll-area';
import { useStickToEnd } from '../design/use-stick-to-end';
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
  const last = messages.at(-1);
  return (
    <>
      <ScrollArea label="Messages" ref={list}>
        <ol className="messages" aria-label="Conversation">
          {messages.map((message) => (
            <MessageView
              key={message.key}
              message={message}
              onRetry={message === last ? () => void retry(channel) : undefined}
            />
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
      <LastAnswer channel={channel} />
    </>
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
