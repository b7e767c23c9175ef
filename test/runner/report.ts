import type { LocalServices } from '../../local/services.js'
import { logFaults } from '../support/log-lines.js'
import { searchLogs } from '../support/personal-data.js'
import type { FileRun } from './file-run.js'

const SLOWEST = 10

/** One line a file; below it what went wrong, and what it wrote to standard error. */
export function told ({ file, ms, passed, failed, skipped, failures, errors }: FileRun): string {
  const counts = [`${passed} passed`, ...(failed > 0 ? [`${failed} failed`] : []), ...(skipped.length > 0 ? [`${skipped.length} skipped`] : [])].join(', ')
  const more = [...failures, ...(errors === '' ? [] : [`standard error: ${errors}`])]
  return [`${failed > 0 ? 'FAIL' : 'ok  '} ${seconds(ms).padStart(7)}  ${file}  ${counts}`, ...more.map((text) => text.replace(/^/gm, '       '))].join('\n')
}

export interface Circumstances {
  services: LocalServices
  /** Folder with every line that a process under test logged. */
  logs: string
  /** All files were run. */
  whole: boolean
  needsAll: boolean
  ms: number
}

/** Says what the run came to, the plain counts last. @returns whether it is green */
export function conclude (runs: readonly FileRun[], { services, logs, whole, needsAll, ms }: Circumstances): boolean {
  const sum = (read: (run: FileRun) => number) => runs.reduce((all, run) => all + read(run), 0)
  const [passed, failed, skipped] = [sum((run) => run.passed), sum((run) => run.failed), sum((run) => run.skipped.length)]
  console.log('\nslowest files:')
  for (const run of [...runs].sort((a, b) => b.ms - a.ms).slice(0, SLOWEST)) console.log(`${seconds(run.ms).padStart(9)}  ${run.file}`)
  // Once more and last: the lines of the files may be far above.
  for (const run of runs.filter(({ failures }) => failures.length > 0)) console.log(`\n${told(run)}`)
  for (const reason of runs.flatMap((run) => run.skipped)) console.log(`skipped: ${reason}`)
  const missing = [services.postgres, services.redis, services.rabbitmq].filter(({ url }) => url === null)
  const incomplete = needsAll && (missing.length > 0 || skipped > 0)
  if (incomplete) console.error(`TEST_NEEDS_ALL: missing ${missing.map(({ name }) => name).join(', ') || 'nothing'}, skipped ${skipped}`)
  const leaks = [...searchLogs(logs, whole), ...logFaults(logs)]
  for (const leak of leaks) console.error(leak)
  console.log(seconds(ms))
  console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`)
  return failed === 0 && !incomplete && leaks.length === 0 && passed > 0
}

function seconds (ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`
}
