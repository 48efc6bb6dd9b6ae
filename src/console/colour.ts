/**
 * Colour: on a terminal only, unless asked for. It never carries meaning alone.
 * Order: --color=always|never, NO_COLOR, FORCE_COLOR, TERM=dumb, is it a terminal.
 */

export type ColourMode = 'auto' | 'always' | 'never'
export const COLOUR_MODES: readonly ColourMode[] = ['auto', 'always', 'never']

type Environment = Readonly<Record<string, string | undefined>>

/** True if text for this stream is coloured. */
export function wantsColour(mode: ColourMode, isTerminal: boolean, env: Environment): boolean {
  if (mode !== 'auto') return mode === 'always'
  if ((env.NO_COLOR ?? '') !== '') return false
  const force = env.FORCE_COLOR
  if (force !== undefined && force !== '') return force !== '0' && force !== 'false'
  return isTerminal && env.TERM !== 'dumb'
}

const CODES = {
  bold: ['1', '22'],
  dim: ['2', '22'],
  red: ['31', '39'],
  green: ['32', '39'],
  yellow: ['33', '39'],
  blue: ['34', '39'],
  magenta: ['35', '39'],
  cyan: ['36', '39'],
} as const

export type Palette = Readonly<Record<keyof typeof CODES, (text: string) => string>>

/** Functions that colour a text, or leave it as it is. */
export function palette(enabled: boolean): Palette {
  const paint = (name: keyof typeof CODES) => (text: string) =>
    enabled ? `\u001b[${CODES[name][0]}m${text}\u001b[${CODES[name][1]}m` : text
  const names = Object.keys(CODES) as (keyof typeof CODES)[]
  return Object.fromEntries(names.map(name => [name, paint(name)])) as Palette
}
