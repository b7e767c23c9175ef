import t from 'tap'
import { addressOf } from '../../src/doctor/address.js'
import { explain } from '../../src/doctor/trouble.js'

const address = addressOf('REDIS_URL', 'rediss://ana:hunter%232@cache:6380/3')!

t.test('an address is read with what the service takes where nothing is said', async (t) => {
  t.match(address, { at: 'cache:6380', host: 'cache', user: 'ana', name: '3', password: 'hunter#2', tls: true })
  t.match(addressOf('AMQP_URL', 'amqp://broker'), { at: 'broker:5672', user: 'guest', name: '/', tls: false })
  t.match(addressOf('AMQP_URL', 'amqps://broker/%2Fa'), { at: 'broker:5671', name: '/a', tls: true })
  t.match(addressOf('DATABASE_URL', 'postgres://ana@db?sslmode=require'), { at: 'db:5432', name: 'ana', tls: true })
  t.equal(addressOf('DATABASE_URL', 'postgres://ana:a#b@db'), null)
})

t.test('what is not known by its code is shown as the service said it, in one line, but for the password', async (t) => {
  const { found } = explain(undefined, new Error('neither hunter#2\n nor hunter%232 is known'), address)
  t.equal(found, 'cache:6380 cannot be used: neither *** nor *** is known')
  t.match(explain('EODD', Object.assign(new Error('odd'), { code: 'EODD' }), address), { found: 'cache:6380 cannot be used: EODD: odd' })
})

t.test('certificates that are not trusted, out of date or for another name are told apart', async (t) => {
  const table: Array<[code: string, found: RegExp]> = [
    ['DEPTH_ZERO_SELF_SIGNED_CERT', /not signed by anybody/], ['SELF_SIGNED_CERT_IN_CHAIN', /not signed by anybody/],
    ['CERT_HAS_EXPIRED', /has expired$/], ['ERR_TLS_CERT_ALTNAME_INVALID', /for another name$/]
  ]
  for (const [code, found] of table) t.match(explain(code, new Error('x'), address).found, found)
})
