import { catalogue, type Level, type LogLine } from './catalogue.js'

type Log = Record<Level, (line: object, text: string) => void>

/** The one way to log: level and text come from the catalogue. The object is logged as it is, so that it costs one lookup more than calling pino. */
export function logLine (log: Log, line: LogLine): void {
  const { level, text } = catalogue[line.event]
  log[level](line, text)
}
