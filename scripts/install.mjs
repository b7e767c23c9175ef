// Run before `npm start` and `npm test`: says what is wrong with the Node version, installs what is missing.
// Node built-ins only (nothing is installed yet), and syntax that old versions can read, or they could not be told.
import { spawn } from 'node:child_process'
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
  install()
}

/** Half a minute to several on a slow line, and npm says nothing meanwhile. */
function install () {
  const npm = process.env.npm_execpath
  const [command, first] = npm ? [process.execPath, [npm]] : ['npm', []]
  // dev packages also where NODE_ENV=production would leave them out: start and test are made by esbuild
  const args = first.concat('ci', '--ignore-scripts', '--include=dev', '--include=optional', '--no-audit', '--no-fund', '--loglevel=error')
  const child = spawn(command, args, { cwd: project, stdio: ['ignore', 'ignore', 'pipe'], shell: !npm && process.platform === 'win32' })
  const done = showProgress('Installing packages (npm ci) ...')
  let said = ''
  child.stderr.setEncoding('utf8').on('data', function (text) { said += text })
  child.on('error', function (error) { said += error })
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, function () { child.kill(signal) })
  child.on('close', function (status) {
    done()
    if (status === 0) return
    console.error(said.trim())
    console.error('npm ci failed: nothing was started.')
    process.exitCode = status > 0 ? status : 1
  })
}

/** On a terminal one line with the seconds, elsewhere a line every ten. The function given back ends it. */
function showProgress (what) {
  const start = Date.now()
  const terminal = process.stdout.isTTY
  const line = function () { return what + ' ' + Math.round((Date.now() - start) / 1000) + ' s' }
  process.stdout.write(terminal ? what : what + '\n')
  const timer = setInterval(function () { process.stdout.write(terminal ? '\r' + line() : line() + '\n') }, terminal ? 1000 : 10000)
  return function () {
    clearInterval(timer)
    if (terminal) process.stdout.write('\r' + line() + '\n')
  }
}
