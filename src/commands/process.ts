import type { AddressInfo } from 'node:net'
import { isatty } from 'node:tty'
import { setFlagsFromString } from 'node:v8'
import closeWithGrace from 'close-with-grace'
import type { FastifyInstance } from 'fastify'
import { catalogue } from '../logs/catalogue.js'
import { logLine } from '../logs/log-line.js'

/** Milliseconds from the signal; Docker and Kubernetes wait 10 and 30 seconds before they kill. */
const GRACE_MS = 4500

/**
 * The old generation is collected when it has grown by 40 %. By V8's own measure it was let grow to twice what is in use and
 * more: either process then took 50 MiB more at full load, for 3 % more orders. (NODE_OPTIONS does not take this one.)
 */
const COLLECT_SOON = '--heap-growing-percent=40'

/** After these the process is broken. A handler would return to the instruction that failed, which fails again, at full CPU, for ever. */
const NATIVE_CRASHES = ['SIGILL', 'SIGTRAP', 'SIGABRT', 'SIGBUS', 'SIGFPE', 'SIGSEGV'] as const

/**
 * Listens until a signal or a crash, then closes in order; where a parent holds an IPC channel to it, also when that is
 * lost: the parent is gone, however it went. A second signal or the end of the grace forces the end, with exit code 1: safe
 * by design, whatever was unacked or unconfirmed comes again. A native crash ends the process at once; so does, in order and
 * with exit code 1, a service that no waiting makes fit.
 */
export async function serve (app: FastifyInstance): Promise<void> {
  setFlagsFromString(COLLECT_SOON)
  // A reader that is gone must not turn the orderly end into a crash.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
  const forced = (reason: string, err?: unknown) => logLine(app.log, { event: 'exit_forced', reason, ...(err ? { err } : {}) })
  const onTerminal = [0, 1, 2].some(isatty)
  let closing = false
  let hopeless = false
  const { close } = closeWithGrace({
    skip: [...NATIVE_CRASHES],
    delay: GRACE_MS,
    logger: { error: (what: unknown) => what instanceof Error ? forced('closing failed', what) : forced(String(what)) },
    onSecondSignal: (signal) => forced(`a second ${signal ?? 'signal'}`),
    onSecondError: (error) => forced('a second crash', error),
    onTimeout: (ms) => forced(`closing took longer than ${ms} ms`)
  }, async ({ err, signal }) => {
    closing = true
    if (err) logLine(app.log, { event: 'crashed', reason: 'crashed', err })
    else logLine(app.log, { event: 'closing', signal })
    await app.close()
    logLine(app.log, { event: 'closed' })
    if (hopeless) process.exit(1)
    // An exit would set the modes of a terminal that is gone: Node 20 aborts over it.
    if (signal === 'SIGHUP' && onTerminal) process.removeAllListeners('SIGHUP').kill(process.pid, 'SIGHUP')
  })
  app.health.onHopeless = () => {
    hopeless = true
    if (!closing) close()
  }
  process.once('disconnect', () => { if (!closing) close() })
  if (process.connected === false) close() // lost while this process was loading; without a channel it is undefined
  else await listen(app)
}

async function listen (app: FastifyInstance): Promise<void> {
  const { host, port, opsPort } = app.config
  await app.listen({ host, port, listenTextResolver: listening('listening') })
  await app.opsServer?.listen({ host, port: opsPort!, listenTextResolver: listening('ops_listening') })
  const addresses = [app.server, ...(app.opsServer ? [app.opsServer.server] : [])].map((server) => server.address() as AddressInfo)
  logLine(app.log, { event: 'started', addresses, config: app.config.shown })
}

/** Fastify logs that it listens by itself, whatever this returns; pino takes an object where it takes a text. */
function listening (event: 'listening' | 'ops_listening'): () => string {
  return () => ({ event, msg: catalogue[event].text }) as unknown as string
}
