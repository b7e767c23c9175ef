/** Bodies of this service have two levels. */
const MOST_DEPTH = 32
/** A body of this size may be as deep as it likes: it is parsed in a few milliseconds. */
const SMALL = 64 * 1024
/** The longest batch has 500 orders of six members; one with as many unknown members each as are told one by one has 25,000. */
const MOST_VALUES = 32 * 1024

const [QUOTE, BACKSLASH, COMMA] = [...'"\\,'].map((character) => character.charCodeAt(0))
/** By character code, what it does to the depth. */
const LEVELS = new Int8Array(128)
for (const [character, levels] of [['[', 1], ['{', 1], [']', -1], ['}', -1]] as const) LEVELS[character.charCodeAt(0)] = levels

/**
 * What makes parsing JSON hold up all other requests: V8 takes a tenth of a second for the levels of 1 MiB, or for its members
 * of ever new names.
 * @returns null where it is within both bounds
 */
export function beyondBounds (json: string): 'too_deep' | 'too_many' | null {
  const mostDepth = json.length <= SMALL ? Infinity : MOST_DEPTH
  let [depth, commas, inText] = [0, 0, false]
  for (let at = 0; at < json.length; at++) {
    const character = json.charCodeAt(at)
    if (character === QUOTE) inText = !inText
    else if (inText) at += Number(character === BACKSLASH)
    else if (character === COMMA) commas++
    else depth += LEVELS[character] ?? 0
    if (commas > MOST_VALUES) return 'too_many'
    if (depth > mostDepth) return 'too_deep'
  }
  return null
}
