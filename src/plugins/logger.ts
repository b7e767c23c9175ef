import { readFileSync } from 'node:fs'
import pino, { type DestinationStream, type Logger } from 'pino'
import type { Config } from '../config.js'
import { thisMoment } from '../orders/moment.js'

export const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }

/**
 * One JSON line for each thing worth telling, its keys the same everywhere: `request_id`, `order_id`, `event_id`, `user_id`,
 * `route`, `status`, `duration_ms`, `batch_id`, `batch_size`, `attempt`, `reason`. Pretty only on a terminal.
 * @param destination for tests; otherwise standard output
 */
export function createLogger (config: Config, destination?: DestinationStream): Logger {
  const options = {
    level: config.logLevel,
    base: { name: config.process, version, pid: process.pid },
    timestamp: () => `,"time":"${thisMoment()}"`,
    formatters: { level: (level: string) => ({ level }) }
  }
  if (destination) return pino(options, destination)
  if (!process.stdout.isTTY) return pino(options)
  return pino({ ...options, formatters: {}, transport: { target: 'pino-pretty', options: { ignore: 'pid,version', singleLine: true } } })
}
