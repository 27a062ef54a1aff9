/** React's hooks as a page of its own has them, in React's development build. `#name` is what is shown. */
import { StrictMode } from 'react';
import { createRoot, hydrateRoot } from 'react-dom/client';
import { renderToString } from 'react-dom/server';
import { SCENES } from './scenes';

const root = document.getElementById('root');
const [name, how] = location.hash.slice(1).split('/');
const Scene = SCENES[name];
if (root === null || Scene === undefined) throw new Error(`There is no scene "${name}".`);

const page = (
  <StrictMode>
    <Scene />
  </StrictMode>
);

if (how === 'hydrated') {
  root.innerHTML = renderToString(page);
  document.body.dataset.served = root.innerText;
  hydrateRoot(root, page);
} else createRoot(root).render(page);
