import { readFileSync } from 'node:fs'
import pino, { type DestinationStream, type Logger, type LoggerOptions } from 'pino'
import type { Config } from '../config.js'
import { thisMoment } from '../time/moment.js'
import { traceOfLine } from '../tracing/current.js'
import { BatchingDestination } from './batching-destination.js'
import { logLine } from './log-line.js'
import { nonBlockingStdout, OutputWriter } from './output-writer.js'
import { disarmed, escapeSteering } from './terminal.js'

export const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }

/**
 * One JSON object a line; docs/logs.md is the contract, src/logs/catalogue.ts its lines. Pretty only on a terminal.
 * @param destination for tests; otherwise standard output
 */
export function createLogger (config: Config, destination?: DestinationStream): Logger {
  const options = {
    level: config.logLevel,
    base: { name: config.process, version, pid: process.pid },
    timestamp: () => `,"time":"${thisMoment()}"`,
    formatters: { level: (level: string) => ({ level }) },
    serializers: { err: shownError },
    // Its own trace before the one that a client sent along.
    ...(config.traces === 'off' ? {} : { mixin: traceOfLine, mixinMergeStrategy: (line: object, trace: object) => Object.assign(line, trace) })
  }
  // pino escapes C0 alone.
  const plain = { ...options, hooks: { streamWrite: escapeSteering } }
  if (destination) return pino(plain, destination)
  if (!process.stdout.isTTY) return batching(plain)
  return pino({ ...options, hooks: { streamWrite: disarmed }, formatters: {}, transport: { target: 'pino-pretty', options: { ignore: 'pid,version', singleLine: true } } })
}

function batching (options: LoggerOptions): Logger {
  // pino's own destination throws what no caller of a log line catches: a full disk ended the process.
  const sink = new OutputWriter(nonBlockingStdout() ?? 1, (lines) => logLine(logger, { event: 'log_lines_dropped', lines }))
  const logger: Logger = pino(options, new BatchingDestination(sink))
  return logger
}

/** An error with its causes. Further members are left out: those of a database error quote the values of a row. */
function shownError (error: unknown): { type: string, message: string, code?: string, stack?: string } {
  if (!(error instanceof Error)) return { type: typeof error, message: String(error) }
  const { type, message, stack } = pino.stdSerializers.err(error)
  const { code } = error as { code?: unknown }
  return { type, message, ...(typeof code === 'string' ? { code } : {}), stack }
}
