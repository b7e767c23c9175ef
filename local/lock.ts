import { linkSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startMark } from './processes.js'
import { makeFolder, readIfThere } from './state-folder.js'

interface Holder { readonly pid: number, readonly mark: string, readonly purpose: string }

const lockFile = (stateDir: string) => join(stateDir, 'launcher.json')

function isAlive (holder: Holder): boolean {
  return startMark(holder.pid) === holder.mark
}

/** Who holds this state folder: a living launcher, a dead one, or none (null). */
export function holderOf (stateDir: string): (Holder & { readonly alive: boolean }) | null {
  const text = readIfThere(lockFile(stateDir))
  if (text === null) return null
  const holder = JSON.parse(text) as Holder
  return { ...holder, alive: isAlive(holder) }
}

function take (stateDir: string, mine: string): boolean {
  try {
    linkSync(mine, lockFile(stateDir))
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/** A dead launcher's lock is moved away first: of two newcomers only one can move it, and the other looks again. */
function clearDead (stateDir: string): void {
  const aside = `${lockFile(stateDir)}.dead.${process.pid}`
  try {
    renameSync(lockFile(stateDir), aside)
  } catch {
    return
  }
  const moved = JSON.parse(readIfThere(aside) ?? '{}') as Holder
  if (isAlive(moved)) take(stateDir, aside)
  rmSync(aside, { force: true })
}

/**
 * Takes the state folder for this process; the function given back lets go of it.
 * Throws when a living launcher has it, naming its pid.
 */
export function lockFolder (stateDir: string, purpose: string): () => void {
  makeFolder(stateDir)
  const mine = `${lockFile(stateDir)}.${process.pid}`
  const me: Holder = { pid: process.pid, mark: startMark(process.pid) ?? '', purpose }
  writeFileSync(mine, JSON.stringify(me), { mode: 0o600 })
  try {
    for (let tries = 0; tries < 10; tries++) {
      if (take(stateDir, mine)) return () => rmSync(lockFile(stateDir), { force: true })
      const holder = holderOf(stateDir)
      if (holder?.alive) throw new Error(`process ${holder.pid} is already running on ${stateDir}: stop it, or use another folder`)
      if (holder !== null) clearDead(stateDir)
    }
    throw new Error(`the lock of ${stateDir} cannot be taken`)
  } finally {
    rmSync(mine, { force: true })
  }
}
