import t from 'tap'
import { addressIn, examineConfiguration } from '../../src/doctor/configuration.js'
import { Notes } from '../../src/doctor/finding.js'
import { noteVersion } from '../../src/doctor/versions.js'

const secret = '3f9c0b7a51e24d68b0c9a7e8d2f41563'
const urls = { DATABASE_URL: 'postgres://ana:hunter2-of-db@db/comanda', REDIS_URL: 'redis://:hunter2-of-cache@cache', AMQP_URL: 'amqp://ana:hunter2-of-broker@broker' }
const production = { ...urls, NODE_ENV: 'production', JWT_SECRET: secret, EVENT_KEYS: `${secret}e`, PSEUDONYM_KEY: `${secret}p`, DATA_KEYS: `k1:${Buffer.from(`${secret}d`.slice(-32)).toString('base64')}` }

/** `mark check`, of what is not well. */
function faults (env: Record<string, string>): string[] {
  return examineConfiguration(env).findings.filter(({ mark }) => mark !== 'ok').map(({ mark, check }) => `${mark} ${check}`)
}

t.test('a good environment has no fault', async (t) => {
  t.strictSame(faults(production), [])
  t.strictSame(faults({ DATABASE_URL: urls.DATABASE_URL, JWT_SECRET: `${secret},${secret}0` }), [])
})

t.test('every bad variable is named, and no value shown', async (t) => {
  const env = { ...production, DATABASE_URL: 'mysql://ana:hunter2@db', PORT: 'http', JWT_SECRET: 'hunter2', LOGIN_LIMIT: '0' }
  t.strictSame(faults(env).sort(), ['wrong DATABASE_URL', 'wrong JWT_SECRET', 'wrong LOGIN_LIMIT', 'wrong PORT'])
  t.notMatch(JSON.stringify(examineConfiguration(env).findings), /hunter2|mysql/)
})

t.test('what only an api needs is a warning: a worker starts without', async (t) => {
  const { JWT_SECRET: _, ...env } = production
  t.strictSame(faults(env), ['warn JWT_SECRET'])
  t.strictSame(faults({ ...env, REDIS_URL: '' }), ['wrong REDIS_URL', 'warn JWT_SECRET'])
})

t.test('a weak secret is told', async (t) => {
  const table: Array<[why: RegExp, value: string]> = [
    [/few different characters/, 'a'.repeat(40)],
    [/published/, 'development-only-development-only'],
    [/the same secret twice/, `${secret},${secret}`],
    [/each api makes its own/, '']
  ]
  for (const [why, JWT_SECRET] of table) {
    const finding = examineConfiguration({ ...production, NODE_ENV: 'development', JWT_SECRET }).findings.find(({ check }) => check === 'JWT_SECRET')
    t.equal(finding?.mark, 'warn')
    t.match(finding?.found, why)
  }
})

t.test('what production refuses to start with is wrong, and elsewhere taken', async (t) => {
  const bad = { AMQP_URL: 'amqp://guest:guest@broker', JWT_SECRET: 'development-only-development-only', EVENT_KEYS: production.PSEUDONYM_KEY }
  t.strictSame(faults({ ...production, ...bad }).sort(), ['wrong AMQP_URL', 'wrong JWT_SECRET', 'wrong PSEUDONYM_KEY'])
  t.strictSame(faults({ ...production, ...bad, NODE_ENV: 'development' }).sort(), ['warn JWT_SECRET', 'warn PSEUDONYM_KEY'])
  t.notMatch(JSON.stringify(examineConfiguration({ ...production, ...bad }).findings), /guest|development-only/)
})

t.test('a delivered password on this machine, and a Redis without one, are told in production', async (t) => {
  t.strictSame(faults({ ...production, AMQP_URL: 'amqp://guest:guest@127.0.0.1', REDIS_URL: 'redis://127.0.0.1' }).sort(), ['warn AMQP_URL', 'warn REDIS_URL'])
  t.strictSame(faults({ ...production, REDIS_URL: 'redis://cache' }), ['wrong REDIS_URL'], 'on another machine it is refused')
})

t.test('a service is looked at whatever its password is worth', async (t) => {
  t.match(addressIn({ ...production, AMQP_URL: 'amqp://guest:guest@broker' }, 'AMQP_URL'), { address: { host: 'broker' } })
  t.equal(addressIn({ ...production, AMQP_URL: 'mq' }, 'AMQP_URL'), null)
})

t.test('a password that breaks its URL is told with the way to write it', async (t) => {
  const [finding] = examineConfiguration({ ...production, DATABASE_URL: 'postgres://ana:hunter#2@db/comanda' }).findings.filter(({ mark }) => mark !== 'ok')
  t.match(finding, { mark: 'wrong', check: 'DATABASE_URL', found: /# as %23/ })
})

t.test('a version is held against the supported ones by its numbers', async (t) => {
  const table: Array<[subject: 'postgres' | 'redis' | 'rabbitmq', version: string, mark: string]> = [
    ['postgres', '14.19', 'wrong'], ['postgres', '15.20 (Debian 15.20-0+deb12u1)', 'ok'], ['postgres', '18.4', 'ok'], ['postgres', '19beta1', 'warn'],
    ['redis', '6.2.14', 'wrong'], ['redis', '7.0.15', 'ok'], ['redis', '9.0.0', 'warn'],
    ['rabbitmq', '3.9.29', 'wrong'], ['rabbitmq', '3.10.8', 'ok'], ['rabbitmq', '4.2.1', 'ok'], ['rabbitmq', '5.0.0', 'warn'], ['redis', 'unknown', 'wrong']
  ]
  for (const [subject, version, mark] of table) {
    const notes = new Notes(subject)
    noteVersion(notes, version)
    t.match(notes.findings, [{ mark, found: / \(supported: [\d.]+ to \d+\)$/ }], `${subject} ${version}`)
  }
})
