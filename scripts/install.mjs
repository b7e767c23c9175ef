// Run before `npm start` and `npm test`: says what is wrong with the Node version, installs what is missing.
// Node built-ins only (nothing is installed yet), and syntax that old versions can read, or they could not be told.
import { spawnSync } from 'node:child_process'
import { statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const project = process.argv[2] || dirname(dirname(fileURLToPath(import.meta.url)))
const needed = [20, 19]

function changedAt (file) {
  try {
    return statSync(join(project, file)).mtimeMs
  } catch (error) {
    return 0
  }
}

const have = process.versions.node.split('.').map(Number)
if (have[0] < needed[0] || (have[0] === needed[0] && have[1] < needed[1])) {
  console.error('Comanda needs Node ' + needed.join('.') + ' or newer; this is ' + process.versions.node + '.')
  process.exit(1)
}

// npm writes this file last, so an install that was cut short is done again
if (changedAt('node_modules/.package-lock.json') < changedAt('package-lock.json')) {
  console.log('Installing packages (npm ci) ...')
  const npm = process.env.npm_execpath
  const [command, first] = npm ? [process.execPath, [npm]] : ['npm', []]
  // dev packages also where NODE_ENV=production would leave them out: start and test are made by esbuild
  const args = first.concat('ci', '--ignore-scripts', '--include=dev', '--include=optional', '--no-audit', '--no-fund', '--loglevel=error')
  const done = spawnSync(command, args, {
    cwd: project, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], shell: !npm && process.platform === 'win32'
  })
  if (done.status !== 0) {
    console.error((done.stderr || String(done.error || '')).trim())
    console.error('npm ci failed: nothing was started.')
    process.exit(done.status || 1)
  }
}
