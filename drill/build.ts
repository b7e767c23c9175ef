import { execFile } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

const PROJECT = join(import.meta.dirname, '..')

/**
 * Builds the service into `folder`, below the project so that its packages are found.
 * @returns the folder of cli.js @throws Error with what the compiler said
 */
export async function buildInto (folder: string): Promise<string> {
  rmSync(folder, { recursive: true, force: true })
  const dist = join(folder, 'dist')
  const tsc = join(PROJECT, 'node_modules', 'typescript', 'bin', 'tsc')
  await promisify(execFile)(process.execPath, [tsc, '-p', 'tsconfig.build.json', '--outDir', dist], { cwd: PROJECT })
    .catch((error: Error & { stdout?: string }) => { throw new Error(`the service does not build: ${error.stdout ?? ''}${error.message}`) })
  const migrations = join('store', 'migrations')
  mkdirSync(join(dist, migrations), { recursive: true })
  cpSync(join(PROJECT, 'src', migrations), join(dist, migrations), { recursive: true })
  cpSync(join(PROJECT, 'package.json'), join(folder, 'package.json')) // its version is logged, its type is read by node
  return dist
}

/** @throws Error when there is nothing to run in it */
export function givenBuild (folder: string): string {
  if (!existsSync(join(folder, 'cli.js'))) throw new Error(`--build: no cli.js in ${folder}`)
  return folder
}
