import type { Problem } from './errors.ts';

/** Fills the placeholders of an error's text; what the problem does not say becomes `?`. */
export function fillText(text: string, { param = null, values = {} }: Problem): string {
  return text.replace(/\{(\w+)\}/g, (_, name: string) => (name === 'param' ? param ?? '?' : values[name] ?? '?'));
}
