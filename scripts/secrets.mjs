// `node scripts/secrets.mjs`: makes what docker-compose.yml demands. Random secrets into .env, of URL-safe characters alone, so that
// none can break a URL; what is there stays as it is, so it may be run again. And the broker's users, with the hashes of their
// passwords, into deploy/rabbitmq/definitions.json. Node built-ins only.
import { createHash, randomBytes } from 'node:crypto'
import { appendFileSync, chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const project = dirname(dirname(fileURLToPath(import.meta.url)))
const target = process.argv[2] ?? project
const envFile = join(target, '.env')
const definitionsFile = join(target, 'deploy', 'rabbitmq', 'definitions.json')

const NAMES = ['JWT_SECRET', 'EVENT_KEYS', 'PSEUDONYM_KEY', 'DATA_KEYS', 'POSTGRES_SUPERUSER_PASSWORD', 'POSTGRES_PASSWORD', 'REDIS_PASSWORD', 'RABBITMQ_API_PASSWORD', 'RABBITMQ_WORKER_PASSWORD', 'RABBITMQ_RELAY_PASSWORD', 'GRAFANA_PASSWORD']
const USERS = { comanda_api: 'RABBITMQ_API_PASSWORD', comanda_worker: 'RABBITMQ_WORKER_PASSWORD', comanda_relay: 'RABBITMQ_RELAY_PASSWORD' }

/** As Compose reads the file: an empty value is a missing one. */
function readEnv (text) {
  const values = {}
  for (const [, name, value] of text.matchAll(/^(?:export[ \t]+)?([A-Z_]+)[ \t]*=[ \t]*(.*?)[ \t]*$/gm)) values[name] = value.replace(/^(["'])(.*)\1$/, '$2')
  return values
}

/** RabbitMQ, "Credentials and Passwords": the salt, then SHA-256 of salt and password. */
function hashOf (password) {
  const salt = randomBytes(4)
  return Buffer.concat([salt, createHash('sha256').update(salt).update(password).digest()]).toString('base64')
}

function writePrivate (file, write) {
  write()
  chmodSync(file, 0o600)
}

const before = existsSync(envFile) ? readFileSync(envFile, 'utf8') : ''
const made = NAMES.filter((name) => !readEnv(before)[name])
/** A key of DATA_KEYS has an id; all else is of URL-safe characters. */
const secretFor = (name) => name === 'DATA_KEYS' ? `k1:${randomBytes(32).toString('base64')}` : randomBytes(32).toString('base64url')
const lines = made.map((name) => `${name}=${secretFor(name)}\n`).join('')
const gap = before === '' || before.endsWith('\n') ? '' : '\n'
if (made.length > 0) writePrivate(envFile, () => appendFileSync(envFile, gap + lines, { mode: 0o600 }))
console.log(made.length > 0 ? `${envFile}: made ${made.join(', ')}` : `${envFile}: nothing is missing`)

const values = readEnv(before + gap + lines)
const unfit = NAMES.filter((name) => name.endsWith('_PASSWORD') && !/^[\w.~-]+$/.test(values[name]))
if (unfit.length > 0) {
  console.error(`${envFile}: ${unfit.join(', ')} would break the URL that docker-compose.yml puts it into: use letters, digits, - _ . ~ alone, or leave it empty and run this again`)
  process.exit(1)
}
const definitions = JSON.parse(readFileSync(join(project, 'deploy', 'rabbitmq', 'topology.json'), 'utf8'))
for (const user of definitions.users) {
  user.password_hash = hashOf(values[USERS[user.name]])
  user.hashing_algorithm = 'rabbit_password_hashing_sha256'
}
mkdirSync(dirname(definitionsFile), { recursive: true })
// The broker reads it as a user of its own: not private, and it holds hashes of random passwords only.
writeFileSync(definitionsFile, `${JSON.stringify(definitions, null, 2)}\n`)
console.log(`${definitionsFile}: the broker's users and queues`)
