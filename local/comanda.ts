// `npm run comanda -- <command>`: any command of the bin, against what `npm start` runs.
import { logFilesIn } from './run-log.js'
import { environmentOfRunning, PROCESSES } from './running.js'
import { defaultStateDir } from './services.js'

/** Of `comanda logs`: what follows one of these is its value, not a file. */
const WITH_VALUE = new Set(['--order', '--request', '--slow'])
const HELP = new Set(['help', '--help', '-h'])

/** `logs` without a file reads what the running processes have written. */
function withFiles (args: readonly string[], stateDir: string): string[] {
  const [command, ...rest] = args
  const files = rest.filter((arg, index) => !arg.startsWith('-') && !WITH_VALUE.has(rest[index - 1] ?? ''))
  if (command !== 'logs' || files.length > 0) return [...args]
  return [...args, ...logFilesIn(stateDir, PROCESSES, !args.includes('--follow'))]
}

const args = process.argv.slice(2)
const stateDir = process.env.COMANDA_STATE_DIR ?? defaultStateDir(process.cwd())
const env = environmentOfRunning(stateDir, process.env)
const wantsHelp = args.length === 0 || args.some(arg => HELP.has(arg))

if (typeof env === 'string' && !wantsHelp) {
  console.error(env === 'starting'
    ? 'Comanda is starting: try again once `npm start` says that it is ready'
    : `no Comanda is running here (looked in ${stateDir}): run \`npm start\` in another terminal first`)
  process.exitCode = 1
} else {
  if (typeof env !== 'string') process.env = env as NodeJS.ProcessEnv
  process.argv.splice(2, args.length, ...withFiles(args, stateDir))
  await import('../src/cli.js')
}
