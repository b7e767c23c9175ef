/** Bodies of this service have two levels. */
const MOST_DEPTH = 32
/** A body up to this size is parsed in a few milliseconds, however deep. */
const SMALL = 64 * 1024

const [QUOTE, BACKSLASH, OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [...'"\\[]{}'].map((character) => character.charCodeAt(0))

/** Whether JSON nests so deep that parsing it would hold up everybody else: V8 takes a tenth of a second for the levels of 1 MiB. */
export function isTooDeep (json: string): boolean {
  if (json.length <= SMALL) return false
  let [depth, inText] = [0, false]
  for (let at = 0; at < json.length; at++) {
    const character = json.charCodeAt(at)
    if (character === QUOTE) inText = !inText
    else if (inText) at += Number(character === BACKSLASH)
    else if (character === OPEN_LIST || character === OPEN_OBJECT) depth++
    else if (character === CLOSE_LIST || character === CLOSE_OBJECT) depth--
    if (depth > MOST_DEPTH) return true
  }
  return false
}
