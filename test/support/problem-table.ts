import { PROBLEM_TYPE, type Problem, type ProblemCode, problems } from '../../src/http/problems.js'

const RETRY: Record<Problem['retry'], string> = {
  no: 'no',
  later: 'yes, as it is',
  same_key: 'yes, with the same Idempotency-Key'
}

/** The table of docs/errors.md, as the code says it. */
export function problemTable (): string {
  return (Object.entries(problems) as Array<[ProblemCode, Problem]>).map(([code, { status, title, detail, retry, retryAfter }]) => {
    const again = RETRY[retry] + (retryAfter === undefined ? '' : ` (after ${retryAfter} s)`)
    return `| \`${PROBLEM_TYPE}${code.replaceAll('_', '-')}\` | ${status} | ${title} | ${detail} | ${again} | ${problems[code].remedy} |`
  }).join('\n')
}
