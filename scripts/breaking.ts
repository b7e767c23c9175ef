import { redocly } from './redocly.js'

/** A change that a client of the older contract may not survive. */
export interface Breaking {
  /** `GET /orders/{order_id}`; the path alone when all of it is concerned */
  operation: string
  what: string
}

interface Change {
  /** RFC 6901 */
  path: string
  typeName: string
  kind: string
  impact: 'major' | 'minor' | 'patch'
  verdicts: Array<{ message: string }>
}

/** What breaks between two OpenAPI files; in a schema that several operations share, at the first of them. */
export function breakingChanges (older: string, newer: string): Breaking[] {
  const { output, report } = redocly('diff', older, newer, '--format', 'json', '--fail-on', 'none')
  if (output === '') throw new Error(report)
  const { changes } = JSON.parse(output) as { changes: Change[] }
  return changes.filter(breaks).map(({ path, typeName, kind, verdicts }) => ({
    operation: operationAt(path),
    what: verdicts.map(({ message }) => message).join(' ') || `${typeName} was ${kind}.`
  }))
}

/** An operation that was open and falls under the document's own security asks for a token: the tool misses that one. */
function breaks ({ impact, typeName, kind }: Change): boolean {
  return impact === 'major' || (typeName === 'SecurityRequirementList' && kind === 'removed')
}

function operationAt (pointer: string): string {
  const [, section, path, method] = pointer.split('/').map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'))
  if (section !== 'paths' || path === undefined) return pointer
  return /^(get|put|post|delete|patch|head|options)$/.test(method ?? '') ? `${method!.toUpperCase()} ${path}` : path
}

/** Those that no line of the changelog's unreleased section owns up to: it begins with `**Breaking**` and names the operation in backticks. */
export function unrecorded (changes: Breaking[], changelog: string): Breaking[] {
  const unreleased = changelog.split(/^## /m).find((section) => /^.*unreleased/i.test(section)) ?? ''
  const lines = unreleased.split('\n').filter((line) => /^(- )?\*\*Breaking\*\*/.test(line))
  return changes.filter(({ operation }) => !lines.some((line) => line.includes(`\`${operation}\``)))
}
