import { Parser } from 'tap-parser'

export interface Results {
  passed: number
  failed: number
  /** "name: reason" of each skipped test */
  skipped: string[]
  /** Each test that failed: its whole name and what tap says of it. */
  failures: string[]
}

interface Assert { ok: boolean, fullname: string, diag?: unknown, skip?: string | boolean, todo?: string | boolean }

/** Counts a file's own tests, not their assertions, in what it wrote (TAP 14). A file without a test, or cut short, has failed. */
export function readTap (text: string): Results {
  const parser = new Parser()
  const failures = failuresOf(text)
  const skipped: string[] = []
  let passed = 0
  let failed = 0
  parser.on('assert', ({ ok, fullname, skip, todo }: Assert) => {
    if (skip || todo) skipped.push(`${fullname}: ${[skip, todo].find((why) => typeof why === 'string') ?? 'no reason given'}`)
    else if (ok) passed++
    else failed++
  })
  parser.end(text)
  const { results } = parser
  if (results?.bailout) failures.push(`bail out: ${String(results.bailout)}`)
  if (failed === 0 && results?.ok !== true) {
    failed++
    failures.push(`not a whole test: ${results?.failures.map(({ tapError }) => String(tapError)).join('; ') ?? 'no TAP'}`)
  } else if (passed + failed + skipped.length === 0) {
    failed++
    failures.push('no test was run')
  }
  return { passed, failed, skipped, failures }
}

/** Each "not ok" line, whatever its depth, with the details that tap wrote below it. */
function failuresOf (tap: string): string[] {
  return tap.match(/^( *)not ok .*(?:\n\1 {2}---\n[\s\S]*?\n\1 {2}\.\.\.)?/gm)?.filter((one) => !/^ *not ok .*# (?:SKIP|TODO)/i.test(one)) ?? []
}
