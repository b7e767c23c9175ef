/** Patterns of texts that people write, for JSON Schema: ECMA 262 with the flag `u`. */

/** U+0000 and lone surrogates: Postgres stores neither. */
const UNSTORABLE = '\\u0000\\p{Cs}'
/** Formats, fillers and what is drawn as nothing, the blank of Braille too: a reader sees another text, or none. */
const UNSEEN = '\\p{Default_Ignorable_Code_Point}\\u2800'
/** Joiners and variation selectors: writing of some languages and emoji need them. */
const JOINING = '\\u200c\\u200d\\ufe0e\\ufe0f'

/** Whatever can be stored. */
export const STORABLE = `^[^${UNSTORABLE}]*$`

/** At least one character that is seen. */
export const VISIBLE = `^(?=[\\s\\S]*[^\\s\\p{C}${UNSEEN}])[^${UNSTORABLE}]*$`

/** The same without controls, unassigned characters and unseen ones but those that join. */
export const VISIBLE_NAME = `^(?=[\\s\\S]*[^\\s\\p{C}${UNSEEN}])(?:[${JOINING}]|[^\\p{C}${UNSEEN}])*$`

/** A name that tells users apart: each character is seen, none is white space. */
export const DISTINCT_NAME = `^[^\\s\\p{C}${UNSEEN}]+$`
