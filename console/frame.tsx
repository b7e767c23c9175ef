import type { ComponentType } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import type { User } from '../clients/typescript/src/types.gen.js'
import { signOut } from './api.js'
import { useLoaded } from './load.js'
import { Actions } from './pages/actions.js'
import { JobPage } from './pages/job.js'
import { OrderPage } from './pages/order.js'
import { Orders } from './pages/orders.js'
import { Overview } from './pages/overview.js'
import { ParkedPage } from './pages/parked-event.js'
import { ParkingLot } from './pages/parking-lot.js'
import { Users } from './pages/users.js'
import { WebhookPage } from './pages/webhook.js'
import { Webhooks } from './pages/webhooks.js'
import { route, to } from './route.js'

interface Room { path: string, name: string, list: ComponentType, one?: ComponentType<{ id: string }> }

const ROOMS: Room[] = [
  { path: '', name: 'Overview', list: Overview },
  { path: 'orders', name: 'Orders', list: Orders, one: OrderPage },
  { path: 'parked', name: 'Parking lot', list: ParkingLot, one: ParkedPage },
  { path: 'webhooks', name: 'Webhooks', list: Webhooks, one: WebhookPage },
  { path: 'users', name: 'Users', list: Users },
  { path: 'actions', name: 'Audit', list: Actions }
]
/** Not in the menu. */
const JOBS: Room = { path: 'jobs', name: 'Jobs', list: ParkingLot, one: JobPage }

/** The menu and one page. */
export function Frame () {
  const { path: [place = '', id], query } = route.value
  const room = [...ROOMS, JOBS].find(({ path }) => path === place) ?? ROOMS[0]!
  const main = useRef<HTMLElement>(null)
  const { data: me } = useLoaded<User>('users/me')
  const title = id === undefined ? room.name : `${room.name} · ${id.slice(0, 13)}`
  useEffect(() => {
    document.title = `${title} – Comanda`
    main.current?.focus({ preventScroll: true })
    scrollTo(0, 0)
  }, [place, id])
  const One = room.one
  return (
    <div class='frame'>
      <a class='skip' href='#page' onClick={(event) => { event.preventDefault(); main.current?.focus() }}>Skip to the page</a>
      <header>
        <strong class='brand'>Comanda</strong>
        <nav aria-label='Pages'>
          {ROOMS.map(({ path, name }) => <a key={path} href={to(path)} aria-current={path === (room === JOBS ? 'parked' : room.path) ? 'page' : undefined}>{name}</a>)}
        </nav>
        <div class='me'>
          <span title={me?.nick_name}>{me?.nick_name ?? ' '}</span>
          <button type='button' class='small' onClick={() => { void signOut().catch(() => location.reload()) }}>Sign out</button>
        </div>
      </header>
      <main id='page' tabIndex={-1} ref={main} key={`${place}/${id ?? ''}${place === 'orders' ? JSON.stringify(query) : ''}`}>
        {id !== undefined && One ? <One id={id} /> : <room.list />}
      </main>
    </div>
  )
}
