import Markdown, { type Components } from 'react-markdown';
import { beforeTables, tables } from './tables';

/**
 * The model's Markdown. A model writes what it has read, and others may have written that: so nothing in it
 * is fetched by itself, and a link is one only where a reader can see that it leads to the web.
 */
const COMPONENTS: Components = {
  img: ({ alt }) => (
    <span className="image">{alt === '' || alt === undefined ? 'image' : alt}</span>
  ),
  a: ({ href, children }) =>
    href !== undefined && /^https?:\/\//i.test(href) ? (
      <a href={href} target="_blank" rel="noopener noreferrer" title={href}>
        {children}
      </a>
    ) : (
      <span>{children}</span>
    ),
  table: ({ children }) => (
    <div className="table">
      <table>{children}</table>
    </div>
  ),
};

const PLUGINS = [tables];

export function ModelMarkdown({ children }: { children: string }) {
  return (
    <div className="markdown">
      <Markdown components={COMPONENTS} remarkPlugins={PLUGINS}>
        {beforeTables(children)}
      </Markdown>
    </div>
  );
}
