import { appendFileSync, openSync, readdirSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Every line that a process under test logs and every personal value that a test makes up are kept for the run; when it is
 * over test/run.ts searches the lines for the values.
 */
const folder = process.env.TEST_LOGS

const PERSONAL = ['cpf', 'email', 'phone_number', 'full_name', 'password', 'new_password'] as const
/** Shorter values would be found by chance. */
const SHORTEST = 8

let log: number | undefined

export function keepLine (line: string): void {
  log ??= openSync(join(runFolder(), `${process.pid}.log`), 'a')
  writeSync(log, line.endsWith('\n') ? line : `${line}\n`)
}

/** Keeps what is personal in a request's body, or in a row. */
export function keepPerson (person: unknown): void {
  if (typeof person !== 'object' || person === null) return
  for (const kind of PERSONAL) {
    const value: unknown = (person as Record<string, unknown>)[kind]
    if (typeof value === 'string' && value.length >= SHORTEST) keepValue(kind, value)
  }
}

export function keepValue (kind: string, value: string): void {
  appendFileSync(join(runFolder(), `${process.pid}.values`), `${JSON.stringify([kind, value])}\n`)
}

function runFolder (): string {
  if (!folder) throw new Error('run the tests with `npm test`, one file with `npm test -- test/that.test.ts`')
  return folder
}

/**
 * Searches every kept line for every kept value.
 * @param whole the whole suite ran: nothing to search is a fault as well, for the search would be worth nothing
 * @returns what is wrong: one line for each value found, with the line that holds it
 */
export function searchLogs (from: string, whole: boolean): string[] {
  const read = (suffix: string) => readdirSync(from).filter((file) => file.endsWith(suffix)).map((file) => readFileSync(join(from, file), 'utf8'))
  const text = read('.log').join('')
  const values = new Set(read('.values').flatMap((one) => one.trimEnd().split('\n')))
  if (whole && (text === '' || values.size === 0)) return [`personal data was not searched for: ${text.length} characters of logs, ${values.size} values`]
  return [...values].flatMap((entry) => {
    const [kind, value] = JSON.parse(entry) as [string, string]
    const at = Math.max(...formsOf(kind, value).map((form) => text.indexOf(form)))
    return at < 0 ? [] : [`personal data in a log: a ${kind} in ${text.slice(text.lastIndexOf('\n', at) + 1, text.indexOf('\n', at))}`]
  })
}

/** As it is, as JSON writes it, and a telephone number by its digits alone. */
function formsOf (kind: string, value: string): string[] {
  return [value, JSON.stringify(value).slice(1, -1), ...(kind === 'phone_number' ? [value.replace(/\D/g, '')] : [])]
}
