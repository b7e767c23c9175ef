/**
 * What a terminal acts upon instead of showing it: C0 but for the line feed, DEL and C1, separators of lines and paragraphs, and what
 * turns the direction of writing. The one place that knows.
 */
// eslint-disable-next-line no-control-regex -- these it is about
const STEERING = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/
const EACH = new RegExp(STEERING, 'g')
const ESCAPE_IN_JSON = /\\(?:["\\/bfnrt]|u[0-9a-f]{4})/gi
const C0_IN_JSON = /^\\(?:[bfr]|u00(?:0[0-9b-f]|1[0-9a-f]|7f))$/i

/** Shows such characters as `\u009b`. JSON stays JSON of the same meaning: they stand in its texts alone, and C0 is escaped there already. */
export function escapeSteering (text: string): string {
  return STEERING.test(text) ? text.replace(EACH, escaped) : text
}

/** Of a line of JSON whose texts will be printed raw: whoever reads it finds the escapes in them, not the characters. */
export function disarmed (json: string): string {
  const line = json.replace(ESCAPE_IN_JSON, (escape) => C0_IN_JSON.test(escape) ? `\\${escape}` : escape)
  return line.replace(EACH, (character) => `\\${escaped(character)}`)
}

function escaped (character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}
