import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect } from 'amqplib'
import { Redis } from 'ioredis'
import t from 'tap'
import { startRabbitmq } from '../../local/rabbitmq.js'
import { findRabbit } from '../../local/rabbitmq-node.js'
import { findRedis, startRedis } from '../../local/redis.js'
import { createVirtualHosts, deleteVirtualHosts } from '../../local/vhosts.js'
import { freshFolder } from '../support/folders.js'
import { isListening } from './bare-machine.js'

const env = process.env
const noRedis = findRedis(env) === null && 'no redis-server on this machine'
const noRabbit = findRabbit(env) === null && 'no rabbitmq-server on this machine'

t.test('an isolated Redis answers, keeps what was written, and is gone after stop', { skip: noRedis }, async t => {
  const stateDir = freshFolder(t)
  const first = await startRedis({ stateDir, env })
  t.teardown(() => first.stop())
  const client = new Redis(first.url)
  await client.set('kept', '42')
  const closed = once(client, 'end')
  client.disconnect()
  await closed
  await first.kill('SIGKILL')
  t.equal(await isListening(first.url), false)

  const second = await startRedis({ stateDir, env })
  t.teardown(() => second.stop())
  const again = new Redis(second.url)
  t.equal(await again.get('kept'), '42')
  again.disconnect()
  await second.stop()
  t.equal(await isListening(second.url), false)
})

t.test('a Redis that is stopped keeps silent, goes on when continued, and can be ended while stopped', { skip: noRedis }, async t => {
  const stateDir = freshFolder(t)
  const running = await startRedis({ stateDir, env, durable: false })
  t.teardown(() => running.stop())
  const client = new Redis(running.url, { commandTimeout: 200 })
  t.equal(await client.ping(), 'PONG')
  await running.kill('SIGSTOP')
  await t.rejects(client.ping(), /timed out/)
  await running.kill('SIGCONT')
  t.equal(await client.ping(), 'PONG')
  client.disconnect()
  await running.kill('SIGSTOP')
  await running.stop()
  t.equal(await isListening(running.url), false)
  t.match(readFileSync(join(stateDir, 'log'), 'utf8'), 'ready to exit', 'in order, not killed')
})

t.test('an isolated RabbitMQ takes a quorum queue in a virtual host of its own, and leaves nothing after stop', { skip: noRabbit }, async t => {
  const stateDir = freshFolder(t)
  const running = await startRabbitmq({ stateDir, env })
  t.teardown(() => running.stop())
  t.equal(await createVirtualHosts(running, ['one', 'two']), true)
  const connection = await connect(`${running.url}/two`)
  const channel = await connection.createConfirmChannel()
  await channel.assertQueue('q', { durable: true, arguments: { 'x-queue-type': 'quorum' } })
  channel.sendToQueue('q', Buffer.from('kept'), { persistent: true })
  await channel.waitForConfirms()
  await connection.close()
  t.equal(await deleteVirtualHosts(running, ['two', 'never-was']), true)
  await t.rejects(connect(`${running.url}/two`), /ConnectionClose/)

  const elsewhere = { ...running, control: running.control && { ...running.control, port: 1 } }
  t.equal(await createVirtualHosts(elsewhere as typeof running, ['three']), false, 'a node that does not listen on that port is left alone')

  const { epmdPort } = JSON.parse(readFileSync(join(stateDir, 'server.json'), 'utf8')) as { epmdPort: number }
  t.equal(await isListening(`tcp://127.0.0.1:${epmdPort}`), true)
  await running.stop()
  t.equal(await isListening(running.url), false)
  t.equal(await isListening(`tcp://127.0.0.1:${epmdPort}`), false, 'the port mapper is gone as well')
})
