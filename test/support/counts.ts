export interface Counts {
  passed: number
  failed: number
  skipped: number
  /** "name: reason" of each skipped test */
  reasons: string[]
}

/** Counts the named tests (not the assertions) in what tap wrote; a file that fails without a failing test counts as one. */
export function countTests (tap: string): Counts {
  const counts: Counts = { passed: 0, failed: 0, skipped: 0, reasons: [] }
  let failedInFile = 0
  for (const line of tap.split('\n')) {
    const file = /^(not )?ok \d+ - /.exec(line)
    const test = /^ {4}(not )?ok \d+ - (.*?)(?: # (SKIP|TODO)\s*(.*)| # time=.*)?$/.exec(line)
    if (file) {
      if (file[1] && failedInFile === 0) counts.failed++
      failedInFile = 0
    } else if (test?.[3]) {
      counts.skipped++
      counts.reasons.push(`${test[2]}: ${test[4]}`)
    } else if (test?.[1]) {
      counts.failed++
      failedInFile++
    } else if (test) counts.passed++
  }
  return counts
}

/** Each "not ok" line, whatever its depth, with the details that tap wrote below it. */
export function failuresIn (tap: string): string[] {
  return tap.match(/^( *)not ok .*(?:\n\1 {2}---\n[\s\S]*?\n\1 {2}\.\.\.)?/gm) ?? []
}
