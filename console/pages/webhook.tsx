import type { Delivery, Webhook } from '../../clients/typescript/src/types.gen.js'
import { ask, query } from '../api.js'
import { type Pages, useLoaded, usePages } from '../load.js'
import { useQuestion } from '../parts/dialog.js'
import { Code, Failure, Listed, Loading } from '../parts/states.js'
import { Status } from '../parts/status.js'
import { Time } from '../parts/time.js'
import { go, route, to } from '../route.js'
import { wordOf } from './webhooks.js'

const STATES = ['due', 'delivered', 'given_up']

export function WebhookPage ({ id }: { id: string }) {
  const path = `webhooks/${encodeURIComponent(id)}`
  const { state = '' } = route.value.query
  const webhook = useLoaded<Webhook>(path, 5000)
  const deliveries = usePages<Delivery>(`${path}/deliveries${query({ limit: 20, state })}`, 3000)
  const reload = (): void => {
    webhook.reload()
    deliveries.reload()
  }
  return (
    <>
      <p class='up'><a href={to('webhooks')}>Webhooks</a></p>
      <h1>Webhook <Code text={id} short={13} /></h1>
      {webhook.error && <Failure error={webhook.error} onRetry={reload} />}
      {webhook.loading && <Loading />}
      {webhook.data && <Known webhook={webhook.data} onChange={reload} />}
      <h2>Deliveries</h2>
      <form class='filter'>
        <label>State<select onChange={(event) => go(`webhooks/${id}`, { state: event.currentTarget.value })}><option value=''>any</option>{STATES.map((word) => <option key={word} value={word} selected={word === state}>{word.replace('_', ' ')}</option>)}</select></label>
      </form>
      {!webhook.error && <Deliveries id={id} list={deliveries} onChange={reload} />}
    </>
  )
}

function Known ({ webhook, onChange }: { webhook: Webhook, onChange: () => void }) {
  const [dialog, question] = useQuestion()
  const on = webhook.state === 'enabled'
  const turn = (): void => question({
    title: on ? 'Disable this webhook?' : 'Enable this webhook?',
    text: <p>{on ? 'Its deliveries wait until it is enabled again.' : 'What waited is delivered now.'}</p>,
    yes: on ? 'Disable' : 'Enable',
    danger: on,
    act: async () => {
      await ask('PATCH', `webhooks/${webhook.webhook_id}`, { enabled: !on })
      onChange()
    }
  })
  return (
    <section class='card'>
      <dl class='facts'>
        <dt>State</dt><dd><Status word={wordOf(webhook)} />{webhook.disabled_reason !== null && ` ${webhook.disabled_reason}`}{webhook.failing_since !== null && <> since <Time at={webhook.failing_since} /></>}</dd>
        <dt>Leads to</dt><dd class='text'>{webhook.url}</dd>
        <dt>Told of</dt><dd>{webhook.types === null ? 'all events' : webhook.types.join(', ')}</dd>
        <dt>Owner</dt><dd><a href={to('users', { user_id: webhook.user_id })}>{webhook.user_id}</a></dd>
        {webhook.replaying !== null && <><dt>Told again</dt><dd>positions {webhook.replaying.after} to {webhook.replaying.before}</dd></>}
      </dl>
      <p class='buttons'><button type='button' class={on ? 'danger' : 'primary'} onClick={turn}>{on ? 'Disable' : 'Enable'}</button></p>
      {dialog}
    </section>
  )
}

function Deliveries ({ id, list, onChange }: { id: string, list: Pages<Delivery>, onChange: () => void }) {
  const [dialog, question] = useQuestion()
  const replay = (delivery: Delivery): void => question({
    title: `Deliver ${delivery.type.replace('comanda.', '')} again?`,
    text: <p>It is due at once, with the same webhook-id: its receiver can tell that it is a repetition.</p>,
    yes: 'Deliver it again',
    act: async () => {
      await ask('POST', `webhooks/${id}/deliveries/${delivery.delivery_id}/replay`)
      onChange()
    }
  })
  return (
    <>
      {dialog}
      <Listed list={list} empty='No delivery is like that.'>
        <ul class='deliveries'>
          {list.items.map((delivery) => (
            <li key={delivery.delivery_id} class='card'>
              <p>
                <b>{delivery.type.replace('comanda.', '')}</b> <Status word={delivery.state} /> <span class='quiet'>{delivery.position !== null && `position ${delivery.position}, `}<Time at={delivery.created_at} ago /></span>{' '}
                {delivery.state !== 'due' && <button type='button' class='small' onClick={() => replay(delivery)}>Deliver again</button>}
              </p>
              {delivery.next_attempt_at !== null && <p class='quiet'>Next attempt <Time at={delivery.next_attempt_at} /></p>}
              {delivery.attempts.length > 0 && <ol class='attempts'>{delivery.attempts.map((attempt) => <li key={attempt.at}><Time at={attempt.at} /> {attempt.failure === null ? <Status word='delivered' /> : <><Status word='failed' /> {attempt.failure.replaceAll('_', ' ')}</>} {attempt.status ?? ''} in {attempt.ms} ms</li>)}</ol>}
            </li>
          ))}
        </ul>
      </Listed>
    </>
  )
}
