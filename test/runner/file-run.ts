import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { BUILD } from '../support/build.js'
import { endStrays } from './leftovers.js'
import { readTap, type Results } from './tap-results.js'

export interface FileRun extends Results {
  file: string
  ms: number
  /** What it wrote to standard error. */
  errors: string
}

export interface Setting {
  env: NodeJS.ProcessEnv
  /** For what the files make as temporary files: each has a folder of its own in it. */
  folder: string
  slowness: number
  /** Aborted: whatever runs is ended. */
  signal: AbortSignal
}

/** A file says so by `t.setTimeout` where it needs longer. */
const LIMIT_S = 120
/** Beyond that no file gets: it hangs so that its own limit does not end it. */
const HARD_LIMIT_MS = 600_000

const PRELOAD = join(BUILD, 'test/runner/preload.js')

let number = 0

/** Runs one test file in a process of its own; whatever it started has ended when this resolves. @param file of the project, or anywhere by its whole path */
export async function runFile (file: string, { env, folder, slowness, signal }: Setting): Promise<FileRun> {
  const temporary = join(folder, String(++number))
  mkdirSync(temporary, { mode: 0o711 })
  const mark = `${process.pid}.${number}`
  const started = performance.now()
  const child = spawn(process.execPath, ['--import', PRELOAD, resolve(BUILD, file.replace(/\.ts$/, '.js'))], {
    env: { ...env, TMPDIR: temporary, TEST_MARK: mark, TAP_TIMEOUT: String(Math.ceil(LIMIT_S * slowness)) },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'] // by the channel it learns that this process is gone
  })
  const end = () => child.kill('SIGKILL')
  const limit = setTimeout(end, HARD_LIMIT_MS * slowness)
  signal.addEventListener('abort', end)
  const streams = Promise.all([text(child.stdout!), text(child.stderr!)])
  const how = await ended(child)
  clearTimeout(limit)
  signal.removeEventListener('abort', end)
  // Before its streams are awaited: what it left behind may hold them open.
  const strays = await endStrays(`TEST_MARK=${mark}`, temporary, slowness)
  const [output, errors] = await streams
  await rm(temporary, { recursive: true, force: true, maxRetries: 5 })
  const results = readTap(output)
  const more = [
    ...(how !== '' && results.failed === 0 ? [`it ended with ${how}`] : []),
    ...strays.map(({ command }) => `it left a process behind: ${command}`)
  ]
  return {
    file,
    ms: performance.now() - started,
    ...results,
    failed: results.failed + more.length,
    failures: [...results.failures, ...more],
    errors: errors.trimEnd()
  }
}

/** '' for an orderly end */
async function ended (child: ChildProcess): Promise<string> {
  const [code, signal] = await once(child, 'exit') as [number | null, string | null]
  return signal ?? (code === 0 ? '' : `exit code ${code}`)
}
