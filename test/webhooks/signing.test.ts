import t from 'tap'
import { Webhook } from 'standardwebhooks'
import { newSecret, signatureHeaders } from '../../src/webhooks/signing.js'

const message = { id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', timestamp: 1614265330, body: '{"test": 2432232314}' }

t.test('the example of the specification has its signature', async (t) => {
  t.strictSame(signatureHeaders(['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'], message), {
    'webhook-id': message.id, 'webhook-timestamp': '1614265330', 'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE='
  })
})

t.test('the receiver\'s own library takes what any of several secrets signed, and nothing that was altered', async (t) => {
  const [old, current, other] = [newSecret(), newSecret(), newSecret()]
  t.match(current, /^whsec_[A-Za-z0-9+/]{43}=$/)
  const now = Math.floor(Date.now() / 1000)
  const headers = signatureHeaders([current, old], { ...message, timestamp: now })
  for (const secret of [old, current]) t.strictSame(new Webhook(secret).verify(message.body, headers), { test: 2432232314 })
  t.throws(() => new Webhook(other).verify(message.body, headers))
  t.throws(() => new Webhook(current).verify(`${message.body} `, headers))
  t.throws(() => new Webhook(current).verify(message.body, { ...headers, 'webhook-id': 'another' }))
  t.throws(() => new Webhook(current).verify(message.body, signatureHeaders([current], { ...message, timestamp: now - 3600 })), 'of an hour ago')
})
