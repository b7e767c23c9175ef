import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { badVariables } from '../../src/config.js'
import { Environment } from '../../src/environment.js'
import { compose, COMPOSE_TEXT, environmentOf, OURS, readEnvFile } from '../support/compose.js'
import { freshFolder } from '../support/folders.js'

const services = Object.entries(compose.services)

function makeSecrets (folder: string): string {
  return execFileSync(process.execPath, ['scripts/secrets.mjs', folder], { encoding: 'utf8' })
}

t.test('no secret of the compose file has a default: each is demanded, with the command that makes it', async (t) => {
  const named = [...COMPOSE_TEXT.matchAll(/(?<!\$)\$\{(\w+)([^}]*)\}/g)].map(([, name, more]) => ({ name: name!, more }))
  t.ok(named.length > 10)
  for (const { name, more } of named.filter(({ name }) => name !== 'LOG_LEVEL')) t.equal(more, ':?run node scripts/secrets.mjs first', name)
  t.throws(() => environmentOf('api', {}), /: run node scripts\/secrets\.mjs first$/)
  for (const [service, { environment = {} }] of services) {
    for (const [name, value] of Object.entries(environment).filter(([name]) => /PASSWORD|SECRET|_KEYS?$|_AUTH$/.test(name))) t.match(value, /^\$\{\w+:\?/, `${service} ${name}`)
  }
})

t.test('the script makes what the file demands, for this user\'s eyes, and production starts with it', async (t) => {
  const folder = freshFolder(t)
  makeSecrets(folder)
  const file = join(folder, '.env')
  t.equal(statSync(file).mode & 0o777, 0o600)
  const values = readEnvFile(file)
  const demanded = new Set([...COMPOSE_TEXT.matchAll(/\$\{(\w+):\?/g)].map(([, name]) => name!))
  t.strictSame(Object.keys(values).sort(), [...demanded].sort(), 'all of it and no more')
  t.equal(new Set(Object.values(values)).size, demanded.size, 'each another')
  for (const [name, value] of Object.entries(values)) t.match(value, name === 'DATA_KEYS' ? /^k1:[A-Za-z0-9+/]{43}=$/ : /^[\w-]{43}$/, 'nothing that a URL reads otherwise')
  for (const process of OURS) t.strictSame([...badVariables(process, environmentOf(process, values))], [], process)
})

t.test('a password that would break a URL of the file is refused by the script, by its name and not its value', async (t) => {
  const folder = freshFolder(t)
  writeFileSync(join(folder, '.env'), 'POSTGRES_PASSWORD=hunter/2\nREDIS_PASSWORD="hunter 2"\nRABBITMQ_API_PASSWORD=hunter2-fine_~.\n')
  const { status, stderr } = spawnSync(process.execPath, ['scripts/secrets.mjs', folder], { encoding: 'utf8' })
  t.equal(status, 1)
  t.match(stderr, /: POSTGRES_PASSWORD, REDIS_PASSWORD would break the URL/)
  t.notMatch(stderr, /hunter/)
})

t.test('the script adds what is missing and changes nothing that is there', async (t) => {
  const folder = freshFolder(t)
  const file = join(folder, '.env')
  const before = '# mine\nLOG_LEVEL=debug\nJWT_SECRET="kept, and the one before"\nREDIS_PASSWORD='
  writeFileSync(file, before, { mode: 0o644 })
  t.match(makeSecrets(folder), /: made (?!.*JWT_SECRET).*REDIS_PASSWORD/)
  const text = readFileSync(file, 'utf8')
  t.ok(text.startsWith(`${before}\n`))
  t.match(text, /\nREDIS_PASSWORD=[\w-]{43}\n/, 'an empty value is a missing one')
  t.notMatch(text.slice(before.length), /JWT_SECRET/)
  t.equal(statSync(file).mode & 0o777, 0o600)
  t.match(makeSecrets(folder), /nothing is missing/)
  t.equal(readFileSync(file, 'utf8'), text)
})

t.test('the broker learns hashes of the passwords, and no password', async (t) => {
  const folder = freshFolder(t)
  makeSecrets(folder)
  const values = readEnvFile(join(folder, '.env'))
  const text = readFileSync(join(folder, 'deploy/rabbitmq/definitions.json'), 'utf8')
  for (const value of Object.values(values)) t.notMatch(text, value)
  const { users } = JSON.parse(text) as { users: Array<{ name: string, password_hash: string, tags: string[] }> }
  t.strictSame(users.map(({ name, tags }) => [name, tags]), OURS.map((name) => [`comanda_${name}`, []]), 'none of them administers')
  for (const { name, password_hash: given } of users) {
    const bytes = Buffer.from(given, 'base64')
    const password = values[`RABBITMQ_${name.slice('comanda_'.length).toUpperCase()}_PASSWORD`]!
    t.same(bytes.subarray(4), createHash('sha256').update(bytes.subarray(0, 4)).update(password).digest(), name)
  }
})

t.test('the rights that the documents tell are those that the script gives', async (t) => {
  const { permissions } = JSON.parse(readFileSync('deploy/rabbitmq/topology.json', 'utf8')) as { permissions: Array<Record<'user' | 'configure' | 'write' | 'read', string>> }
  const told = [...readFileSync('docs/configuration.md', 'utf8').matchAll(/^rabbitmqctl set_permissions (\w+) '(.*)' '(.*)' '(.*)'$/gm)].map(([, ...parts]) => parts)
  t.strictSame(told, permissions.map(({ user, configure, write, read }) => [user, configure, write, read]))
})

t.test('what the script makes is in no commit and no image', async (t) => {
  const ignored = readFileSync('.gitignore', 'utf8').split('\n')
  for (const file of ['.env', 'deploy/rabbitmq/definitions.json']) t.ok(ignored.includes(file), file)
  const [first, ...taken] = readFileSync('.dockerignore', 'utf8').trim().split('\n')
  t.equal(first, '*')
  t.notOk(taken.some((line) => /env|deploy/.test(line)))
})

t.test('every container starts without capabilities and gains no right; ours write nothing but /tmp, and no service runs as root', async (t) => {
  for (const [name, { cap_drop: dropped, cap_add: added, security_opt: options, privileged, user, read_only: readOnly, tmpfs, volumes, profiles }] of services) {
    t.strictSame([dropped, added, options, privileged], [['ALL'], undefined, ['no-new-privileges:true'], undefined], name)
    if (OURS.some((ours) => ours === name)) t.strictSame([readOnly, tmpfs, volumes, user], [true, ['/tmp:size=16m,mode=1777'], undefined, undefined], `${name}, by the user of the image`)
    else if (!profiles) t.match(user, /^[a-z]+$/, name)
    t.notMatch(user ?? '', /^(root|0)(:|$)/, name)
  }
  t.strictSame([...readFileSync('Dockerfile', 'utf8').matchAll(/^USER (.*)$/gm)].map(([, user]) => user), ['node'])
})

t.test('services, worker and relay are in a network without a way out, but for webhooks; the host reaches the api alone, from this machine', async (t) => {
  t.strictSame(compose.networks, { front: null, out: null, back: { internal: true } })
  for (const [name, { networks, network_mode: mode, ports = [], profiles }] of services) {
    t.equal(mode, undefined, name)
    if (!profiles) t.strictSame(networks, { api: ['front', 'back'], relay: ['back', 'out'] }[name] ?? ['back'], name)
    t.equal(ports.length > 0, name === 'api' || profiles !== undefined, name)
    for (const port of ports) t.match(port, /^127\.0\.0\.1:\d+:\d+$/, name)
  }
})

t.test('each process is given variables that exist, each only the keys that it needs, a broker\'s user of its own, and the role that owns the tables', async (t) => {
  for (const name of OURS) {
    const { environment = {}, command } = compose.services[name]!
    t.strictSame(Object.keys(environment).filter((variable) => !(variable in Environment.properties)), [], name)
    t.match(environment.AMQP_URL, `//comanda_${name}:`)
    t.match(environment.DATABASE_URL, '//comanda:${POSTGRES_PASSWORD:')
    t.strictSame(command, ['node', 'dist/cli.js', name])
    t.match(readFileSync('src/cli.ts', 'utf8'), `command('${name}')`)
  }
  for (const name of ['worker', 'relay']) t.notOk(['JWT_SECRET', 'PSEUDONYM_KEY'].some((key) => key in compose.services[name]!.environment!), name)
  t.notOk('DATA_KEYS' in compose.services.worker!.environment!)
})
