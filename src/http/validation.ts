import { Ajv, type ErrorObject, type Options, type ValidateFunction } from 'ajv'
import addFormats from 'ajv-formats'
import { isCpf } from '../users/cpf.js'
import { canonicalName } from '../users/user.js'
import type { InputFault } from './problems.js'

/** The request breaks its schema; every fault is listed. */
export class InputError extends Error {
  override readonly name = 'InputError'
  readonly statusCode = 400
  readonly faults: InputFault[]

  constructor (faults: InputFault[]) {
    super('the request breaks its schema')
    this.faults = faults
  }
}

type Validate = (data: Record<string, unknown>) => boolean | { error: InputError }

/**
 * Fastify's own defaults drop unknown fields and change types silently: here bodies are taken as they are or refused.
 * Only the text of queries, parameters and headers is turned into the numbers their schemas name.
 */
export function validatorCompiler (): (schema: unknown, part: string) => Validate {
  const options: Options = { allErrors: true, verbose: true, removeAdditional: false, useDefaults: true }
  const strict = compiler({ ...options, coerceTypes: false })
  const coercing = compiler({ ...options, coerceTypes: true })
  return (schema, part) => part === 'body' ? strict.compile(schema as object) : finite(coercing.compile(schema as object), schema, part)
}

/** Ajv's faults as a client reads them. */
export function inputError (errors: readonly ErrorObject[], part: string): InputError {
  return new InputError(errors.map((error) => inputFault(error, part)))
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
/** What RFC 3339 allows and Postgres does not: the year 0 and zones of 16 hours and more. */
const BEYOND_POSTGRES = /^0000|[+-](1[6-9]|2\d)(:?\d\d)?$/
const NICK_NAME_LENGTH = 50

function compiler (options: Options): Ajv {
  const ajv = new Ajv(options)
  addFormats.default(ajv)
  const isDateTime = ajv.formats['date-time'] as { validate (text: string): boolean }
  return ajv
    .addFormat('cpf', { type: 'string', validate: isCpf })
    .addFormat('uuid', UUID) // theirs takes `urn:uuid:` too
    .addFormat('date-time', { type: 'string', validate: (text: string) => isDateTime.validate(text) && !BEYOND_POSTGRES.test(text) })
    // Some characters become two or three in the form that is stored.
    .addFormat('nick-name', { type: 'string', validate: (text: string) => [...canonicalName(text)].length <= NICK_NAME_LENGTH })
}

/** Coercion makes Infinity of `Infinity` and of `1e400`, and Ajv holds no bound against a number that is not finite. */
function finite (validate: ValidateFunction, schema: unknown, part: string): (data: Record<string, unknown>) => true | { error: InputError } {
  const { properties = {} } = schema as { properties?: Record<string, { type?: string }> }
  const numbers = Object.keys(properties).filter((name) => properties[name]!.type === 'integer' || properties[name]!.type === 'number')
  return (data) => {
    const valid = validate(data)
    const infinite = numbers.filter((name) => typeof data[name] === 'number' && !Number.isFinite(data[name]))
    if (valid && infinite.length === 0) return true
    return {
      error: new InputError([
        ...(valid ? [] : (validate.errors ?? []).map((error) => inputFault(error, part))),
        ...infinite.map((name) => ({ pointer: `${part}#/${escapePointer(name)}`, detail: 'must be a finite number' }))
      ])
    }
  }
}

function inputFault (error: ErrorObject, part: string): InputFault {
  const { instancePath, params } = error
  const member: unknown = params.additionalProperty ?? params.missingProperty
  const pointer = `${part === 'body' ? '' : part}#${instancePath}${typeof member === 'string' ? `/${escapePointer(member)}` : ''}`
  return { pointer, detail: DETAILS[error.keyword]?.(error) ?? error.message ?? 'is not valid' }
}

/** Where Ajv's own words would not help: a pattern says nothing to a reader, its description does. */
const DETAILS: Record<string, (error: ErrorObject) => string> = {
  additionalProperties: () => 'is not known here',
  required: () => 'is missing',
  enum: ({ params }) => `must be one of ${(params.allowedValues as unknown[]).join(', ')}`,
  pattern: ({ parentSchema }) => described(parentSchema, 'text'),
  format: ({ parentSchema, params }) => described(parentSchema, String(params.format))
}

function described (schema: ErrorObject['parentSchema'], otherwise: string): string {
  return typeof schema?.description === 'string' ? `must be: ${schema.description}` : `must be a valid ${otherwise}`
}

/** RFC 6901, section 3. */
function escapePointer (member: string): string {
  return member.replaceAll('~', '~0').replaceAll('/', '~1')
}
