const MOMENT = /^(?!0000)\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

/**
 * Whether the text is a moment as this service writes it: ISO 8601 in UTC with milliseconds, a day that exists, a year that
 * Postgres knows. Date.parse alone takes 30 February for 2 March.
 */
export function isMoment (text: string): boolean {
  if (!MOMENT.test(text)) return false
  const time = Date.parse(text)
  return !Number.isNaN(time) && new Date(time).toISOString() === text
}
