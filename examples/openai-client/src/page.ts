/** The element of a kind that is there. */
export function element<E extends HTMLElement>(selector: string, kind: new () => E): E {
  const found = document.querySelector(selector);
  if (!(found instanceof kind)) throw new Error(`There is no ${selector}.`);
  return found;
}

/** Does something; what goes wrong is shown. Nothing else can be asked meanwhile. */
export async function show(work: () => Promise<void>): Promise<void> {
  const buttons = [...document.querySelectorAll('button')];
  const alarm = element('[role=alert]', HTMLElement);
  for (const button of buttons) button.disabled = true;
  alarm.textContent = '';
  try {
    await work();
  } catch (error) {
    alarm.textContent = error instanceof Error ? error.message : String(error);
  }
  for (const button of buttons) button.disabled = false;
}
