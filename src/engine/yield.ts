/**
 * Lets the messages and timers that wait have their turn. Through a message channel, because browsers
 * hold nested `setTimeout(…, 0)` back for 4 ms.
 */
export function yieldToEventLoop(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}
