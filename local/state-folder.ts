import { randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startMark } from './processes.js'

const isRoot = process.getuid?.() === 0

/**
 * Makes the folder if need be. Run by root, others may pass through it (not read it): Postgres runs as another user
 * and its data lies within.
 */
export function makeFolder (folder: string): string {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  if (isRoot) chmodSync(folder, statSync(folder).mode | 0o011)
  return folder
}

/** Writes a file that only its owner may read, all of it or nothing. */
export function writePrivate (file: string, text: string): void {
  const fresh = `${file}.${process.pid}`
  writeFileSync(fresh, text, { mode: 0o600 })
  renameSync(fresh, file)
}

/** The file's text, null when there is no such file. */
export function readIfThere (file: string): string | null {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

/** The random password of this folder, made at the first call. Hexadecimal: safe in a URL and in any config file. */
export function keptPassword (folder: string): string {
  const file = join(folder, 'password')
  const kept = readIfThere(file)?.trim() ?? ''
  if (kept !== '') return kept
  const fresh = randomBytes(24).toString('hex')
  writePrivate(file, fresh)
  return fresh
}

export interface ServerRecord {
  readonly pid: number
  /** Start time of that process: a later process with the same pid is another. */
  readonly mark: string
  readonly port: number
  readonly epmdPort?: number
}

const recordFile = (folder: string) => join(folder, 'server.json')

/** Notes the server just started, so that it is found again after this process was killed. */
export function recordServer (folder: string, server: Omit<ServerRecord, 'mark'>): void {
  writePrivate(recordFile(folder), JSON.stringify({ ...server, mark: startMark(server.pid) ?? 'gone' }))
}

/** The last server started in this folder, and whether that very process still runs; null when there was none. */
export function lastServer (folder: string): (ServerRecord & { readonly alive: boolean }) | null {
  const text = readIfThere(recordFile(folder))
  if (text === null) return null
  const record = JSON.parse(text) as ServerRecord
  return { ...record, alive: startMark(record.pid) === record.mark }
}
