import { type Finding, type Mark, verdictOf } from './finding.js'

const COLOURS: Record<Mark, string> = { ok: '\u001B[32m', warn: '\u001B[33m', wrong: '\u001B[31m' }
const PLAIN = '\u001B[0m'
const WORDS: ReadonlyArray<[mark: Mark, one: string, many: string]> = [['wrong', 'is wrong', 'are wrong'], ['warn', 'warning', 'warnings'], ['ok', 'is well', 'are well']]

/** A line for each finding, then one that counts them. */
export function asText (findings: readonly Finding[], colour: boolean): string {
  const painted = (mark: Mark) => colour ? `${COLOURS[mark]}${mark.padEnd(5)}${PLAIN}` : mark.padEnd(5)
  const width = Math.max(0, ...findings.map((finding) => titleOf(finding).length))
  const lines = findings.map((finding) =>
    `${painted(finding.mark)}  ${titleOf(finding).padEnd(width)}  ${finding.found}${finding.advice === null ? '' : ` -> ${finding.advice}`}`)
  return [...lines, countsOf(findings)].join('\n')
}

/** One object: `verdict` is the worst mark. */
export function asJson (findings: readonly Finding[], checkedAt: Date): string {
  return JSON.stringify({ verdict: verdictOf(findings), checked_at: checkedAt.toISOString(), findings })
}

function titleOf ({ subject, check }: Finding): string {
  return `${subject} ${check}`
}

function countsOf (findings: readonly Finding[]): string {
  return WORDS.flatMap(([mark, one, many]) => {
    const count = findings.filter((finding) => finding.mark === mark).length
    return count === 0 ? [] : [`${count} ${count === 1 ? one : many}`]
  }).join(', ')
}
