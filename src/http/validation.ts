import { Ajv, type Options, type ValidateFunction } from 'ajv'
import addFormats from 'ajv-formats'
import { isCpf } from '../users/cpf.js'
import { canonicalName } from '../users/user.js'
import { boundOf } from './bounds.js'
import { escapePointer, type Failure, inputError, type InputError, itemsError, MOST_FAULTS } from './input-faults.js'

type Validate = (data: unknown) => true | { error: InputError }
/** null: nothing is wrong */
type Check = (data: unknown) => readonly Failure[] | null

/**
 * Fastify's own defaults drop unknown fields and change types silently: here bodies are taken as they are or refused.
 * Only the text of queries, parameters and headers is turned into the numbers their schemas name.
 */
export function validatorCompiler (): (schema: unknown, part: string) => Validate {
  const options: Options = { allErrors: true, verbose: true, removeAdditional: false, useDefaults: true }
  const strict = compiler({ ...options, coerceTypes: false })
  const coercing = compiler({ ...options, coerceTypes: true })
  const checkOf = (schema: object) => bounded(faultsOf(strict.compile(schema)), schema)
  return (given, part) => {
    const schema = given as object
    if (part !== 'body') return told(bounded(written(faultsOf(coercing.compile(schema)), schema), schema), part)
    return isList(schema) ? eachItem(schema, checkOf) : told(checkOf(schema), part)
  }
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
    .addFormat('nick-name', { type: 'string', validate: fitsAsName })
}

/** Some characters become two or three in the form that is stored. Making that form takes quadratic time: not of a text that is too long anyway. */
function fitsAsName (text: string): boolean {
  return text.length <= 2 * NICK_NAME_LENGTH && [...canonicalName(text)].length <= NICK_NAME_LENGTH
}

function faultsOf (validate: ValidateFunction): Check {
  return (data) => validate(data) ? null : validate.errors ?? []
}

function bounded (check: Check, schema: object): Check {
  const bound = boundOf(schema)
  if (!bound) return check
  return (data) => {
    const beyond = bound(data)
    return beyond ? [beyond] : check(data)
  }
}

function told (check: Check, part: string): Validate {
  return (data) => {
    const failures = check(data)
    return failures === null || { error: inputError(failures, { part }) }
  }
}

interface ListSchema { items: object }

function isList (schema: object): schema is ListSchema {
  return (schema as { type?: string }).type === 'array' && 'items' in schema
}

/** A list item by item: a route may answer each by itself, and all their faults together are told as far as those of one request. */
function eachItem ({ items, ...list }: ListSchema, checkOf: (schema: object) => Check): Validate {
  const [whole, each] = [told(checkOf(list), 'body'), checkOf(items)]
  return (data) => {
    const own = whole(data)
    if (own !== true) return own
    const errors = new Map<number, InputError>()
    let room = MOST_FAULTS
    for (const [index, item] of (data as unknown[]).entries()) {
      const failures = each(item)
      if (failures === null) continue
      const error = inputError(failures, { part: 'body', at: `/${index}`, room })
      room -= error.faults.length
      errors.set(index, error)
    }
    return errors.size === 0 || { error: itemsError(errors) }
  }
}

const DIGITS = /^-?\d{1,15}$/

/** Coercion takes `0x0a`, `1e1`, a blank and `1e400` for numbers: only digits pass as an integer's text. */
function written (check: Check, schema: object): Check {
  const { properties = {} } = schema as { properties?: Record<string, { type?: string }> }
  const numbers = Object.keys(properties).filter((name) => properties[name]!.type === 'integer')
  return (data) => {
    const given = data as Record<string, unknown>
    const odd = numbers.filter((name) => typeof given[name] === 'string' && !DIGITS.test(given[name]))
    const failures = check(data)
    if (odd.length === 0) return failures
    const places = odd.map((name) => `/${escapePointer(name)}`)
    return [...(failures ?? []).filter(({ instancePath }) => !places.includes(instancePath)), ...places.map((instancePath) => ({ instancePath, keyword: 'digits', message: 'must be integer' }))]
  }
}
