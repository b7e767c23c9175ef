import { execFile } from 'node:child_process'
import { accessSync, constants, readdirSync, statSync } from 'node:fs'
import { basename, delimiter, dirname, join } from 'node:path'
import type { User } from './processes.js'
import type { Env } from './service.js'

export interface CommandResult { readonly ok: boolean, readonly stdout: string, readonly stderr: string }

export interface CommandOptions {
  readonly env: Env
  /** Milliseconds; then the command is killed and counts as failed. */
  readonly limitMs: number
  readonly user?: User | undefined
  readonly cwd?: string
}

/** Runs a command to its end. Never throws: a command that cannot be run is a failed one with the reason in stderr. */
export function runCommand (command: string, args: readonly string[], options: CommandOptions): Promise<CommandResult> {
  return new Promise(resolve => {
    const child = execFile(command, args, {
      env: options.env as NodeJS.ProcessEnv,
      timeout: options.limitMs,
      killSignal: 'SIGKILL',
      maxBuffer: 16 * 1024 * 1024,
      windowsHide: true,
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      ...options.user
    }, (error, stdout, stderr) => {
      resolve({ ok: error === null, stdout, stderr: stderr === '' && error !== null ? error.message : stderr })
    })
    child.stdin?.end()
  })
}

function isExecutable (file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return statSync(file).isFile()
  } catch {
    return false
  }
}

/** The folders of PATH, each `bin` followed by its `sbin`: Debian keeps servers there, outside a user's PATH. */
export function searchPath (env: Env): string[] {
  const folders = (env.PATH ?? env.Path ?? '').split(delimiter).filter(folder => folder !== '')
  return [...new Set(folders.flatMap(folder =>
    basename(folder) === 'bin' ? [folder, join(dirname(folder), 'sbin')] : [folder]))]
}

/** The first of these commands that is on the machine, as a full path; null when there is none. */
export function findCommand (env: Env, ...names: string[]): string | null {
  const cleanup = process.platform === 'win32' ? ['.exe', '.cmd', '.bat'] : ['']
  for (const folder of searchPath(env)) {
    for (const name of names) {
      const found = cleanup.map(ending => join(folder, name + ending)).find(isExecutable)
      if (found !== undefined) return found
    }
  }
  return null
}

/** The names in a folder that match, highest version first; none when there is no such folder. */
export function versionsIn (folder: string, name: RegExp): string[] {
  try {
    return readdirSync(folder).filter(entry => name.test(entry))
      .sort((a, b) => b.localeCompare(a, 'en', { numeric: true }))
  } catch {
    return []
  }
}
