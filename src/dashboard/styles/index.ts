import chart from 'uplot/dist/uPlot.min.css?inline';
import base from './base.css?inline';
import controls from './controls.css?inline';
import dashboard from './dashboard.css?inline';
import forcedColors from './forced-colors.css?inline';
import panel from './panel.css?inline';
import tokens from './tokens.css?inline';

let sheets: CSSStyleSheet[] | undefined;

/** The styles of every dashboard, shared by all. Pages whose policy forbids inline styles allow them. */
export function styleSheets(): CSSStyleSheet[] {
  sheets ??= [tokens, base, controls, panel, chart, dashboard, forcedColors].map((text) => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(text);
    return sheet;
  });
  return sheets;
}
