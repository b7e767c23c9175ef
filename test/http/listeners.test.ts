import { once } from 'node:events'
import t from 'tap'
import { Listeners } from '../../src/http/listeners.js'

const session = (user_id: number) => ({ user_id, role: 'customer' as const, epoch: 0 })
const isOver = () => false

t.test('one user may listen so many times, and all so many; who leaves makes room', async (t) => {
  const listeners = new Listeners({ isOver, most: 3, mostOfUser: 2 })
  t.teardown(() => listeners.close())
  const [first] = [listeners.enter(session(1), 60_000), listeners.enter(session(1), 60_000)]
  t.throws(() => listeners.enter(session(1), 60_000), { code: 'too_many_streams' })
  listeners.enter(session(2), 60_000)
  t.throws(() => listeners.enter(session(3), 60_000), { code: 'busy' })
  first!.leave()
  first!.leave()
  t.equal(listeners.size, 2)
  listeners.enter(session(1), 60_000)
  t.throws(() => listeners.enter(session(1), 60_000), { code: 'too_many_streams' })
})

t.test('each ends when its time is over', async (t) => {
  const listeners = new Listeners({ isOver })
  t.teardown(() => listeners.close())
  const listener = listeners.enter(session(1), 10)
  await once(listener.signal, 'abort')
  t.equal(listener.ended, 'time_over')
  t.equal(listeners.size, 0)
})

t.test('those whose session was ended do not listen on, and others do', async (t) => {
  const listeners = new Listeners({ isOver: async ({ user_id }) => user_id === 1 })
  t.teardown(() => listeners.close())
  const [own, other] = [listeners.enter(session(1), 60_000), listeners.enter(session(2), 60_000)]
  await once(own.signal, 'abort')
  t.equal(own.ended, 'session_ended')
  t.equal(other.ended, null)
})

t.test('closing ends all, and who comes later too', async (t) => {
  const listeners = new Listeners({ isOver })
  const before = listeners.enter(session(1), 60_000)
  listeners.close()
  t.strictSame([before.ended, before.signal.aborted, listeners.enter(session(2), 60_000).ended], ['closing', true, 'closing'])
})
