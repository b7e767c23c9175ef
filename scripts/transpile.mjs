// Turns every TypeScript file of the project into JavaScript, once, for what runs from a checkout: `npm start`, `npm run comanda`,
// `npm test`. Types are checked by `npm run types`; what production runs is built by `npm run build`.
import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, utimesSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const project = dirname(dirname(fileURLToPath(import.meta.url)))
const home = join(project, '.local/build')
const rooms = ['src', 'local', 'testkit', 'test', 'bench', 'drill', 'traffic', 'scripts', 'clients']
/** What is read at run time from where it stands beside the code. */
const beside = ['package.json', 'src/store/migrations']
const KEPT_MS = 24 * 3_600_000

function filesIn (folder) {
  return readdirSync(join(project, folder), { recursive: true, encoding: 'utf8', withFileTypes: true })
    .filter(entry => entry.isFile() && !entry.parentPath.includes('node_modules'))
    .map(entry => join(entry.parentPath, entry.name))
}

/** Another folder for every state of the files: what runs from one is never changed under it. */
function folderFor (files) {
  const hash = createHash('sha256')
  for (const file of files) {
    const { mtimeMs, size } = statSync(file)
    hash.update(`${file} ${mtimeMs} ${size}\n`)
  }
  return join(home, hash.digest('hex').slice(0, 12))
}

function removeOld (but) {
  for (const name of readdirSync(home)) {
    const folder = join(home, name)
    if (folder !== but && Date.now() - statSync(folder).mtimeMs > KEPT_MS) rmSync(folder, { recursive: true, force: true })
  }
}

/** The folder with the JavaScript, laid out as the project. A state that was transpiled before costs 20 ms. */
export async function transpile () {
  const files = [...rooms.flatMap(filesIn), join(project, 'package.json')]
  const folder = folderFor([...files, ...filesIn('console')])
  mkdirSync(home, { recursive: true })
  if (existsSync(folder)) {
    utimesSync(folder, new Date(), new Date())
    return folder
  }
  const { build } = await import('esbuild')
  const fresh = `${folder}.${process.pid}`
  await build({
    entryPoints: files.filter(file => file.endsWith('.ts') && !file.endsWith('.d.ts') && !file.includes('bench/alternatives/contestants/')),
    outdir: fresh,
    outbase: project,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    sourcemap: 'linked',
    logLevel: 'error'
  })
  const { buildConsole } = await import('./console.mjs')
  await buildConsole(join(fresh, 'dist/console'))
  for (const path of beside) cpSync(join(project, path), join(fresh, path), { recursive: true })
  try {
    renameSync(fresh, folder)
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true })
    if (!existsSync(folder)) throw error // otherwise another run was first
  }
  removeOld(folder)
  return folder
}
