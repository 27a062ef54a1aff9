import type { Channel } from '../chat/chat-store';

interface ChannelSwitchProps {
  /** Names the group of buttons; unique on the page. */
  name: string;
  channel: Channel;
  onChange(channel: Channel): void;
}

const LABELS: Record<Channel, string> = { demo: 'Demo visitor', you: 'You' };

/** Whose conversation is on show. The other goes on behind it. */
export function ChannelSwitch({ name, channel, onChange }: ChannelSwitchProps) {
  return (
    <fieldset className="segments small channel-switch">
      <legend className="hidden-text">Whose {name} to show</legend>
      {(['demo', 'you'] as const).map((known) => (
        <label key={known}>
          <input
            type="radio"
            name={`${name}-channel`}
            checked={known === channel}
            onChange={() => onChange(known)}
          />
          {LABELS[known]}
        </label>
      ))}
    </fieldset>
  );
}
