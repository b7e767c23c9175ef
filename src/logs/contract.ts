/** The catalogue as one closed schema a line: docs/logs.md in words. */
import { type TObject, Type } from '@sinclair/typebox'
import { type TypeCheck, TypeCompiler } from '@sinclair/typebox/compiler'
import { catalogue, type Code, TraceId } from './catalogue.js'

const Text = Type.String({ minLength: 1 })
const everyLine = {
  time: Type.String({ pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z$' }),
  name: Type.Union([Type.Literal('api'), Type.Literal('worker'), Type.Literal('relay')]),
  version: Text,
  pid: Type.Integer({ minimum: 0 }),
  trace_id: Type.Optional(TraceId)
}

const checks = new Map<Code, TypeCheck<TObject>>()

/** What is wrong with a line; null when it keeps the contract. */
export function faultOf (line: object): string | null {
  const { event } = line as { event?: unknown }
  if (!isCode(event)) return event === undefined ? 'it has no event' : `no such event: ${JSON.stringify(event)}`
  const fault = checkOf(event).Errors(line).First()
  return fault ? `${fault.path}: ${fault.message} (${event})` : null
}

function isCode (event: unknown): event is Code {
  return typeof event === 'string' && Object.hasOwn(catalogue, event)
}

function checkOf (code: Code): TypeCheck<TObject> {
  const known = checks.get(code)
  if (known) return known
  const { level, text, keys } = catalogue[code]
  const schema = Type.Object({ ...everyLine, level: Type.Literal(level), event: Type.Literal(code), msg: Type.Literal(text), ...keys.properties }, { additionalProperties: false })
  const check = TypeCompiler.Compile(schema)
  checks.set(code, check)
  return check
}
