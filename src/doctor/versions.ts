import type { Notes, Subject } from './finding.js'

/** From and to which version this build is made for: older ones lack something it needs or have left support, newer ones were never tried. */
const SUPPORTED: Record<Exclude<Subject, 'configuration'>, { least: string, most: string }> = {
  postgres: { least: '15', most: '18' },
  redis: { least: '7', most: '8' },
  rabbitmq: { least: '3.10', most: '4' } // 3.10 is the first with at-least-once dead lettering
}

/** @param version as the server says it: the numbers count, whatever stands behind them */
export function noteVersion (notes: Notes, version: string): void {
  const { least, most } = SUPPORTED[notes.subject as keyof typeof SUPPORTED]
  const found = `${/^[\d.]+/.exec(version)?.[0] ?? version} (supported: ${least} to ${most})`
  if (compare(version, least) < 0) notes.wrong('version', found, `upgrade it to ${least} or newer`)
  else if (compare(version, most) > 0) notes.warn('version', found, 'newer than any this build was tried with: look for a newer build')
  else notes.ok('version', found)
}

/** By the numbers that both name: 18.4 is no newer than 18. */
function compare (version: string, bound: string): number {
  const numbers = (text: string) => (/^\d+(\.\d+)*/.exec(text)?.[0] ?? '0').split('.').map(Number)
  const [given, wanted] = [numbers(version), numbers(bound)]
  const differing = wanted.findIndex((number, index) => number !== (given[index] ?? 0))
  return differing < 0 ? 0 : (given[differing] ?? 0) - wanted[differing]!
}
