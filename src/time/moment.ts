let now = { at: 0, text: '' }

/** This moment as this service writes it; formatted once a millisecond, because every order and every log line asks for it. */
export function thisMoment (): string {
  const at = Date.now()
  if (at !== now.at) now = { at, text: new Date(at).toISOString() }
  return now.text
}

const MOMENT = /^(?!0000)\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

/**
 * Whether the text is a moment as this service writes it: ISO 8601 in UTC with milliseconds, a day that exists, a year that
 * Postgres knows. Date.parse alone takes 30 February for 2 March.
 */
export function isMoment (text: string): boolean {
  if (text === known) return true
  if (!MOMENT.test(text)) return false
  const time = Date.parse(text)
  if (Number.isNaN(time) || new Date(time).toISOString() !== text) return false
  known = text
  return true
}

/** The last one found sound: an event holds the same moment twice, and a batch few others. */
let known = ''
