import { once } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import { Report, type ReportOptions } from '../logs/report.js'
import { LineSplitter } from '../logs/split.js'
import { LogFile } from './log-file.js'

export interface LogsOptions extends ReportOptions {
  /** Goes on with what is written from now on: files until a signal, standard input until its end. */
  follow: boolean
}

const LOOK_MS = 200

/** @returns the exit code: 1 when a file cannot be read, or when no line is about the order or request */
export async function runLogs (paths: readonly string[], options: LogsOptions): Promise<number> {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0) // the reader has seen enough
    throw error
  })
  const report = new Report(options)
  if (paths.length > 0) {
    const files = await openAll(paths)
    if (!files) return 1
    await readFiles(files, report, options.follow)
  } else {
    if (process.stdin.isTTY) {
      console.error('comanda logs: give it files, or lines: docker compose logs api worker | comanda logs --errors')
      return 1
    }
    await readInput(report, options.follow)
  }
  return await conclude(report, options)
}

/** @returns null when one of them cannot be opened: half a story misleads */
async function openAll (paths: readonly string[]): Promise<LogFile[] | null> {
  const opened = await Promise.allSettled(paths.map(async (path) => await LogFile.open(path)))
  for (const [index, one] of opened.entries()) if (one.status === 'rejected') console.error(`comanda logs: ${paths[index]} cannot be read: ${whyOf(one.reason as NodeJS.ErrnoException)}`)
  const files = opened.flatMap((one) => one.status === 'fulfilled' ? [one.value] : [])
  return files.length === paths.length ? files : null
}

const WHY: Record<string, string> = { ENOENT: 'there is no such file', EACCES: 'it may not be read by you', EISDIR: 'it is a directory' }

function whyOf ({ code = '', message }: NodeJS.ErrnoException): string {
  return WHY[code] ?? message
}

async function readFiles (files: readonly LogFile[], report: Report, follow: boolean): Promise<void> {
  for (const file of files) {
    for await (const lines of file.lines()) await print(report, lines)
    if (!follow) await print(report, file.end())
  }
  if (follow) await followFiles(files, report)
  for (const file of files) await file.close()
}

async function followFiles (files: readonly LogFile[], report: Report): Promise<void> {
  const stopping = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopping.abort())
  await write(report.end())
  while (!stopping.signal.aborted) {
    for (const file of files) {
      const replaced = await file.isReplaced()
      for await (const lines of file.lines()) await print(report, lines)
      if (!replaced) continue
      await print(report, file.end())
      await file.reopen()
    }
    await wait(LOOK_MS, undefined, { signal: stopping.signal }).catch(() => {})
  }
}

async function readInput (report: Report, follow: boolean): Promise<void> {
  if (follow) report.end() // told as it comes from the beginning
  const splitter = new LineSplitter()
  for await (const text of process.stdin.setEncoding('utf8')) await print(report, splitter.push(text as string))
  await print(report, splitter.end())
}

async function print (report: Report, lines: readonly string[]): Promise<void> {
  await write(lines.flatMap((line) => report.read(line)))
}

/** Waits where the reader is slower: nothing piles up here. */
async function write (lines: readonly string[]): Promise<void> {
  if (lines.length > 0 && !process.stdout.write(`${lines.join('\n')}\n`)) await once(process.stdout, 'drain')
}

async function conclude (report: Report, { order, request, errors, json }: LogsOptions): Promise<number> {
  await write(report.end())
  if (report.foreign > 0) console.error(`comanda logs: ${report.foreign} of ${report.lines} lines are not log lines of Comanda and were passed over`)
  if (report.found > 0) return 0
  if (errors === true && !json) console.error(`comanda logs: nothing went wrong in ${report.lines} lines`)
  if (order === undefined && request === undefined) return 0
  if (errors !== true) console.error(`comanda logs: none of ${report.lines} lines is about ${order === undefined ? `request ${request}` : `order ${order}`}`)
  return errors === true ? 0 : 1
}
